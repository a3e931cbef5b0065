#include "gateway/outbound/sts_policy.h"

#include "protocols/wire/text.h"

#include <algorithm>
#include <charconv>
#include <set>

namespace postern::outbound {

namespace {

std::string_view trim(std::string_view text) {
    const auto is_space = [](char c) { return c == ' ' || c == '\t'; };
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    return text;
}

std::string_view take_until(std::string_view& text, char end) {
    const auto at = std::min(text.find(end), text.size());
    const auto piece = text.substr(0, at);
    text.remove_prefix(std::min(at + 1, text.size()));
    return piece;
}

Error invalid(std::string why) {
    return {Errc::invalid, "MTA-STS policy: " + std::move(why)};
}

Result<void> take_line(StsPolicy& policy, std::string_view key, std::string_view value,
                       bool& versioned, bool& has_mode) {
    if (key == "version") {
        versioned = value == "STSv1";
    } else if (key == "mode") {
        has_mode = true;
        const auto mode = sts_mode(value);
        if (!mode) return invalid("unknown mode");
        policy.mode = *mode;
    } else if (key == "max_age") {
        std::uint32_t seconds = 0;
        const auto [end, failed] =
            std::from_chars(value.data(), value.data() + value.size(), seconds);
        if (failed != std::errc() || end != value.data() + value.size()) {
            return invalid("max_age is no number");
        }
        policy.max_age = std::min<std::chrono::seconds>(std::chrono::seconds(seconds), max_sts_age);
    } else if (key == "mx") {
        if (policy.patterns.size() == max_sts_patterns) return invalid("too many servers");
        policy.patterns.push_back(wire::lower_case(value));
    }
    return {};
}

}  // namespace

std::optional<StsPolicy::Mode> sts_mode(std::string_view word) {
    if (word == "none") return StsPolicy::Mode::none;
    if (word == "testing") return StsPolicy::Mode::testing;
    if (word == "enforce") return StsPolicy::Mode::enforce;
    return std::nullopt;
}

bool StsPolicy::allows(std::string_view host) const {
    const auto name = wire::lower_case(host);
    return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
        if (!pattern.starts_with("*.")) return pattern == name;
        const auto dot = name.find('.');
        return dot != std::string::npos && dot > 0 && name.substr(dot) == pattern.substr(1);
    });
}

Result<StsPolicy> parse_sts_policy(std::string_view text) {
    if (text.size() > max_sts_policy_bytes) return invalid("too long");
    StsPolicy policy;
    bool versioned = false;
    bool has_mode = false;
    std::set<std::string> seen;
    while (!text.empty()) {
        auto line = take_until(text, '\n');
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (trim(line).empty()) continue;
        if (line.find(':') == std::string_view::npos) return invalid("a line without a colon");
        const auto key = trim(take_until(line, ':'));
        // Section 3.2: of all but servers the first counts.
        if (key != "mx" && !seen.emplace(key).second) continue;
        const auto taken = take_line(policy, key, trim(line), versioned, has_mode);
        if (!taken) return taken.error();
    }
    if (!versioned) return invalid("not of version STSv1");
    if (!has_mode) return invalid("no mode");
    if (policy.max_age.count() == 0) return invalid("no max_age");
    if (policy.mode != StsPolicy::Mode::none && policy.patterns.empty()) {
        return invalid("no server");
    }
    return policy;
}

std::optional<std::string> sts_id(const std::vector<std::string>& records) {
    std::optional<std::string> id;
    std::size_t found = 0;
    for (std::string_view record : records) {
        if (trim(take_until(record, ';')) != "v=STSv1") continue;
        ++found;
        while (!record.empty()) {
            const auto field = trim(take_until(record, ';'));
            if (field.starts_with("id=") && field.size() > 3) id = std::string(field.substr(3));
        }
    }
    return found == 1 ? id : std::nullopt;
}

}  // namespace postern::outbound

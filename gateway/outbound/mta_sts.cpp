#include "gateway/outbound/mta_sts.h"

#include "gateway/https/fetch.h"
#include "gateway/log/log.h"
#include "protocols/wire/text.h"

#include <algorithm>
#include <charconv>

namespace postern::outbound {

namespace {

std::string_view trim(std::string_view text) {
    const auto is_space = [](char c) { return c == ' ' || c == '\t'; };
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    return text;
}

std::string lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), wire::to_lower);
    return out;
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
        if (value == "enforce") {
            policy.mode = StsPolicy::Mode::enforce;
        } else if (value == "testing") {
            policy.mode = StsPolicy::Mode::testing;
        } else if (value != "none") {
            return invalid("unknown mode");
        }
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
        policy.patterns.push_back(lower(value));
    }
    return {};
}

}  // namespace

bool StsPolicy::allows(std::string_view host) const {
    const auto name = lower(host);
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
    while (!text.empty()) {
        auto line = take_until(text, '\n');
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (trim(line).empty()) continue;
        if (line.find(':') == std::string_view::npos) return invalid("a line without a colon");
        const auto key = trim(take_until(line, ':'));
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

std::optional<StsPolicies::Known> StsPolicies::known(const std::string& domain) {
    std::lock_guard lock(mutex_);
    const auto found = known_.find(domain);
    if (found == known_.end()) return std::nullopt;
    if (Clock::now() < found->second.until) return found->second;
    known_.erase(found);
    return std::nullopt;
}

void StsPolicies::remember(const std::string& domain, Known known) {
    std::lock_guard lock(mutex_);
    if (known_.size() >= max_sts_domains) {
        const auto now = Clock::now();
        std::erase_if(known_, [&](const auto& each) { return each.second.until <= now; });
        if (known_.size() >= max_sts_domains) known_.erase(known_.begin());
    }
    known_[domain] = std::move(known);
}

net::Awaitable<std::shared_ptr<const StsPolicy>> StsPolicies::find(std::string domain) {
    const auto before = known(domain);
    const auto held = before ? before->policy : nullptr;
    const auto records = co_await resolver_.txt("_mta-sts." + domain);
    const auto id = records ? sts_id(*records) : std::nullopt;
    if (!id || stop_) co_return held;
    if (before && before->id == *id) co_return held;
    auto fetched = co_await fetch(domain);
    if (!fetched) {
        logging::info("MTA-STS policy not fetched",
                      {{"domain", domain}, {"reason", fetched.error().text}});
        // An older policy goes on to hold; without one the next message need not wait again.
        if (!before) remember(domain, {*id, nullptr, Clock::now() + sts_retry});
        co_return held;
    }
    auto policy = std::make_shared<const StsPolicy>(std::move(*fetched));
    remember(domain, {*id, policy, Clock::now() + policy->max_age});
    co_return policy;
}

net::Awaitable<Result<StsPolicy>> StsPolicies::fetch(std::string domain) {
    https::Request request;
    request.host = "mta-sts." + domain;
    request.path = "/.well-known/mta-sts.txt";
    request.max_bytes = max_sts_policy_bytes;
    const auto config = config_.get();
    request.ca_file = config->outbound.ca_file;
    request.port = static_cast<std::uint16_t>(config->outbound.mta_sts_port);
    request.stop = &stop_;
    auto addresses = co_await resolver_.addresses(request.host);
    if (!addresses) co_return addresses.error();
    request.addresses = std::move(addresses->numeric);
    auto job = [request] { return https::fetch(request); };
    auto document = co_await pool_.run(job);
    if (!document) co_return Error{Errc::unavailable, "too many jobs wait"};
    if (!*document) co_return document->error();
    const auto type = lower((*document)->content_type);
    if (type != "text/plain" && !type.starts_with("text/plain;")) {
        co_return invalid("not text/plain");
    }
    co_return parse_sts_policy((*document)->body);
}

}  // namespace postern::outbound

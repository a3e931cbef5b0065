#include "gateway/outbound/sts_file.h"

#include "gateway/log/log.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>

namespace postern::outbound {

namespace {

using Json = nlohmann::json;

constexpr std::size_t max_domain_bytes = 255;
// A small file is not worth rewriting.
constexpr std::size_t rewrite_from_bytes = 64 * 1024;

Error failed(const std::string& path) {
    return {Errc::unavailable, path + ": " + std::strerror(errno)};
}

const char* mode_name(StsPolicy::Mode mode) {
    switch (mode) {
        case StsPolicy::Mode::none:
            return "none";
        case StsPolicy::Mode::testing:
            return "testing";
        case StsPolicy::Mode::enforce:
            break;
    }
    return "enforce";
}

std::string line_of(const std::string& domain, const StsKnown& known) {
    const Json row = {{"domain", domain},
                      {"id", known.id},
                      {"until_ms", to_unix_ms(known.until)},
                      {"mode", mode_name(known.policy->mode)},
                      {"mx", known.policy->patterns}};
    return row.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

struct Row {
    std::string domain;
    StsKnown known;
};

std::optional<Row> parse_line(const std::string& line, Time now) {
    const auto value = Json::parse(line, nullptr, false);
    if (!value.is_object()) return std::nullopt;
    const auto text = [&](const char* name) {
        const auto found = value.find(name);
        return found != value.end() && found->is_string() ? found->get<std::string>()
                                                          : std::string();
    };
    const auto until = value.find("until_ms");
    const auto hosts = value.find("mx");
    Row row;
    row.domain = text("domain");
    row.known.id = text("id");
    const auto mode = sts_mode(text("mode"));
    if (row.domain.empty() || row.domain.size() > max_domain_bytes || row.known.id.empty() ||
        !mode || until == value.end() || !until->is_number_integer() || hosts == value.end() ||
        !hosts->is_array() || hosts->size() > max_sts_patterns) {
        return std::nullopt;
    }
    StsPolicy policy;
    policy.mode = *mode;
    for (const auto& host : *hosts) {
        if (!host.is_string()) return std::nullopt;
        policy.patterns.push_back(host.get<std::string>());
    }
    if (policy.mode != StsPolicy::Mode::none && policy.patterns.empty()) return std::nullopt;
    // A clock that stood wrong must not keep a policy for ever.
    row.known.until = std::min(from_unix_ms(until->get<std::int64_t>()), Time(now + max_sts_age));
    // What is left of it, so that half way through that it is fetched again.
    policy.max_age = std::chrono::duration_cast<std::chrono::seconds>(row.known.until - now);
    row.known.policy = std::make_shared<const StsPolicy>(std::move(policy));
    return row;
}

}  // namespace

Result<StsKnownMap> StsFile::load(Time now) {
    StsKnownMap known;
    std::error_code error;
    if (!std::filesystem::exists(path_, error)) return known;
    std::ifstream in(path_);
    if (!in) return failed(path_);
    std::size_t read = 0;
    for (std::string line; std::getline(in, line) && read < limit_bytes_;) {
        read += line.size() + 1;
        auto row = parse_line(line, now);
        if (!row) continue;
        if (row->known.until <= now) {
            known.erase(row->domain);
            continue;
        }
        if (known.size() < max_sts_domains || known.contains(row->domain)) {
            known[row->domain] = std::move(row->known);
        }
    }
    in.close();
    // What was read holds, though it cannot be tidied now.
    if (const auto written = rewrite(known); !written) {
        logging::warning("MTA-STS policies cannot be written", {{"reason", written.error().text}});
    }
    return known;
}

Result<void> StsFile::add(const std::string& domain, const StsKnown& known,
                          const StsKnownMap& all) {
    const auto line = line_of(domain, known);
    const bool grown = bytes_ > rewrite_from_bytes && bytes_ > 2 * rewritten_;
    if (grown || bytes_ + line.size() > limit_bytes_) return rewrite(all);
    std::ofstream out(path_, std::ios::app);
    out << line << std::flush;
    if (!out) return failed(path_);
    bytes_ += line.size();
    return {};
}

Result<void> StsFile::rewrite(const StsKnownMap& all) {
    const auto fresh = path_ + ".new";
    std::size_t bytes = 0;
    {
        std::ofstream out(fresh, std::ios::trunc);
        for (const auto& [domain, known] : all) {
            if (!known.policy) continue;
            const auto line = line_of(domain, known);
            if (bytes + line.size() > limit_bytes_) continue;
            out << line;
            bytes += line.size();
        }
        out.flush();
        if (!out) return failed(fresh);
    }
    std::error_code error;
    std::filesystem::rename(fresh, path_, error);
    if (error) return Error{Errc::unavailable, path_ + ": " + error.message()};
    bytes_ = rewritten_ = bytes;
    return {};
}

}  // namespace postern::outbound

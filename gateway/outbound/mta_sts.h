// MTA-STS (RFC 8461): a domain says over HTTPS which servers take its mail, and that they do so
// under TLS with a valid certificate.
#pragma once

#include "gateway/config/current.h"
#include "gateway/dns/resolver.h"
#include "gateway/net/awaitable.h"
#include "gateway/net/work_pool.h"
#include "protocols/base/result.h"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::outbound {

inline constexpr std::size_t max_sts_policy_bytes = 64 * 1024;  // RFC 8461 section 3.3
inline constexpr std::size_t max_sts_patterns = 1000;
inline constexpr std::chrono::seconds max_sts_age{31'557'600};  // section 3.2
inline constexpr std::size_t max_sts_domains = 10'000;          // remembered
// A domain whose policy could not be fetched is asked again only after this.
inline constexpr std::chrono::minutes sts_retry{5};

struct StsPolicy {
    enum class Mode : std::uint8_t { none, testing, enforce };
    Mode mode = Mode::none;
    std::chrono::seconds max_age{0};
    std::vector<std::string> patterns;  // "mx.example.org", "*.example.org"; lower case

    bool allows(std::string_view host) const;  // section 4.1
};

// The text of a policy. Errors: invalid.
Result<StsPolicy> parse_sts_policy(std::string_view text);
// The id in the records of _mta-sts.DOMAIN; nullopt: none, or several (section 3.1).
std::optional<std::string> sts_id(const std::vector<std::string>& records);

// Thread rule: coroutines on any core.
class StsPolicies {
public:
    StsPolicies(const config::Current& config, dns::Resolver& resolver, net::WorkPool& pool)
        : config_(config), resolver_(resolver), pool_(pool) {}

    // The policy that holds for mail to the domain; nullptr: none. What was fetched is kept in
    // memory for its max_age, and holds also while the domain cannot be asked.
    net::Awaitable<std::shared_ptr<const StsPolicy>> find(std::string domain);

    // Fetches under way end soon, and no new ones begin. Any thread.
    void shut_down() { stop_ = true; }

private:
    using Clock = std::chrono::steady_clock;
    struct Known {
        std::string id;
        std::shared_ptr<const StsPolicy> policy;  // nullptr: it could not be fetched
        Clock::time_point until;                  // it holds, or is not asked for, so long
    };

    std::optional<Known> known(const std::string& domain);
    void remember(const std::string& domain, Known known);
    net::Awaitable<Result<StsPolicy>> fetch(std::string domain);

    const config::Current& config_;
    dns::Resolver& resolver_;
    net::WorkPool& pool_;
    std::atomic<bool> stop_{false};
    std::mutex mutex_;
    std::map<std::string, Known> known_;
};

}  // namespace postern::outbound

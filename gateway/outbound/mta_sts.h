// MTA-STS (RFC 8461): a domain says over HTTPS which servers take its mail, and that they do so
// under TLS with a valid certificate.
#pragma once

#include "gateway/config/current.h"
#include "gateway/dns/resolver.h"
#include "gateway/net/awaitable.h"
#include "gateway/net/work_pool.h"
#include "gateway/outbound/sts_file.h"
#include "protocols/base/result.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace postern::outbound {

// A domain whose policy could not be fetched is asked again only after this.
inline constexpr std::chrono::minutes sts_retry{5};

// Thread rule: coroutines on any core.
class StsPolicies {
public:
    // What the file holds goes on to hold; one that cannot be read is a line in the log.
    StsPolicies(const config::Current& config, dns::Resolver& resolver, net::WorkPool& pool,
                std::string file);

    // The policy that holds for mail to the domain; nullptr: none. What was fetched is kept for its
    // max_age, also over a restart, and holds also while the domain cannot be asked.
    net::Awaitable<std::shared_ptr<const StsPolicy>> find(std::string domain);

    // Fetches under way end soon, and no new ones begin. Any thread.
    void shut_down() { stop_ = true; }

private:
    std::optional<StsKnown> known(const std::string& domain);
    void put(const std::string& domain, StsKnown known);  // under mutex_
    net::Awaitable<void> keep(std::string domain, StsKnown known);
    std::shared_ptr<const StsPolicy> not_fetched(const std::string& domain, const std::string& id);
    net::Awaitable<Result<StsPolicy>> fetch(std::string domain);

    const config::Current& config_;
    dns::Resolver& resolver_;
    net::WorkPool& pool_;
    std::atomic<bool> stop_{false};
    std::mutex mutex_;
    StsKnownMap known_;
    std::mutex file_mutex_;  // taken before mutex_
    StsFile file_;
};

}  // namespace postern::outbound

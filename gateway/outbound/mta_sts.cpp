#include "gateway/outbound/mta_sts.h"

#include "gateway/clock/wall_clock.h"
#include "gateway/https/fetch.h"
#include "gateway/log/log.h"
#include "protocols/wire/text.h"

#include <algorithm>

namespace postern::outbound {

StsPolicies::StsPolicies(const config::Current& config, dns::Resolver& resolver,
                         net::WorkPool& pool, std::string file)
    : config_(config), resolver_(resolver), pool_(pool), file_(std::move(file)) {
    auto loaded = file_.load(wall_clock());
    if (loaded)
        known_ = std::move(*loaded);
    else
        logging::warning("MTA-STS policies not read", {{"error", loaded.error().text}});
}

std::optional<StsKnown> StsPolicies::known(const std::string& domain) {
    std::lock_guard lock(mutex_);
    const auto found = known_.find(domain);
    if (found == known_.end()) return std::nullopt;
    if (wall_clock() < found->second.until) return found->second;
    known_.erase(found);
    return std::nullopt;
}

void StsPolicies::put(const std::string& domain, StsKnown known) {
    if (known_.size() >= max_sts_domains) {
        const auto now = wall_clock();
        std::erase_if(known_, [&](const auto& each) { return each.second.until <= now; });
        if (known_.size() >= max_sts_domains) known_.erase(known_.begin());
    }
    known_[domain] = std::move(known);
}

// The file is written on the pool: it may be a large one.
net::Awaitable<void> StsPolicies::keep(std::string domain, StsKnown known) {
    {
        std::lock_guard lock(mutex_);
        put(domain, known);
    }
    const auto job = [this, domain, known] {
        std::lock_guard file_lock(file_mutex_);
        StsKnownMap all;
        {
            std::lock_guard lock(mutex_);
            all = known_;
        }
        const auto written = file_.add(domain, known, all);
        if (!written) {
            logging::warning("MTA-STS policy not kept", {{"error", written.error().text}});
        }
        return 0;
    };
    co_await pool_.run(job);
}

net::Awaitable<std::shared_ptr<const StsPolicy>> StsPolicies::find(std::string domain) {
    const auto before = known(domain);
    const auto held = before ? before->policy : nullptr;
    const auto records = co_await resolver_.txt("_mta-sts." + domain);
    const auto id = records ? sts_id(*records) : std::nullopt;
    if (!id || stop_) co_return held;
    const auto now = wall_clock();
    // RFC 8461 section 3.3: in time, or who cuts us off from the web server waits for the end.
    const bool lasts = before && (!held || now < before->until - held->max_age / 2);
    if (lasts && before->id == *id) co_return held;
    if (before && before->failed_id == *id && now < before->again) co_return held;
    auto fetched = co_await fetch(domain);
    if (!fetched) {
        logging::info("MTA-STS policy not fetched",
                      {{"domain", domain}, {"reason", fetched.error().text}});
        co_return not_fetched(domain, *id);
    }
    auto policy = std::make_shared<const StsPolicy>(std::move(*fetched));
    StsKnown fresh{*id, policy, wall_clock() + policy->max_age};
    co_await keep(std::move(domain), std::move(fresh));
    co_return policy;
}

// The policy that holds all the same, if there is one: an older one, or what another message was
// given meanwhile. The next message need not wait again.
std::shared_ptr<const StsPolicy> StsPolicies::not_fetched(const std::string& domain,
                                                          const std::string& id) {
    const auto now = wall_clock();
    std::lock_guard lock(mutex_);
    const auto found = known_.find(domain);
    const bool holds = found != known_.end() && found->second.policy && now < found->second.until;
    if (!holds) {
        put(domain, {id, nullptr, now + sts_retry});
        return nullptr;
    }
    found->second.failed_id = id;
    found->second.again = now + sts_retry;
    return found->second.policy;
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
    const auto type = wire::lower_case((*document)->content_type);
    if (type != "text/plain" && !type.starts_with("text/plain;")) {
        co_return Error{Errc::invalid, "MTA-STS policy: not text/plain"};
    }
    co_return parse_sts_policy((*document)->body);
}

}  // namespace postern::outbound

#include "appliance/cli/commands.h"
#include "appliance/cli/daemon.h"
#include "appliance/cli/filter_access.h"
#include "appliance/cli/findings.h"
#include "appliance/cli/machine_checks.h"
#include "appliance/cli/sizes.h"
#include "appliance/cli/terminal.h"
#include "gateway/health/records.h"
#include "store/mail/pools.h"
#include "store/queue/queue.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>

namespace postern::cli {

using health::Finding;
using health::Level;
using nlohmann::json;

namespace {

constexpr double full_pool_share = 0.8;
// A screen should come at once, also where no name server answers.
constexpr std::chrono::milliseconds dns_timeout{3000};

bool is_nearly_full(std::uint64_t used, std::uint64_t limit) {
    return limit != 0 && static_cast<double>(used) >= full_pool_share * static_cast<double>(limit);
}

// How many pools are nearly full.
Result<void> pool_facts(StoreAccess& store, json& facts) {
    const auto all = mail::Pools(*store.kv).list();
    if (!all) return all.error();
    std::size_t full = 0;
    for (const auto& pool : *all) {
        const auto members = mail::Pools(*store.kv).members(pool.number);
        if (!members) return members.error();
        if (members->empty() || pool.limits == mail::PoolLimits{}) continue;
        const auto roots = store.mail->quota(members->front());
        if (!roots) return roots.error();
        for (const auto& root : *roots) {
            if (root.name == pool.name && (is_nearly_full(root.used_bytes, root.hard_bytes) ||
                                           is_nearly_full(root.used_messages, root.max_messages))) {
                ++full;
            }
        }
    }
    facts = {{"count", all->size()}, {"over_80_percent", full}};
    return {};
}

Result<void> queue_facts(StoreAccess& store, json& facts) {
    std::size_t damaged = 0;
    const auto all = queue::Queue(*store.kv).all(&damaged);
    if (!all) return all.error();
    std::uint64_t oldest_s = 0;
    if (!all->empty()) {
        const auto age = std::max<std::int64_t>(0, (now() - all->front().queued_at).count());
        oldest_s = static_cast<std::uint64_t>(age) / 1000;
    }
    facts = {{"messages", all->size()}, {"oldest_s", oldest_s}, {"damaged", damaged}};
    return {};
}

// What the store alone tells.
Result<void> store_facts(const config::Config& config, json& facts) {
    auto& store_part = facts["store"];
    store_part["data_dir"] = config.data_dir;
    std::error_code ignored;
    store_part["exists"] = std::filesystem::exists(config.store_folder(), ignored);
    if (!store_part["exists"]) return {};
    auto store = open_mail(config, Opening::existing);
    if (!store) return store.error();
    auto domains = (*store)->directory.domains();
    if (!domains) return domains.error();
    auto users = (*store)->directory.users("");
    if (!users) return users.error();
    store_part["domains"] = domains->size();
    store_part["users"] = users->size();
    if (auto done = pool_facts(**store, facts["pools"]); !done) return done;
    return queue_facts(**store, facts["queue"]);
}

Result<void> filter_facts(const config::Config& config, json& facts) {
    auto models = load_models(config);
    if (!models) return models.error();
    const auto stats = (*models)->stats();
    facts["trained_ham"] = stats.ham;
    facts["trained_spam"] = stats.spam;
    facts["features"] = stats.features;
    facts["bytes"] = stats.bytes;
    return {};
}

Finding judge_dns(const config::Config& config) {
    auto resolver = dns::Resolver::make({config.dns.servers, "", dns_timeout});
    if (!resolver) return {"dns", Level::bad, resolver.error().text, "see dns.servers"};
    const auto found = health::ask_by(**resolver)->addresses(config.hostname);
    (*resolver)->shut_down();
    if (!found) {
        return {"dns", Level::warning, config.hostname + ": " + found.error().text,
                "mail to other servers waits until names resolve; see dns.servers"};
    }
    const auto count = std::to_string(found->numeric.size());
    return {"dns", Level::good, "answers; " + config.hostname + " has " + count + " addresses",
            found->numeric.empty() ? "postern doctor looks at all records" : ""};
}

Finding judge_pools(const json& pools) {
    const auto full = pools.value("over_80_percent", std::uint64_t{0});
    return {"pools", full > 0 ? Level::warning : Level::good,
            std::to_string(full) + " of " + std::to_string(pools.value("count", std::uint64_t{0})) +
                " are over 80 % full",
            full > 0 ? "see which: postern pool list" : ""};
}

std::vector<Finding> judge(const config::Config& config, const json& facts) {
    std::vector<Finding> all;
    if (facts["running"]) {
        all = check_listeners(
            facts["daemon"]["listeners"].get<std::map<std::string, std::vector<std::string>>>());
    } else {
        all.push_back(daemon_missing(config));
    }
    if (facts.contains("queue")) {
        all.push_back(health::judge_queue(facts["queue"]["messages"], facts["queue"]["oldest_s"]));
    }
    all.push_back(health::judge_disk(health::disk_of(config.data_dir), config.data_dir));
    if (facts.contains("pools")) all.push_back(judge_pools(facts["pools"]));
    const auto& filter = facts["filter"];
    all.push_back(health::judge_learning(filter.value("jobs_applied", std::uint64_t{0}),
                                         filter.value("jobs_logged", std::uint64_t{0}),
                                         filter.value("trained_ham", std::uint64_t{0}),
                                         filter.value("trained_spam", std::uint64_t{0})));
    all.push_back(check_certificate(config));
    all.push_back(judge_dns(config));
    all.push_back(health::check_clock());
    return all;
}

// A certificate that ends soon is bad, but mail still flows.
bool mail_flows(const std::vector<Finding>& findings) {
    return std::none_of(findings.begin(), findings.end(), [](const Finding& each) {
        const auto& area = each.area;
        return each.level == Level::bad &&
               (area == "daemon" || area == "listener" || area == "disk");
    });
}

std::string period(std::uint64_t seconds) {
    if (seconds < 120) return std::to_string(seconds) + " s";
    if (seconds < 2 * 3600) return std::to_string(seconds / 60) + " minutes";
    if (seconds < 48 * 3600) return std::to_string(seconds / 3600) + " hours";
    return std::to_string(seconds / 86400) + " days";
}

std::string screen(const Context& context, const json& facts,
                   const std::vector<Finding>& findings) {
    const bool flows = facts["mail_flows"];
    std::string text = "postern " POSTERN_VERSION ", " + harmless(context.config.hostname) + ": " +
                       (flows ? coloured("mail flows", Colour::green)
                              : coloured("mail does NOT flow", Colour::red)) +
                       "\n\n";
    if (facts["running"]) {
        const auto& daemon = facts["daemon"];
        const auto& messages = daemon["messages"];
        const auto& sessions = daemon["sessions"];
        text += "up " + period(daemon["uptime_s"]) + "; " + messages["accepted"].dump() +
                " messages accepted, " + messages["spam"].dump() + " of them spam, " +
                messages["failed"].dump() + " failed here\nsessions: smtp " +
                sessions["smtp"]["connections"].dump() + ", imap " +
                sessions["imap"]["connections"].dump() + ", pop3 " +
                sessions["pop3"]["connections"].dump() + "; sent on " +
                daemon["outbound"]["delivered"].dump() + ", bounced " +
                daemon["outbound"]["bounced"].dump() + "\n";
    }
    const auto& store = facts["store"];
    if (store.contains("users")) {
        text += store["domains"].dump() + " domains, " + store["users"].dump() + " users\n";
    }
    return text + "\n" + text_of(findings);
}

int status(Context& context) {
    const auto& config = context.config;
    json facts{{"version", POSTERN_VERSION}};
    const auto daemon = daemon_status(config);
    facts["running"] = daemon.has_value();
    if (daemon) {
        facts["daemon"] = json::parse(*daemon, nullptr, false);
        if (facts["daemon"].is_discarded()) {
            return fail(exit_unavailable, "the daemon's answer is not JSON",
                        "is it of the same version? see: postern --version");
        }
    }
    if (auto done = store_facts(config, facts); !done) return fail(done.error());
    if (daemon && facts["daemon"].contains("filter")) {
        facts["filter"] = std::move(facts["daemon"]["filter"]);
        facts["daemon"].erase("filter");
    } else if (auto done = filter_facts(config, facts["filter"]); !done) {
        return fail(done.error());
    }
    const auto findings = judge(config, facts);
    facts["mail_flows"] = mail_flows(findings);
    facts["findings"] = json_of(findings);
    if (context.json)
        print_json(facts);
    else
        print_styled(screen(context, facts, findings));
    return exit_ok;
}

}  // namespace

void add_status(CLI::App& app, Action& chosen) {
    auto* command = app.add_subcommand("status", "Say on one screen whether mail flows.");
    command->footer(
        "Listeners, queue, disk, pools, filter, certificate, DNS and clock, each with what to do\n"
        "where something is wrong. Works with and without a daemon; postern doctor looks closer.\n"
        "The exit status is 0 in both cases: look at mail_flows of --json.\n\n"
        "Example:\n"
        "  postern status --json");
    command->callback([&chosen] { chosen = status; });
}

}  // namespace postern::cli

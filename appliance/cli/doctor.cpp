#include "appliance/cli/choose.h"
#include "appliance/cli/commands.h"
#include "appliance/cli/daemon.h"
#include "appliance/cli/domain_plan.h"
#include "appliance/cli/findings.h"
#include "appliance/cli/machine_checks.h"
#include "appliance/cli/store_access.h"
#include "appliance/cli/terminal.h"
#include "gateway/health/records.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <memory>

namespace postern::cli {

using health::Finding;
using health::Level;

namespace {

struct DoctorOptions {
    std::vector<std::string> domains;
    bool no_dns = false;
};

void add(std::vector<Finding>& all, std::vector<Finding> more) {
    all.insert(all.end(), std::make_move_iterator(more.begin()),
               std::make_move_iterator(more.end()));
}

void look_at_daemon(const config::Config& config, std::vector<Finding>& findings) {
    const auto text = daemon_status(config);
    if (!text) {
        findings.push_back(daemon_missing(config));
        return;
    }
    findings.push_back({"daemon", Level::good, "runs", ""});
    const auto facts = nlohmann::json::parse(*text, nullptr, false);
    if (!facts.is_object() || !facts.contains("listeners")) return;
    add(findings,
        check_listeners(facts["listeners"].get<std::map<std::string, std::vector<std::string>>>()));
}

// Errors: those of the resolver's making, and of reading a DKIM key.
Result<void> look_at_dns(const config::Config& config, const std::vector<std::string>& domains,
                         std::vector<Finding>& findings) {
    auto resolver = dns::Resolver::make(
        {config.dns.servers, "", std::chrono::milliseconds(config.dns.timeout_ms)});
    if (!resolver) return resolver.error();
    const auto questions = health::ask_by(**resolver);
    add(findings, health::check_host(*questions, config.hostname));
    ProgressBar bar("DNS", "domains");
    std::uint64_t done = 0;
    for (const auto& domain : domains) {
        bar.update(done, domains.size(), done);
        ++done;
        const auto plan = plan_of(config, domain);
        if (!plan) return plan.error();
        add(findings, health::check_domain(*questions, *plan));
    }
    (*resolver)->shut_down();
    return {};
}

// What is sent to such an address is learned and kept nowhere, so that its mailbox stays empty.
Result<void> look_at_report_addresses(const config::Config& config, directory::Directory& directory,
                                      std::vector<Finding>& findings) {
    for (const auto* addresses : {&config.filter.report_spam, &config.filter.report_ham}) {
        for (const std::string& address : *addresses) {
            const auto user = directory.find(address);
            if (!user) return user.error();
            if (!*user) continue;
            findings.push_back({"report address", Level::bad,
                                address + " has a mailbox that gets no mail: what users send "
                                          "there is learned, and others are refused",
                                "take another address in filter.report_spam and report_ham"});
        }
    }
    return {};
}

int doctor(Context& context, const DoctorOptions& options) {
    const auto& config = context.config;
    std::vector<Finding> findings;
    look_at_daemon(config, findings);
    add(findings, check_permissions(config));
    findings.push_back(health::judge_disk(health::disk_of(config.data_dir), config.data_dir));
    findings.push_back(check_disk_speed(config.data_dir));
    findings.push_back(check_certificate(config));
    findings.push_back(health::check_clock());
    auto domains = options.domains;
    auto store = open_store(config, Opening::existing);
    if (store) {
        const auto looked = look_at_report_addresses(config, (*store)->directory, findings);
        if (!looked) return fail(looked.error());
    }
    // Before the set-up there is none: said above, and no reason to keep quiet about the rest.
    if (!store && !no_store_yet(config)) {
        findings.push_back(
            {"store", Level::bad, store.error().text, "is this root, or the gateway's user?"});
    }
    if (domains.empty() && store) {
        auto all = (*store)->directory.domains();
        if (!all) return fail(all.error());
        domains = std::move(*all);
    }
    if (!options.no_dns) {
        const auto looked = look_at_dns(config, domains, findings);
        if (!looked) findings.push_back({"dns", Level::bad, looked.error().text, ""});
    }
    const auto level = health::worst(findings);
    if (context.json) {
        print_json({{"level", health::to_string(level)}, {"findings", json_of(findings)}});
    } else {
        print_styled(text_of(findings));
    }
    return level == Level::bad ? exit_failure : exit_ok;
}

}  // namespace

void add_doctor(CLI::App& app, Action& chosen) {
    auto options = std::make_shared<DoctorOptions>();
    auto* command = app.add_subcommand("doctor", "Look for what is wrong, and say how to mend it.");
    command->add_option("domain", options->domains, "Domains to look at. Default: all of them.")
        ->type_name("DOMAIN...");
    command->add_flag("--no-dns", options->no_dns, "Ask no name server.");
    command->footer(
        "Looks at the daemon and each listener, permissions of keys and mail, free space and\n"
        "speed of the disk, the certificate, the clock, addresses for reports of spam, and in the\n"
        "DNS at the host's address and PTR and at MX, SPF, DKIM, DMARC and MTA-STS of each\n"
        "domain. Changes nothing; writes one small file to measure the disk.\n\n"
        "Exit status: 0 all is well or could be better, 1 something is bad.\n\n"
        "Example:\n"
        "  postern doctor\n"
        "  postern doctor example.org --json");
    choose(*command, chosen, options, doctor);
}

}  // namespace postern::cli

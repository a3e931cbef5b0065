#include "appliance/cli/choose.h"
#include "appliance/cli/commands.h"
#include "appliance/cli/domain_plan.h"
#include "appliance/cli/store_access.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <memory>

namespace postern::cli {

namespace {

int domain_add(Context& context, const std::string& domain) {
    auto store = open_store(context.config, Opening::create);
    if (!store) return fail(store.error());
    if (auto done = (*store)->directory.add_domain(domain); !done) return fail(done.error());
    return exit_ok;
}

int domain_remove(Context& context, const std::string& domain) {
    auto store = open_store(context.config, Opening::existing);
    if (!store) return fail(store.error());
    auto done = (*store)->directory.remove_domain(domain);
    if (done) return exit_ok;
    return fail(done.error(), done.error().code == Errc::conflict
                                  ? "see them with: postern user list " + domain
                                  : std::string());
}

int domain_list(Context& context) {
    auto store = open_store(context.config, Opening::existing);
    if (!store) return fail(store.error());
    auto domains = (*store)->directory.domains();
    if (!domains) return fail(domains.error());
    if (context.json) {
        print_json(nlohmann::json{{"domains", *domains}});
        return exit_ok;
    }
    for (const auto& domain : *domains) print(domain + "\n");
    return exit_ok;
}

// Without a look at the DNS: what should be there.
int records(Context& context, const std::string& domain) {
    const auto plan = plan_of(context.config, domain);
    if (!plan) return fail(plan.error());
    const auto all = health::records_of(*plan);
    if (context.json) {
        auto rows = nlohmann::json::array();
        for (const auto& each : all) {
            rows.push_back({{"name", each.name}, {"type", each.type}, {"value", each.value}});
        }
        print_json({{"records", std::move(rows)}});
        return exit_ok;
    }
    for (const auto& each : all) print(health::to_string(each) + "\n");
    return exit_ok;
}

}  // namespace

void add_domain(CLI::App& app, Action& chosen) {
    auto* group = app.add_subcommand("domain", "The domains that mail is accepted for.");
    group->require_subcommand(1);
    group->footer(
        "Example:\n"
        "  postern domain add example.org\n"
        "  postern domain list --json");
    auto name = std::make_shared<std::string>();
    const auto with_name = [&](const char* command, const char* help,
                               int (*run)(Context&, const std::string&)) {
        auto* sub = add_command(*group, command, help, name, chosen, run);
        in_ascii(sub->add_option("DOMAIN", *name, "Domain name, any case."))->required();
    };
    with_name("add", "Accept mail for a domain.", domain_add);
    with_name("remove", "Stop accepting mail for a domain. It must have no users left.",
              domain_remove);
    with_name("records", "Print the DNS records that a domain wants, as a zone file has them.",
              records);
    group->add_subcommand("list", "List the domains, one a line.")->callback([&chosen] {
        chosen = domain_list;
    });
}

}  // namespace postern::cli

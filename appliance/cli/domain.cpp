#include "appliance/cli/commands.h"
#include "appliance/cli/store_access.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <memory>

namespace postern::cli {

namespace {

int add(Context& context, const std::string& domain) {
    auto store = open_store(context.config, Opening::create);
    if (!store) return fail(store.error());
    if (auto done = (*store)->directory.add_domain(domain); !done) return fail(done.error());
    return exit_ok;
}

int remove(Context& context, const std::string& domain) {
    auto store = open_store(context.config, Opening::existing);
    if (!store) return fail(store.error());
    auto done = (*store)->directory.remove_domain(domain);
    if (done) return exit_ok;
    return fail(done.error(), done.error().code == Errc::conflict
                                  ? "see them with: postern user list " + domain
                                  : std::string());
}

int list(Context& context) {
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
        auto* sub = group->add_subcommand(command, help);
        sub->add_option("DOMAIN", *name, "Domain name in ASCII, any case.")->required();
        sub->callback([&chosen, name, run] {
            chosen = [name, run](Context& context) { return run(context, *name); };
        });
    };
    with_name("add", "Accept mail for a domain.", add);
    with_name("remove", "Stop accepting mail for a domain. It must have no users left.", remove);
    group->add_subcommand("list", "List the domains, one a line.")->callback([&chosen] {
        chosen = list;
    });
}

}  // namespace postern::cli

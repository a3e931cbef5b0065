#include "appliance/cli/choose.h"
#include "appliance/cli/commands.h"
#include "appliance/cli/store_access.h"
#include "gateway/addresses/resolver.h"
#include "store/directory/aliases.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <memory>

namespace postern::cli {

namespace {

struct AliasOptions {
    std::string source;
    std::vector<std::string> targets;
    std::string domain;
};

std::vector<std::string> in_ascii(const std::vector<std::string>& addresses) {
    std::vector<std::string> out;
    for (const auto& address : addresses) out.push_back(addresses::ascii_address(address));
    return out;
}

int alias_add(Context& context, const AliasOptions& options) {
    auto store = open_store(context.config, Opening::create);
    if (!store) return fail(store.error());
    directory::Aliases aliases(*(*store)->kv);
    const auto added =
        aliases.add(addresses::ascii_address(options.source), in_ascii(options.targets));
    if (added) return exit_ok;
    const bool no_domain = added.error().code == Errc::not_found;
    return fail(added.error(), no_domain ? "postern domain add DOMAIN makes it one of yours" : "");
}

int alias_remove(Context& context, const AliasOptions& options) {
    auto store = open_store(context.config, Opening::existing);
    if (!store) return fail(store.error());
    directory::Aliases aliases(*(*store)->kv);
    const auto removed =
        aliases.remove(addresses::ascii_address(options.source), in_ascii(options.targets));
    return removed ? exit_ok : fail(removed.error(), "postern alias list shows them");
}

int alias_list(Context& context, const AliasOptions& options) {
    auto store = open_store(context.config, Opening::existing);
    if (!store) return fail(store.error());
    directory::Aliases aliases(*(*store)->kv);
    const auto domain = addresses::ascii_address("@" + options.domain).substr(1);
    const auto all = aliases.list(domain);
    if (!all) return fail(all.error());
    if (context.json) {
        auto rows = nlohmann::json::array();
        for (const auto& alias : *all) {
            rows.push_back({{"address", alias.source}, {"targets", alias.targets}});
        }
        print_json(nlohmann::json{{"aliases", rows}});
        return exit_ok;
    }
    for (const auto& alias : *all) {
        for (const auto& target : alias.targets) print(alias.source + " -> " + target + "\n");
    }
    return exit_ok;
}

constexpr const char* alias_footer =
    "An alias of a mailbox's own address replaces the mailbox, unless the address is among its "
    "own\n"
    "targets. Targets may be aliases, too; a circle is refused. Mail to NAME+ANYTHING@DOMAIN goes "
    "to\n"
    "NAME@DOMAIN by itself. The domain must be one of yours (postern domain add).\n"
    "\n"
    "Examples:\n"
    "  postern alias add sales@example.org ann@example.org bob@example.com\n"
    "  postern alias add ann@example.org ann@example.org bob@example.org   keep, and send a copy\n"
    "  postern alias add @example.org ann@example.org                      catch-all\n"
    "  postern alias add @old.example @example.org                         alias domain\n"
    "  postern alias remove sales@example.org bob@example.com\n"
    "  postern alias list --json";

}  // namespace

void add_alias(CLI::App& app, Action& chosen) {
    auto* group = app.add_subcommand("alias", "Addresses that stand for others.");
    group->require_subcommand(1);
    group->footer(alias_footer);
    auto options = std::make_shared<AliasOptions>();
    auto* adding = group->add_subcommand("add", "Add targets to an address.");
    adding->add_option("ADDRESS", options->source, "NAME@DOMAIN, or @DOMAIN for a whole domain.")
        ->required();
    adding->add_option("TARGET", options->targets, "Where its mail goes.")->required();
    choose(*adding, chosen, options, alias_add);
    auto* removing = group->add_subcommand("remove", "Remove targets of an address, or all of it.");
    removing->add_option("ADDRESS", options->source, "As given to add.")->required();
    removing->add_option("TARGET", options->targets, "Only these; none: all.");
    choose(*removing, chosen, options, alias_remove);
    auto* listing = group->add_subcommand("list", "List aliases, one target a line.");
    listing->add_option("DOMAIN", options->domain, "Only of this domain.");
    choose(*listing, chosen, options, alias_list);
}

}  // namespace postern::cli

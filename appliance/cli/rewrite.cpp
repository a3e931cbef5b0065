#include "appliance/cli/choose.h"
#include "appliance/cli/commands.h"
#include "appliance/cli/store_access.h"
#include "gateway/addresses/resolver.h"
#include "store/directory/rewrites.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <memory>

namespace postern::cli {

namespace {

using directory::RewriteOf;

struct RewriteOptions {
    std::string from;
    std::string to;
    bool sender = false;
    RewriteOf of() const { return sender ? RewriteOf::sender : RewriteOf::recipient; }
};

const char* kind_name(RewriteOf of) {
    return of == RewriteOf::sender ? "sender" : "recipient";
}

int rewrite_add(Context& context, const RewriteOptions& options) {
    auto store = open_store(context.config, Opening::create);
    if (!store) return fail(store.error());
    directory::Rewrites rewrites(*(*store)->kv);
    const auto added = rewrites.add(options.of(), addresses::ascii_address(options.from),
                                    addresses::ascii_address(options.to));
    if (added) return exit_ok;
    const bool there = added.error().code == Errc::exists;
    return fail(added.error(), there ? "postern rewrite remove takes it away"
                                     : "postern rewrite list shows the rules there are");
}

int rewrite_remove(Context& context, const RewriteOptions& options) {
    auto store = open_store(context.config, Opening::existing);
    if (!store) return fail(store.error());
    directory::Rewrites rewrites(*(*store)->kv);
    const auto removed = rewrites.remove(options.of(), addresses::ascii_address(options.from));
    return removed ? exit_ok : fail(removed.error(), "postern rewrite list shows them");
}

int rewrite_list(Context& context, const RewriteOptions&) {
    auto store = open_store(context.config, Opening::existing);
    if (!store) return fail(store.error());
    const auto all = directory::Rewrites(*(*store)->kv).list();
    if (!all) return fail(all.error());
    if (context.json) {
        auto rows = nlohmann::json::array();
        for (const auto& rule : *all) {
            rows.push_back({{"of", kind_name(rule.of)}, {"from", rule.from}, {"to", rule.to}});
        }
        print_json(nlohmann::json{{"rules", rows}});
        return exit_ok;
    }
    for (const auto& rule : *all) {
        print(std::string(kind_name(rule.of)) + "  " + rule.from + " -> " + rule.to + "\n");
    }
    return exit_ok;
}

int rewrite_test(Context& context, const RewriteOptions& options) {
    auto store = open_store(context.config, Opening::existing);
    if (!store) return fail(store.error());
    directory::Rewrites rewrites(*(*store)->kv);
    const auto address = addresses::ascii_address(options.from);
    const auto done = rewrites.apply(options.of(), address);
    if (!done) return fail(done.error());
    if (context.json) {
        print_json({{"address", address},
                    {"becomes", done->address},
                    {"steps", done->steps},
                    {"circle", done->circle}});
        return exit_ok;
    }
    print(address);
    for (const auto& step : done->steps) print(" -> " + step);
    if (done->steps.empty()) print("  (no rule fits)");
    print(done->circle ? "  (the rules go on in a circle: this is where it ends)\n" : "\n");
    return exit_ok;
}

constexpr const char* rewrite_footer =
    "FROM is an address, @DOMAIN (to another @DOMAIN: the same name over there), or an address "
    "with '*'\n"
    "for any text without '@'; in TO, $1 is what the first '*' stood for. Addresses go before "
    "domains,\n"
    "domains before '*', of those the one with the most letters first; the outcome is looked at "
    "again. A\n"
    "rule from an address to itself keeps it from all others. A circle is refused.\n"
    "Recipients are rewritten before aliases and mailboxes are looked up. Senders (--sender) are "
    "those of\n"
    "users who log in: MAIL FROM, and From, Sender and Reply-To of the message.\n"
    "\n"
    "Examples:\n"
    "  postern rewrite add @old.example @example.org\n"
    "  postern rewrite add '*-info@*.example.org' 'info-$1@example.org'\n"
    "  postern rewrite add --sender '*@*.lan.example.org' '$1@example.org'\n"
    "  postern rewrite test ann@old.example\n"
    "  postern rewrite remove @old.example\n"
    "  postern rewrite list --json";

}  // namespace

void add_rewrite(CLI::App& app, Action& chosen) {
    auto* group = app.add_subcommand("rewrite", "Addresses that become others.");
    group->require_subcommand(1);
    group->footer(rewrite_footer);
    auto options = std::make_shared<RewriteOptions>();
    const auto senders = [options](CLI::App* sub) {
        sub->add_flag("--sender", options->sender, "Of senders; without it, of recipients.");
    };
    auto* adding = group->add_subcommand("add", "Add a rule.");
    adding->add_option("FROM", options->from, "NAME@DOMAIN, @DOMAIN, or NAME@DOMAIN with '*'.")
        ->required();
    adding->add_option("TO", options->to, "What it becomes.")->required();
    senders(adding);
    choose(*adding, chosen, options, rewrite_add);
    auto* removing = group->add_subcommand("remove", "Remove a rule.");
    removing->add_option("FROM", options->from, "As given to add.")->required();
    senders(removing);
    choose(*removing, chosen, options, rewrite_remove);
    auto* listing = group->add_subcommand("list", "List the rules, in the order they are tried.");
    choose(*listing, chosen, options, rewrite_list);
    auto* testing = group->add_subcommand("test", "Show what becomes of an address.");
    testing->add_option("ADDRESS", options->from, "The address.")->required();
    senders(testing);
    choose(*testing, chosen, options, rewrite_test);
}

}  // namespace postern::cli

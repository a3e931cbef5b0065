#include "gateway/auth/app_password.h"
#include "gateway/auth/scram.h"

#include "appliance/cli/choose.h"
#include "appliance/cli/commands.h"
#include "appliance/cli/store_access.h"
#include "store/directory/credentials.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <functional>
#include <memory>
#include <utility>

namespace postern::cli {

namespace {

struct AppPasswordOptions {
    std::string address;
    std::string name;
};

int with_account(Context& context, const AppPasswordOptions& options,
                 const std::function<int(directory::Credentials&, AccountId)>& run) {
    auto store = open_store(context.config, Opening::existing);
    if (!store) return fail(store.error());
    const auto known = (*store)->directory.find(options.address);
    if (!known) return fail(known.error());
    if (!known->has_value()) {
        return fail(exit_failure, options.address + ": no such user",
                    "postern user list shows them");
    }
    directory::Credentials credentials(*(*store)->kv);
    return run(credentials, (*known)->id);
}

int app_password_add(Context& context, const AppPasswordOptions& options) {
    return with_account(context, options, [&](directory::Credentials& credentials, AccountId id) {
        const auto secret = auth::make_app_password();
        const auto salt = credentials.scram_salt(id);
        if (!salt) return fail(salt.error());
        directory::AppPassword made{options.name, auth::app_password_hash(secret), now()};
        if (salt->empty())
            note("not by SCRAM: only those made after the next postern user passwd");
        else
            made.scram = auth::make_scram_keys(secret, *salt);
        const auto added = credentials.add_app_password(id, std::move(made));
        if (!added) return fail(added.error());
        if (context.json)
            print_json({{"name", options.name}, {"password", secret}});
        else
            print(secret + "\n");
        return exit_ok;
    });
}

int app_password_remove(Context& context, const AppPasswordOptions& options) {
    return with_account(context, options, [&](directory::Credentials& credentials, AccountId id) {
        const auto removed = credentials.remove_app_password(id, options.name);
        return removed ? exit_ok : fail(removed.error(), "postern app-password list shows them");
    });
}

int app_password_list(Context& context, const AppPasswordOptions& options) {
    return with_account(context, options, [&](directory::Credentials& credentials, AccountId id) {
        const auto all = credentials.app_passwords(id);
        if (!all) return fail(all.error());
        auto rows = nlohmann::json::array();
        for (const auto& each : *all) {
            rows.push_back({{"name", each.name}, {"created_unix_ms", to_unix_ms(each.created)}});
            if (!context.json) print(each.name + "\n");
        }
        if (context.json) print_json({{"app_passwords", rows}});
        return exit_ok;
    });
}

constexpr const char* app_password_footer =
    "A password for one device or program, beside the user's own. It is made here and shown once.\n"
    "\n"
    "Examples:\n"
    "  postern app-password add ann@example.org phone\n"
    "  postern app-password list ann@example.org --json\n"
    "  postern app-password remove ann@example.org phone";

}  // namespace

void add_app_password(CLI::App& app, Action& chosen) {
    auto* group = app.add_subcommand("app-password", "Passwords for single devices.");
    group->require_subcommand(1);
    group->footer(app_password_footer);
    auto options = std::make_shared<AppPasswordOptions>();
    const auto command = [&](const char* name, const char* help, bool named,
                             int (*run)(Context&, const AppPasswordOptions&)) {
        auto* sub = add_command(*group, name, help, options, chosen, run);
        in_ascii(sub->add_option("ADDRESS", options->address, "The user."))->required();
        if (named) sub->add_option("NAME", options->name, "Of the device.")->required();
    };
    command("add", "Make one, and print it.", true, app_password_add);
    command("remove", "Refuse it from now on.", true, app_password_remove);
    command("list", "Their names.", false, app_password_list);
}

}  // namespace postern::cli

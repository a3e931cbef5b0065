#include "appliance/cli/cli.h"

#include "appliance/cli/acl.h"
#include "appliance/cli/commands.h"
#include "appliance/cli/machine_commands.h"
#include "appliance/cli/ownership.h"
#include "appliance/cli/rules_commands.h"
#include "gateway/config/layers.h"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <filesystem>
#include <iostream>
#include <memory>

namespace postern::cli {

namespace {

constexpr const char* main_footer =
    "Exit status:\n"
    "  0   done\n"
    "  1   failed; the message on stderr says what to do\n"
    "  64  wrong usage of the command line\n"
    "  65  the data given is not usable (an address, a message, an index)\n"
    "  69  a service or the store is not available; trying later may help\n"
    "  78  the configuration was refused\n"
    "\n"
    "Examples:\n"
    "  postern domain add example.org\n"
    "  postern user add ann@example.org\n"
    "  postern train spam ~/Maildir/.Junk\n"
    "  postern scan message.eml\n"
    "  postern --config test.yaml serve";

void add_globals(CLI::App& app, Context& context) {
    app.add_option("--config", context.config_file,
                   std::string("Configuration file. When it is not given and ") +
                       default_config_file + " is missing, every key has its default.")
        ->type_name("FILE")
        ->each([&context](const std::string&) { context.config_given = true; });
    app.add_flag("--json", context.json, "Print lists and reports as JSON.");
    app.set_version_flag("--version", std::string("postern ") + POSTERN_VERSION,
                         "Print the version.");
    // Not 1: then a mistyped command would be answered with "a subcommand is required" alone.
    app.require_subcommand(0, 1);
    app.footer(main_footer);
    app.get_formatter()->column_width(36);
}

// Global options are understood after the subcommand, too.
void fall_through(CLI::App& app) {
    for (auto* each : app.get_subcommands([](CLI::App*) { return true; })) {
        each->fallthrough();
        fall_through(*each);
    }
}

void add_commands(CLI::App& app, Action& chosen) {
    add_serve(app, chosen);
    add_setup(app, chosen);
    add_domain(app, chosen);
    add_user(app, chosen);
    add_app_password(app, chosen);
    add_alias(app, chosen);
    add_rewrite(app, chosen);
    add_queue(app, chosen);
    add_mailbox(app, chosen);
    add_acl(app, chosen);
    add_pool(app, chosen);
    add_certificate(app, chosen);
    add_backup(app, chosen);
    add_store(app, chosen);
    add_train(app, chosen);
    add_scan(app, chosen);
    add_explain(app, chosen);
    add_rules(app, chosen);
    add_evaluate(app, chosen);
    add_filter(app, chosen);
    add_status(app, chosen);
    add_doctor(app, chosen);
    add_log(app, chosen);
    add_config(app, chosen);
    add_manual(app, chosen);
    fall_through(app);
}

int load(Context& context) {
    std::error_code ignored;
    const auto layers = config::layer_files(context.config_file);
    const bool bare = layers && layers->empty();
    if (!context.config_given && bare && !std::filesystem::exists(context.config_file, ignored)) {
        auto defaults = config::parse_config("", "defaults");
        if (!defaults) return fail(exit_bad_config, defaults.error().text);
        context.config = std::move(*defaults);
        return exit_ok;
    }
    auto loaded = config::load_config(context.config_file);
    if (!loaded) {
        return fail(exit_bad_config, loaded.error().text,
                    loaded.error().code == Errc::not_found
                        ? "give the right file with --config FILE"
                        : "postern config check --config FILE tries it after a change");
    }
    context.config = std::move(*loaded);
    return exit_ok;
}

}  // namespace

int run(int argc, char** argv) {
    CLI::App app("Postern: a mail gateway that filters spam and serves what it keeps.", "postern");
    Context context;
    Action chosen;
    add_globals(app, context);
    add_commands(app, chosen);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        const bool asked_for = error.get_exit_code() == 0;
        app.exit(error, std::cout, std::cerr);
        return asked_for ? exit_ok : exit_usage;
    }
    if (!chosen) {
        std::cerr << app.help();
        return exit_usage;
    }
    if (const int loaded = load(context); loaded != exit_ok) return loaded;
    const int code = chosen(context);
    hand_to_owner(context.config.data_dir);
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
        return fail(exit_failure, "cannot write to standard output");
    }
    return code;
}

}  // namespace postern::cli

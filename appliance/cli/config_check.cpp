#include "appliance/cli/commands.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

namespace postern::cli {

namespace {

int check(Context& context) {
    const std::string file =
        context.config.file.empty() ? "no file (defaults)" : context.config.file;
    if (context.json) {
        print_json(nlohmann::json{{"file", context.config.file},
                                  {"valid", true},
                                  {"hostname", context.config.hostname},
                                  {"data_dir", context.config.data_dir}});
        return exit_ok;
    }
    print(file + ": good\nhostname " + context.config.hostname + "\ndata_dir " +
          context.config.data_dir + "\n");
    return exit_ok;
}

}  // namespace

void add_config(CLI::App& app, Action& chosen) {
    auto* group = app.add_subcommand("config", "Look at the configuration.");
    group->require_subcommand(1);
    auto* checked = group->add_subcommand("check", "Read the configuration and say what is wrong.");
    checked->footer(
        "A refused file is named with line, key and what was expected, and the exit status is "
        "78.\n\n"
        "Example:\n"
        "  postern config check --config new.yaml && systemctl reload postern");
    checked->callback([&chosen] { chosen = check; });
}

}  // namespace postern::cli

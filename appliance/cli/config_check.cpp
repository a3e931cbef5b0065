#include "appliance/cli/commands.h"
#include "appliance/cli/filter_access.h"
#include "gateway/config/layers.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

namespace postern::cli {

namespace {

int config_check(Context& context) {
    // Rules are part of the configuration: what a start or a reload would refuse is refused here.
    const auto scanner =
        make_scanner(context.config, filters::make_models(filters::min_model_bytes));
    if (!scanner) return fail(exit_bad_config, scanner.error().text);
    const std::string file =
        context.config.file.empty() ? "no file (defaults)" : context.config.file;
    const auto layers = config::layer_files(context.config_file);
    if (!layers) return fail(layers.error());
    if (context.json) {
        print_json(nlohmann::json{{"file", context.config.file},
                                  {"layers", *layers},
                                  {"valid", true},
                                  {"hostname", context.config.hostname},
                                  {"data_dir", context.config.data_dir}});
        return exit_ok;
    }
    std::string good;
    for (const auto& layer : *layers) good += layer + ": good\n";
    print(file + ": good\n" + good + "hostname " + context.config.hostname + "\ndata_dir " +
          context.config.data_dir + "\n");
    return exit_ok;
}

}  // namespace

void add_config(CLI::App& app, Action& chosen) {
    auto* group = app.add_subcommand("config", "Look at the configuration.");
    group->require_subcommand(1);
    auto* checked = group->add_subcommand("check", "Read the configuration and say what is wrong.");
    checked->footer(
        "Also reads the rules and compiles them. A refused file is named with line, key and what "
        "was\n"
        "expected, a refused rule with its name and the reason; the exit status is then 78.\n"
        "After the file come those of the folders local.d and override.d beside it, by name.\n\n"
        "Example:\n"
        "  postern config check --config new.yaml && systemctl reload postern");
    checked->callback([&chosen] { chosen = config_check; });
}

}  // namespace postern::cli

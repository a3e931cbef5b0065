#include "appliance/cli/choose.h"
#include "appliance/cli/commands.h"
#include "appliance/cli/filter_access.h"
#include "appliance/cli/report_text.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <memory>

namespace postern::cli {

namespace {

int scan(Context& context, const std::vector<std::string>& paths) {
    auto models = load_models(context.config);
    if (!models) return fail(models.error());
    auto scanner = make_scanner(context.config, *models);
    if (!scanner) return fail(exit_bad_config, scanner.error().text);
    std::size_t judged = 0;
    auto rows = nlohmann::json::array();
    auto done = judge_all(paths, **scanner, [&](Judged each) {
        if (!each.problem.empty()) {
            note(each.name + ": " + each.problem + "; skipped");
            return;
        }
        ++judged;
        if (context.json) {
            rows.push_back(to_json(each.name, each.report));
        } else {
            print_styled(summary_line(each.name, each.report) + "\n");
        }
    });
    if (!done) return fail(done.error());
    if (context.json) print_json(nlohmann::json{{"messages", std::move(rows)}});
    return judged > 0 ? exit_ok : fail(exit_bad_data, "no message could be read");
}

}  // namespace

void add_scan(CLI::App& app, Action& chosen) {
    auto* command = app.add_subcommand("scan", "Judge messages without delivering them.");
    command->footer(
        "Prints for each message its verdict (ham, unsure, spam), score, probability of spam, "
        "name\n"
        "and the symbols that fired. A path is a message file, an mbox, a Maildir or a folder of\n"
        "such. The exit status is 0 whatever the verdicts are.\n\n"
        "Example:\n"
        "  postern scan --json message.eml");
    auto paths = std::make_shared<std::vector<std::string>>();
    command->add_option("PATH", *paths, "Where the messages are.")->required();
    choose(*command, chosen, paths, scan);
}

}  // namespace postern::cli

#include "appliance/cli/choose.h"
#include "appliance/cli/report_text.h"
#include "appliance/cli/rules_commands.h"
#include "filters/checks/check.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <map>
#include <memory>

namespace postern::cli {

namespace {

struct Row {
    std::string name;
    std::string group;
    double score = 0;
    std::string where;  // target, "meta" or "built in"
    std::string description;
};

std::vector<Row> rows_of(const scan::Settings& settings, bool hidden) {
    const std::map<std::string, double> scores(settings.options.scores.begin(),
                                               settings.options.scores.end());
    const auto score = [&](const std::string& name, double usual) {
        const auto found = scores.find(name);
        return found == scores.end() ? usual : found->second;
    };
    std::vector<Row> rows;
    for (const filters::Check& each : filters::all_checks()) {
        rows.push_back(
            {each.name, each.group, score(each.name, each.score), "built in", each.description});
    }
    for (const filters::Rule& each : settings.rules) {
        if (each.is_hidden() && !hidden) continue;
        rows.push_back({each.name, each.group, score(each.name, each.score),
                        each.is_meta() ? "meta" : each.target, each.description});
    }
    return rows;
}

int rules_list(Context& context, bool hidden) {
    const auto settings = scan::settings_from(context.config);
    if (!settings) return fail(exit_bad_config, settings.error().text);
    const auto rows = rows_of(*settings, hidden);
    if (context.json) {
        auto json = nlohmann::json::array();
        for (const Row& row : rows) {
            json.push_back({{"name", row.name},
                            {"group", row.group},
                            {"score", row.score},
                            {"where", row.where},
                            {"description", row.description}});
        }
        print_json(nlohmann::json{{"rules", std::move(json)}});
        return exit_ok;
    }
    std::string text;
    for (const Row& row : rows) {
        const std::string score = decimal(row.score, 2);
        text += std::string(score.size() < 7 ? 7 - score.size() : 0, ' ') + score + "  " + row.name;
        if (row.name.size() < 28) text.append(28 - row.name.size(), ' ');
        text += "  " + row.where;
        if (row.where.size() < 16) text.append(16 - row.where.size(), ' ');
        text += "  " + row.description + "\n";
    }
    print(text);
    return exit_ok;
}

void add_list(CLI::App& group, Action& chosen) {
    auto* command = group.add_subcommand("list", "Show every rule and check with its score.");
    command->footer(
        "The scores are those in force: filter.scores of the configuration wins over the files.\n\n"
        "Example:\n"
        "  postern rules list | sort -rn | head");
    auto hidden = std::make_shared<bool>(false);
    command->add_flag("--all", *hidden, "Also the parts of meta rules, whose names begin with __.");
    choose(*command, chosen, hidden, rules_list);
}

}  // namespace

std::map<std::string, double> known_rules(const scan::Settings& settings) {
    std::map<std::string, double> known;
    for (const Row& row : rows_of(settings, true)) known[row.name] = row.score;
    return known;
}

void add_rules(CLI::App& app, Action& chosen) {
    auto* group = app.add_subcommand("rules", "List, test and import the filter's rules.");
    group->require_subcommand(1);
    add_list(*group, chosen);
    add_rules_test(*group, chosen);
    add_rules_import(*group, chosen);
}

}  // namespace postern::cli

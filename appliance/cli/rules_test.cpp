#include "appliance/cli/choose.h"
#include "appliance/cli/filter_access.h"
#include "appliance/cli/report_text.h"
#include "appliance/cli/rules_commands.h"
#include "appliance/cli/terminal.h"
#include "gateway/config/rules_file.h"
#include "gateway/mailsource/index.h"
#include "gateway/scan/from_config.h"
#include "protocols/mime/message.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <set>

namespace postern::cli {

namespace {

constexpr std::size_t max_examples = 1000;

struct RulesTestOptions {
    std::vector<std::string> words;  // rules, then the corpus
    bool examples = false;
};

struct Hits {
    double score = 0;
    std::size_t ham = 0;
    std::size_t spam = 0;
    std::vector<std::string> ham_examples;
};

struct TestRun {
    std::map<std::string, Hits> rules;
    std::size_t ham = 0;
    std::size_t spam = 0;
    std::size_t skipped = 0;
};

// "LOCAL_*" stands for all that begin so.
bool is_wanted(const std::vector<std::string>& patterns, std::string_view name) {
    return std::any_of(patterns.begin(), patterns.end(), [&](std::string_view pattern) {
        if (!pattern.ends_with('*')) return pattern == name;
        return name.starts_with(pattern.substr(0, pattern.size() - 1));
    });
}

// Rule files among the words become their rules' names; their rules are put in force, in place of
// rules of the same names.
Result<std::vector<std::string>> take_files(std::vector<std::string> words,
                                            scan::Settings& settings) {
    std::vector<std::string> names;
    for (const std::string& word : words) {
        if (!word.ends_with(".yaml")) {
            names.push_back(word);
            continue;
        }
        auto rules = config::load_rules_file(word);
        if (!rules) return rules.error();
        std::set<std::string> fresh;
        for (const auto& rule : *rules) fresh.insert(rule.name);
        std::erase_if(settings.rules, [&](const auto& rule) { return fresh.contains(rule.name); });
        for (auto& rule : *rules) {
            names.push_back(rule.name);
            settings.rules.push_back(std::move(rule));
        }
    }
    return names;
}

TestRun run(const std::vector<mailsource::IndexEntry>& entries, const scan::Scanner& scanner,
            const std::vector<std::string>& wanted) {
    TestRun run;
    ProgressBar bar("testing");
    for (std::size_t i = 0; i < entries.size(); ++i) {
        bar.update(i, entries.size(), i);
        const auto& entry = entries[i];
        const auto item = mailsource::read_message(entry.path, {});
        if (!item.problem.empty()) {
            ++run.skipped;
            note(item.name + ": " + item.problem + "; skipped");
            continue;
        }
        ++(entry.spam ? run.spam : run.ham);
        const auto report = scanner.scan(item.bytes, mime::parse(item.bytes), {}, now());
        for (const auto& symbol : report.symbols) {
            if (!is_wanted(wanted, symbol.name)) continue;
            Hits& hits = run.rules[symbol.name];
            ++(entry.spam ? hits.spam : hits.ham);
            if (!entry.spam && hits.ham_examples.size() < max_examples) {
                hits.ham_examples.push_back(item.name);
            }
        }
    }
    return run;
}

double percent(std::size_t part, std::size_t whole) {
    return whole == 0 ? 0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

// Of what it hits, how much is spam, were there as much spam as ham; below 0: nothing was hit.
double spam_share(const TestRun& run, const Hits& hits) {
    const double spam = percent(hits.spam, run.spam);
    const double ham = percent(hits.ham, run.ham);
    return spam + ham == 0 ? -1 : spam / (spam + ham);
}

void show_json(const TestRun& run, bool examples) {
    auto rows = nlohmann::json::array();
    for (const auto& [name, hits] : run.rules) {
        nlohmann::json row = {{"name", name},
                              {"score", hits.score},
                              {"ham", hits.ham},
                              {"spam", hits.spam},
                              {"ham_percent", percent(hits.ham, run.ham)},
                              {"spam_percent", percent(hits.spam, run.spam)}};
        const double share = spam_share(run, hits);
        row["spam_share"] = share < 0 ? nlohmann::json(nullptr) : nlohmann::json(share);
        if (examples) row["ham_messages"] = hits.ham_examples;
        rows.push_back(std::move(row));
    }
    print_json(nlohmann::json{{"ham", run.ham},
                              {"spam", run.spam},
                              {"skipped", run.skipped},
                              {"rules", std::move(rows)}});
}

void show_text(const TestRun& run, bool examples) {
    const auto column = [](std::string text, std::size_t width) {
        return std::string(text.size() < width ? width - text.size() : 0, ' ') + text;
    };
    std::string text = "   spam       %     ham       %  spam share   score  rule\n";
    for (const auto& [name, hits] : run.rules) {
        const double share = spam_share(run, hits);
        text += column(std::to_string(hits.spam), 7) +
                column(decimal(percent(hits.spam, run.spam), 2), 8) +
                column(std::to_string(hits.ham), 8) +
                column(decimal(percent(hits.ham, run.ham), 2), 8) +
                column(share < 0 ? "-" : decimal(share, 3), 12) +
                column(decimal(hits.score, 2), 8) + "  " + name + "\n";
        if (!examples) continue;
        for (const auto& each : hits.ham_examples) text += "        ham: " + each + "\n";
    }
    text += "of " + std::to_string(run.spam) + " spam and " + std::to_string(run.ham) + " ham\n";
    print(text);
}

int test_rules(Context& context, const RulesTestOptions& options) {
    const auto entries = mailsource::read_index(options.words.back());
    if (!entries) {
        return fail(exit_bad_data, entries.error().text,
                    "the last word names an index of labelled mail: lines \"spam PATH\" or \"ham "
                    "PATH\"");
    }
    auto settings = scan::settings_from(context.config);
    if (!settings) return fail(exit_bad_config, settings.error().text);
    auto wanted = take_files({options.words.begin(), options.words.end() - 1}, *settings);
    if (!wanted) return fail(wanted.error());
    settings->options.show_hidden = true;
    settings->options.learned = false;
    const auto scanner = scan::Scanner::make(settings->rules, settings->options,
                                             filters::make_models(filters::min_model_bytes));
    if (!scanner) return fail(exit_bad_data, scanner.error().text);
    const auto known = known_rules(*settings);
    for (const auto& pattern : *wanted) {
        const bool found = std::any_of(known.begin(), known.end(), [&](const auto& rule) {
            return is_wanted({pattern}, rule.first);
        });
        if (!found) {
            return fail(exit_bad_data, "there is no rule " + pattern,
                        "postern rules list --all shows them; a rule file is named *.yaml");
        }
    }
    TestRun result = run(*entries, **scanner, *wanted);
    for (const auto& [name, score] : known) {
        if (is_wanted(*wanted, name)) result.rules[name].score = score;
    }
    if (result.ham + result.spam == 0) return fail(exit_bad_data, "no message could be read");
    if (context.json) {
        show_json(result, options.examples);
    } else {
        show_text(result, options.examples);
    }
    return exit_ok;
}

}  // namespace

void add_rules_test(CLI::App& group, Action& chosen) {
    auto* command = group.add_subcommand("test", "Show what rules hit in labelled mail.");
    command->footer(
        "RULE is the name of a rule or check, the beginning of names and a *, or a file of rules "
        "(*.yaml)\n"
        "that need not be in the configuration yet. CORPUS is an index as for \"postern "
        "evaluate\".\n"
        "Prints how many spam and ham messages each rule hits; the spam share is 1 for a rule that "
        "hits\n"
        "only spam, 0 for one that hits only ham, and 0.5 for one that tells nothing.\n\n"
        "Example:\n"
        "  postern rules test new.yaml corpus/index\n"
        "  postern rules test '*' corpus/index");
    auto options = std::make_shared<RulesTestOptions>();
    command->add_option("RULE", options->words, "What to test; the last word is CORPUS.")
        ->required()
        ->expected(2, 10000);
    command->add_flag("--examples", options->examples, "Also name the ham that is hit.");
    choose(*command, chosen, options, test_rules);
}

}  // namespace postern::cli

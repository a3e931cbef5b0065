#include "filters/evaluate/evaluate.h"

#include "appliance/cli/commands.h"
#include "appliance/cli/filter_access.h"
#include "appliance/cli/report_text.h"
#include "appliance/cli/terminal.h"
#include "gateway/mailsource/index.h"
#include "protocols/mime/message.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>

namespace postern::cli {

namespace {

struct Options {
    std::string index;
    std::string scores;
    bool model = false;
};

struct Run {
    std::vector<filters::Scored> scored;
    std::size_t skipped = 0;
    double seconds = 0;
};

Run run_online(const std::vector<mailsource::IndexEntry>& entries, const scan::Scanner& scanner,
               std::ostream* scores) {
    Run run;
    const auto begin = std::chrono::steady_clock::now();
    ProgressBar bar("evaluating");
    for (std::size_t i = 0; i < entries.size(); ++i) {
        bar.update(i, entries.size(), i);
        const auto& entry = entries[i];
        const auto item = mailsource::read_message(entry.path, {});
        if (!item.problem.empty()) {
            ++run.skipped;
            note(item.name + ": " + item.problem + "; skipped");
            continue;
        }
        const auto parsed = mime::parse(item.bytes);
        const auto report = scanner.scan(item.bytes, parsed, {}, now());
        const bool decided = report.verdict == filters::Verdict::spam;
        run.scored.push_back({entry.spam, filters::ranking_score(report), decided});
        if (scores != nullptr) {
            *scores << (entry.spam ? "spam " : "ham ") << decimal(run.scored.back().score, 6)
                    << (decided ? " spam\n" : " ham\n");
        }
        scanner.models()->learn(scan::Scanner::features(item.bytes, parsed),
                                entry.spam ? filters::Class::spam : filters::Class::ham);
    }
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin;
    run.seconds = passed.count();
    return run;
}

void show(const Context& context, const Run& run) {
    const auto figures = filters::evaluate(run.scored);
    if (context.json) {
        print_json(nlohmann::json{{"ham", figures.ham},
                                  {"spam", figures.spam},
                                  {"skipped", run.skipped},
                                  {"one_minus_roca_percent", figures.roc_area_above},
                                  {"ham_misclassified_percent", figures.ham_misjudged},
                                  {"spam_misclassified_percent", figures.spam_missed},
                                  {"lam_percent", figures.lam},
                                  {"spam_missed_at_0.1_percent", figures.spam_missed_at_01},
                                  {"spam_missed_at_1_percent", figures.spam_missed_at_1},
                                  {"seconds", run.seconds}});
        return;
    }
    const auto percent = [](double value) { return decimal(value, 3) + " %\n"; };
    print("messages                        " + std::to_string(figures.ham) + " ham, " +
          std::to_string(figures.spam) + " spam, " + std::to_string(run.skipped) + " skipped\n" +
          "(1-ROCA)%                       " + percent(figures.roc_area_above) +
          "ham misclassified               " + percent(figures.ham_misjudged) +
          "spam misclassified              " + percent(figures.spam_missed) +
          "lam%                            " + percent(figures.lam) +
          "spam missed at 0.1 % ham loss   " + percent(figures.spam_missed_at_01) +
          "spam missed at 1 % ham loss     " + percent(figures.spam_missed_at_1) +
          "time                            " + decimal(run.seconds, 1) + " s\n");
}

int evaluate_index(Context& context, const Options& options) {
    auto entries = mailsource::read_index(options.index);
    if (!entries) return fail(exit_bad_data, entries.error().text);
    auto models = options.model ? load_models(context.config)
                                : filters::make_models(context.config.filter.memory_bytes);
    if (!models) return fail(models.error());
    auto scanner = make_scanner(context.config, *models);
    if (!scanner) return fail(exit_bad_config, scanner.error().text);
    std::ofstream scores;
    if (!options.scores.empty()) {
        scores.open(options.scores, std::ios::trunc);
        if (!scores) return fail(exit_failure, options.scores + ": " + std::strerror(errno));
    }
    const auto run = run_online(*entries, **scanner, scores.is_open() ? &scores : nullptr);
    if (run.scored.empty())
        return fail(exit_bad_data, options.index + ": no message could be read");
    if (scores.is_open() && !scores.flush()) {
        return fail(exit_failure, options.scores + ": cannot write");
    }
    show(context, run);
    return exit_ok;
}

}  // namespace

void add_evaluate(CLI::App& app, Action& chosen) {
    auto* command = app.add_subcommand("evaluate", "Measure the filter on labelled mail.");
    command->footer(
        "INDEX has a line \"spam PATH\" or \"ham PATH\" for each message, in the order of "
        "arrival;\n"
        "a relative PATH starts at the folder of INDEX. Each message is scored first and learned\n"
        "with its true label after that (the online protocol of the TREC spam track), by models\n"
        "that begin empty and are thrown away at the end.\n\n"
        "Figures: (1-ROCA)% is the area above the ROC curve; misclassification is against the\n"
        "configured spam threshold; lam% is their logistic average; the last two are the spam "
        "that\n"
        "is missed with the threshold at which 0.1 % (1 %) of the ham is misjudged.\n\n"
        "Example:\n"
        "  postern evaluate --scores scores.txt corpus/index");
    auto options = std::make_shared<Options>();
    command->add_option("INDEX", options->index, "The index file.")->required();
    command->add_option("--scores", options->scores,
                        "Write \"LABEL SCORE DECISION\" for each message to this file.");
    command->add_flag("--model", options->model,
                      "Begin with what was learned so far; it is not changed.");
    command->callback([&chosen, options] {
        chosen = [options](Context& context) { return evaluate_index(context, *options); };
    });
}

}  // namespace postern::cli

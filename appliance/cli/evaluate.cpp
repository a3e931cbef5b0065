#include "filters/evaluate/evaluate.h"

#include "appliance/cli/commands.h"
#include "appliance/cli/filter_access.h"
#include "appliance/cli/prior_builder.h"
#include "appliance/cli/report_text.h"
#include "appliance/cli/terminal.h"
#include "gateway/learning/snapshot.h"
#include "gateway/mailsource/index.h"
#include "protocols/mime/message.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <filesystem>
#include <fstream>
#include <memory>

namespace postern::cli {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t max_delay = 1'000'000;  // feature vectors wait in memory

struct EvaluateOptions {
    std::string index;
    std::string train;
    std::string test;
    std::string model;
    std::string scores;
    std::string svg;
    std::size_t delay = 0;
    double feedback = 1;
};

struct EvaluationRun {
    std::vector<filters::Scored> scored;
    std::size_t skipped = 0;
    std::size_t learned = 0;
    double scan_seconds = 0;
    double learn_seconds = 0;
};

double seconds_since(Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

// Whether the true label of the n-th message is told: evenly spread, the same in every run.
bool label_is_told(std::size_t number, double fraction) {
    std::uint64_t hash = (number + 1) * 0x9E3779B97F4A7C15ull;
    hash = (hash ^ hash >> 29) * 0xBF58476D1CE4E5B9ull;
    return static_cast<double>(hash >> 11) < fraction * 9007199254740992.0;
}

class OnlineRun {
public:
    OnlineRun(const scan::Scanner& scanner, const EvaluateOptions& options, std::ostream* scores)
        : scanner_(scanner), options_(options), scores_(scores) {}

    EvaluationRun over(const std::vector<mailsource::IndexEntry>& entries) {
        ProgressBar bar("evaluating");
        for (std::size_t i = 0; i < entries.size(); ++i) {
            bar.update(i, entries.size(), i);
            judge(entries[i], i);
            while (waiting_.size() > options_.delay) learn_next();
        }
        return std::move(run_);
    }

private:
    void judge(const mailsource::IndexEntry& entry, std::size_t number) {
        const auto item = mailsource::read_message(entry.path, {});
        if (!item.problem.empty()) {
            ++run_.skipped;
            note(item.name + ": " + item.problem + "; skipped");
            return;
        }
        const auto begin = Clock::now();
        const auto parsed = mime::parse(item.bytes);
        const auto report = scanner_.scan(item.bytes, parsed, {}, now());
        run_.scan_seconds += seconds_since(begin);
        const bool decided = report.verdict == filters::Verdict::spam;
        run_.scored.push_back({entry.spam, filters::ranking_score(report), decided});
        if (scores_ != nullptr) {
            *scores_ << (entry.spam ? "spam " : "ham ") << decimal(run_.scored.back().score, 6)
                     << (decided ? " spam\n" : " ham\n");
        }
        if (!label_is_told(number, options_.feedback)) return;
        const auto extracting = Clock::now();
        waiting_.push_back({scan::Scanner::features(item.bytes, parsed), entry.spam});
        run_.learn_seconds += seconds_since(extracting);
    }

    void learn_next() {
        const auto begin = Clock::now();
        const auto& [features, spam] = waiting_.front();
        scanner_.models()->learn(features, spam ? filters::Class::spam : filters::Class::ham);
        waiting_.pop_front();
        ++run_.learned;
        run_.learn_seconds += seconds_since(begin);
    }

    const scan::Scanner& scanner_;
    const EvaluateOptions& options_;
    std::ostream* scores_;
    EvaluationRun run_;
    std::deque<std::pair<filters::FeatureVector, bool>> waiting_;
};

double per_second(std::size_t count, double seconds) {
    return seconds <= 0 ? 0 : static_cast<double>(count) / seconds;
}

void show(const Context& context, const EvaluationRun& run) {
    const auto figures = filters::evaluate(run.scored);
    const auto interval = filters::roc_area_interval(run.scored);
    const auto first = [&](std::size_t count) {
        return filters::missed_among_first(run.scored, count);
    };
    const double scans = per_second(run.scored.size(), run.scan_seconds);
    const double lessons = per_second(run.learned, run.learn_seconds);
    if (context.json) {
        print_json(nlohmann::json{{"ham", figures.ham},
                                  {"spam", figures.spam},
                                  {"skipped", run.skipped},
                                  {"learned", run.learned},
                                  {"one_minus_roca_percent", figures.roc_area_above},
                                  {"one_minus_roca_low", interval.low},
                                  {"one_minus_roca_high", interval.high},
                                  {"ham_misclassified_percent", figures.ham_misjudged},
                                  {"spam_misclassified_percent", figures.spam_missed},
                                  {"lam_percent", figures.lam},
                                  {"spam_missed_at_0.1_percent", figures.spam_missed_at_01},
                                  {"spam_missed_at_1_percent", figures.spam_missed_at_1},
                                  {"spam_missed_in_first_100_percent", first(100)},
                                  {"spam_missed_in_first_500_percent", first(500)},
                                  {"spam_missed_in_first_1000_percent", first(1000)},
                                  {"scanned_per_second", scans},
                                  {"learned_per_second", lessons},
                                  {"seconds", run.scan_seconds + run.learn_seconds}});
        return;
    }
    const auto percent = [](double value) { return decimal(value, 3) + " %\n"; };
    print("messages                        " + std::to_string(figures.ham) + " ham, " +
          std::to_string(figures.spam) + " spam, " + std::to_string(run.skipped) + " skipped\n" +
          "(1-ROCA)%                       " + decimal(figures.roc_area_above, 4) +
          " % (95 %: " + decimal(interval.low, 4) + " to " + decimal(interval.high, 4) + ")\n" +
          "ham misclassified               " + percent(figures.ham_misjudged) +
          "spam misclassified              " + percent(figures.spam_missed) +
          "lam%                            " + percent(figures.lam) +
          "spam missed at 0.1 % ham loss   " + percent(figures.spam_missed_at_01) +
          "spam missed at 1 % ham loss     " + percent(figures.spam_missed_at_1) +
          "spam missed, first 100          " + percent(first(100)) +
          "spam missed, first 500          " + percent(first(500)) +
          "spam missed, first 1000         " + percent(first(1000)) +
          "scanned a second                " + decimal(scans, 0) + "\n" +
          "learned a second                " + decimal(lessons, 0) + "\n");
}

// Imports as `postern filter import` does, and makes the outcome the prior.
Result<void> train_on(const std::string& source, const config::Config& config,
                      filters::Models& models) {
    PriorBuilder builder(filters::make_models(config.filter.memory_bytes),
                         config.filter.memory_bytes, nullptr, config.filter.spam_threshold);
    auto mail = open_index(source);
    if (!mail) return mail.error();
    ProgressBar bar("importing");
    builder.add(**mail, [&](double done, std::uint64_t messages) {
        bar.update(static_cast<std::uint64_t>(done * 1000), 1000, messages);
    });
    for (const auto& [name, problem] : builder.totals().skipped) {
        note(name + ": " + problem + "; skipped");
    }
    return models.set_prior(builder.models().save_own());
}

Result<std::shared_ptr<filters::Models>> first_models(const config::Config& config,
                                                      const EvaluateOptions& options) {
    if (options.model == "live") return load_models(config);
    auto models = filters::make_models(config.filter.memory_bytes);
    if (!options.model.empty()) {
        auto snapshot = learning::read_snapshot(options.model);
        if (!snapshot) return snapshot.error();
        if (!*snapshot) return Error{Errc::not_found, options.model + ": no such file"};
        if (auto set = models->set_prior((*snapshot)->image); !set) {
            return Error{set.error().code, options.model + ": " + set.error().text};
        }
    }
    if (!options.train.empty()) {
        if (auto trained = train_on(options.train, config, *models); !trained) {
            return trained.error();
        }
    }
    return models;
}

int write_svg(const EvaluateOptions& options, const std::string& stream, const EvaluationRun& run) {
    std::ofstream file(options.svg, std::ios::trunc);
    if (file) file << filters::to_svg(run.scored, stream);
    if (!file || !file.flush()) {
        return fail(exit_failure, options.svg + ": " + std::strerror(errno));
    }
    return exit_ok;
}

int evaluate_index(Context& context, const EvaluateOptions& options) {
    const std::string& stream = options.index.empty() ? options.test : options.index;
    std::error_code ignored;
    if (std::filesystem::is_directory(stream, ignored)) {
        return fail(exit_bad_data, stream + ": a folder; name an index file (see --help)");
    }
    auto entries = mailsource::read_index(stream);
    if (!entries) return fail(exit_bad_data, entries.error().text);
    auto models = first_models(context.config, options);
    if (!models) return fail(models.error());
    auto scanner = make_scanner(context.config, *models);
    if (!scanner) return fail(exit_bad_config, scanner.error().text);
    std::ofstream scores;
    if (!options.scores.empty()) {
        scores.open(options.scores, std::ios::trunc);
        if (!scores) return fail(exit_failure, options.scores + ": " + std::strerror(errno));
    }
    const auto run =
        OnlineRun(**scanner, options, scores.is_open() ? &scores : nullptr).over(*entries);
    if (run.scored.empty()) return fail(exit_bad_data, stream + ": no message could be read");
    const auto spam = std::count_if(run.scored.begin(), run.scored.end(),
                                    [](const filters::Scored& each) { return each.spam; });
    if (spam == 0 || static_cast<std::size_t>(spam) == run.scored.size()) {
        note(
            "all messages are of one class: (1-ROCA)%, lam% and the figures at a ham loss tell "
            "nothing");
    }
    if (scores.is_open() && !scores.flush()) {
        return fail(exit_failure, options.scores + ": cannot write");
    }
    if (!options.svg.empty()) {
        if (const int code = write_svg(options, stream, run); code != exit_ok) return code;
    }
    show(context, run);
    return exit_ok;
}

constexpr const char* evaluate_help =
    "INDEX has a line \"spam PATH\" or \"ham PATH\" for each message, in the order of arrival;\n"
    "a relative PATH starts at the folder of INDEX. Each message is scored first and learned\n"
    "with its true label after that (the online protocol of the TREC spam track), by models\n"
    "that begin empty and are thrown away at the end.\n\n"
    "With --train A --test B, A is imported exactly as `postern filter import A` does, and B is\n"
    "streamed after that. --delay and --feedback are for labels that come late or not at all.\n\n"
    "Figures: (1-ROCA)% is the area above the ROC curve with its 95 % interval;\n"
    "misclassification is against the configured spam threshold; lam% is the logistic average of\n"
    "both; \"at 0.1 % ham loss\" is the spam that is missed with the threshold at which 0.1 % of\n"
    "the ham is misjudged; \"first 100\" is the spam missed among the first 100 messages.\n\n"
    "Examples:\n"
    "  postern evaluate --scores scores.txt --svg curves.svg corpus/index\n"
    "  postern evaluate --train old/index --test new/index --delay 100 --feedback 0.2";

}  // namespace

void add_evaluate(CLI::App& app, Action& chosen) {
    auto* command = app.add_subcommand("evaluate", "Measure the filter on labelled mail.");
    command->footer(evaluate_help);
    auto options = std::make_shared<EvaluateOptions>();
    auto* index = command->add_option("INDEX", options->index, "The index file.");
    auto* test = command->add_option("--test", options->test, "The same as INDEX.");
    index->excludes(test);
    auto* train =
        command->add_option("--train", options->train, "An index to import first, as a prior.");
    command
        ->add_option("--model", options->model,
                     "Begin with this model (of filter export) as the prior; live: with what this "
                     "server knows. Neither is changed.")
        ->excludes(train);
    command->add_option("--delay", options->delay, "Learn a label so many messages later.")
        ->check(CLI::Range(std::size_t{0}, max_delay));
    command
        ->add_option("--feedback", options->feedback,
                     "The fraction of the messages whose label is told (1).")
        ->check(CLI::Range(0.0, 1.0));
    command->add_option("--scores", options->scores,
                        "Write \"LABEL SCORE DECISION\" for each message to this file.");
    command->add_option("--svg", options->svg,
                        "Draw the ROC curve and the learning curve into this file.");
    command->callback([&chosen, options] {
        if (options->index.empty() && options->test.empty()) {
            throw CLI::RequiredError("INDEX or --test");
        }
        chosen = [options](Context& context) { return evaluate_index(context, *options); };
    });
}

}  // namespace postern::cli

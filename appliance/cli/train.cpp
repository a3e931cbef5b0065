#include "appliance/cli/choose.h"
#include "appliance/cli/commands.h"
#include "appliance/cli/daemon.h"
#include "appliance/cli/feature_batches.h"
#include "appliance/cli/filter_access.h"
#include "appliance/cli/report_text.h"
#include "appliance/cli/terminal.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <memory>

namespace postern::cli {

namespace {

struct TrainOptions {
    std::string as;
    std::vector<std::string> paths;
};

struct Totals {
    std::size_t messages = 0;
    std::size_t known = 0;  // learned before; only counted without a daemon
    nlohmann::json skipped = nlohmann::json::array();
    double seconds = 0;
    bool through_daemon = false;
    filters::ModelStats models;
};

// Where jobs go: into the models at once, or into the log for the daemon that has them.
class Teacher {
public:
    Teacher(learning::Learning& learning, bool through_log)
        : learning_(learning), through_log_(through_log) {}

    Result<void> teach(std::vector<learning::LearnJob> jobs, Totals& totals) {
        totals.messages += jobs.size();
        if (through_log_) return learning_.learn(jobs);
        for (const auto& job : jobs) totals.known += learning_.learn_unlogged(job) ? 0 : 1;
        return {};
    }

private:
    learning::Learning& learning_;
    const bool through_log_;
};

Result<void> teach_all(mailsource::MailSource& source, learning::LearnAction action,
                       Teacher& teacher, Totals& totals) {
    ProgressBar bar("training");
    for (;;) {
        auto batch = next_batch(source);
        if (batch.empty()) return {};
        std::vector<learning::LearnJob> jobs;
        for (auto& each : batch) {
            if (each.problem.empty()) {
                jobs.push_back({action, std::move(each.features), "command line", now()});
                continue;
            }
            note(each.name + ": " + each.problem + "; skipped");
            totals.skipped.push_back({{"name", each.name}, {"problem", each.problem}});
        }
        if (auto taught = teacher.teach(std::move(jobs), totals); !taught) return taught;
        const auto progress = source.progress();
        bar.update(progress.done_bytes, progress.total_bytes, progress.messages);
    }
}

void show(const Context& context, const TrainOptions& options, const Totals& totals) {
    if (context.json) {
        print_json(nlohmann::json{{"class", options.as},
                                  {"messages", totals.messages},
                                  {"known_already", totals.known},
                                  {"skipped", totals.skipped},
                                  {"through_daemon", totals.through_daemon},
                                  {"trained_ham", totals.models.ham},
                                  {"trained_spam", totals.models.spam},
                                  {"seconds", totals.seconds}});
        return;
    }
    std::string text = std::to_string(totals.messages) + " messages " +
                       (totals.through_daemon ? "given to the daemon" : "learned") + " as " +
                       options.as + " in " + decimal(totals.seconds, 1) + " s";
    if (totals.known > 0) text += ", " + std::to_string(totals.known) + " of them known already";
    if (!totals.skipped.empty()) text += ", " + std::to_string(totals.skipped.size()) + " skipped";
    if (!totals.through_daemon) {
        text += "; the filter stands on " + std::to_string(totals.models.ham) + " ham and " +
                std::to_string(totals.models.spam) + " spam";
    }
    print(text + "\n");
}

Result<Totals> run_training(const Context& context, const TrainOptions& options,
                            mailsource::MailSource& source) {
    auto hold = hold_instance(context.config);
    if (!hold) return hold.error();
    auto store = open_store(context.config, Opening::create);
    if (!store) return store.error();
    auto models = filters::make_models(context.config.filter.memory_bytes,
                                       context.config.filter.layer_memory_bytes);
    auto learning =
        learning::Learning::open(*(*store)->kv, models, learning_options(context.config));
    if (!learning) return learning.error();
    Totals totals;
    totals.through_daemon = *hold == nullptr;
    Teacher teacher(**learning, totals.through_daemon);
    const auto action =
        options.as == "spam" ? learning::LearnAction::spam : learning::LearnAction::ham;
    auto taught = teach_all(source, action, teacher, totals);
    // What was learned before an error is kept.
    if (totals.through_daemon) {
        wake_learning(context.config);
    } else if (auto kept = (*learning)->stop(); !kept) {
        return kept.error();
    }
    if (!taught) return taught.error();
    totals.models = models->stats();
    return totals;
}

int train(Context& context, const TrainOptions& options) {
    const auto begin = std::chrono::steady_clock::now();
    auto source = mailsource::MailSource::open(options.paths, {});
    if (!source) return fail(source.error());
    auto totals = run_training(context, options, *source);
    if (!totals) return fail(totals.error());
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin;
    totals->seconds = passed.count();
    if (totals->messages == 0) return fail(exit_bad_data, "no message could be read");
    show(context, options, *totals);
    return exit_ok;
}

}  // namespace

void add_train(CLI::App& app, Action& chosen) {
    auto* command = app.add_subcommand("train", "Teach the filter from labelled mail.");
    command->footer(
        "A path is a message file, an mbox, a Maildir or a folder of such, taken whole. What "
        "cannot\n"
        "be read is named and skipped. A message that was learned before as the same class "
        "changes\n"
        "nothing; one that was learned as the other class is learned anew. While a daemon runs,\n"
        "the jobs go into its durable log and it learns them at once.\n\n"
        "Examples:\n"
        "  postern train spam ~/Maildir/.Junk\n"
        "  postern train ham archive.mbox ~/Maildir");
    auto options = std::make_shared<TrainOptions>();
    command->add_option("CLASS", options->as, "What the messages are: spam or ham.")
        ->required()
        ->check(CLI::IsMember({"spam", "ham"}));
    command->add_option("PATH", options->paths, "Where the messages are.")->required();
    choose(*command, chosen, options, train);
}

}  // namespace postern::cli

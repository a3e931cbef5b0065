#include "appliance/cli/choose.h"
#include "appliance/cli/commands.h"
#include "appliance/cli/daemon.h"
#include "appliance/cli/filter_access.h"
#include "appliance/cli/filter_commands.h"
#include "appliance/cli/report_text.h"
#include "appliance/cli/terminal.h"
#include "filters/models/layers.h"
#include "gateway/learning/snapshot.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <memory>

namespace postern::cli {

namespace {

constexpr const char* damaged_prior_hint =
    "postern filter import --replace makes it anew, postern filter reset --prior goes without";

}  // namespace

int filter_stats(Context& context) {
    auto models = load_models(context.config);
    if (!models) return fail(models.error());
    const auto stats = (*models)->stats();
    const filters::Layers& layers = (*models)->layers();
    const double full = stats.max_features == 0 ? 0
                                                : static_cast<double>(stats.features) /
                                                      static_cast<double>(stats.max_features);
    if (context.json) {
        print_json(nlohmann::json{{"ham", stats.ham},
                                  {"spam", stats.spam},
                                  {"features", stats.features},
                                  {"max_features", stats.max_features},
                                  {"bytes", stats.bytes},
                                  {"max_bytes", context.config.filter.memory_bytes},
                                  {"prior_ham", stats.prior_ham},
                                  {"prior_spam", stats.prior_spam},
                                  {"prior_features", stats.prior_features},
                                  {"prior_trust", stats.prior_trust},
                                  {"layers", layers.owners()},
                                  {"layer_lessons", layers.lessons()}});
        return exit_ok;
    }
    std::string text = "learned here    " + std::to_string(stats.ham) + " ham, " +
                       std::to_string(stats.spam) + " spam\n" + "features        " +
                       std::to_string(stats.features) + " of " +
                       std::to_string(stats.max_features) + " (" + decimal(100 * full, 1) +
                       " %)\n" + "memory          " + std::to_string(stats.bytes) + " of " +
                       std::to_string(context.config.filter.memory_bytes) + " bytes\n";
    if (stats.prior_ham + stats.prior_spam == 0) {
        text += "prior           none (see: postern filter import --help)\n";
    } else {
        text += "prior           " + std::to_string(stats.prior_ham) + " ham, " +
                std::to_string(stats.prior_spam) + " spam, " +
                std::to_string(stats.prior_features) + " features\n" + "trust in it     " +
                decimal(100 * stats.prior_trust, 0) + " %\n";
    }
    text += "layers          " + std::to_string(layers.owners()) + " of users and domains, " +
            std::to_string(layers.lessons()) + " lessons\n";
    print(text);
    return exit_ok;
}

int filter_export(Context& context, const FilterOptions& options) {
    auto models = load_models(context.config);
    if (!models) return fail(models.error());
    // Both parts as one: what a gateway that begins with it should know.
    const auto prior =
        learning::read_snapshot(learning::prior_file(context.config.filter_folder()));
    if (!prior) return fail(prior.error(), damaged_prior_hint);
    if (*prior) {
        if (auto merged = (*models)->merge((**prior).image); !merged) {
            return fail(merged.error(), damaged_prior_hint);
        }
    }
    // The starter model is no knowledge of this gateway's own.
    const auto all = (*models)->stats();
    if (all.ham + all.spam == 0) return fail(exit_bad_data, "nothing was learned yet");
    const std::string image = options.compact ? (*models)->save_compact() : (*models)->save_own();
    if (auto written = learning::write_snapshot(options.file, 0, image); !written) {
        return fail(written.error());
    }
    if (context.json) {
        print_json(nlohmann::json{
            {"file", options.file}, {"bytes", image.size()}, {"ham", all.ham}, {"spam", all.spam}});
    } else {
        print(options.file + ": " + std::to_string(all.ham) + " ham and " +
              std::to_string(all.spam) + " spam in " + std::to_string(image.size()) + " bytes\n");
    }
    return exit_ok;
}

namespace {

int forget_learned(const config::Config& config) {
    auto hold = hold_instance(config);
    if (!hold) return fail(hold.error());
    if (*hold == nullptr) {
        return fail(exit_unavailable, "a daemon runs on this data folder",
                    "stop it first: what was learned lies in its memory");
    }
    auto store = open_store(config, Opening::create);
    if (!store) return fail(store.error());
    auto learning = learning::Learning::open(
        *(*store)->kv,
        filters::make_models(config.filter.memory_bytes, config.filter.layer_memory_bytes),
        learning_options(config));
    if (!learning) return fail(learning.error());
    if (auto forgotten = (*learning)->forget(); !forgotten) return fail(forgotten.error());
    return exit_ok;
}

void add_import(CLI::App& filter, Action& chosen) {
    auto* command =
        filter.add_subcommand("import", "Begin with what was learned elsewhere, as a prior.");
    command->footer(
        "SOURCE is one of\n"
        "  an index       lines \"spam PATH\" or \"ham PATH\"\n"
        "  store:         mailboxes of this server: store: (all users), store:USER or\n"
        "                 store:USER/MAILBOX; Junk is spam, Trash, Drafts and Sent are left out\n"
        "  a dump         of bogofilter (bogoutil -d wordlist.db) or spamprobe (export); with\n"
        "                 --words of SpamAssassin (sa-learn --backup) or of rspamd (dump.rdb of\n"
        "                 its Redis, or rspamadm statistics_dump)\n"
        "  a model        that `postern filter export` wrote, here or on another gateway\n"
        "Mail without labels (files, mboxes, Maildirs, folders, store:...) is given with --spam\n"
        "and --ham.\n\n"
        "What is imported is a prior: it is heard where mail is like it, and less with each error\n"
        "that it makes; what is learned here overrules it. Taking in the same message again\n"
        "changes nothing, so a run that was ended can be started again and goes on. A running\n"
        "daemon has the new prior at once.\n\n"
        "At first one message in five is held out, then streamed through an empty filter and\n"
        "through one with the prior: the report says what the import will buy.\n\n"
        "Examples:\n"
        "  postern filter import --spam old/Junk.mbox --ham ~/Maildir\n"
        "  postern filter import --dry-run store:\n"
        "  postern filter import corpus/index");
    auto options = std::make_shared<FilterOptions>();
    command->add_option("SOURCE", options->sources, "Where labelled knowledge is.");
    command->add_option("--spam", options->spam, "Mail that is spam; may be given repeatedly.");
    command->add_option("--ham", options->ham, "Mail that is ham; may be given repeatedly.");
    command->add_option("--words", options->words,
                        "Mail of this site, labelled or not, whose words make a dump of "
                        "SpamAssassin or rspamd readable.");
    command->add_flag("--dry-run", options->dry_run, "Do and report everything, keep nothing.");
    command->add_flag("--replace", options->replace, "Instead of adding to what was imported.");
    command->add_flag("!--no-forecast", options->forecast, "Hold nothing out; foretell nothing.");
    command->callback([&chosen, options] {
        if (options->sources.empty() && options->spam.empty() && options->ham.empty()) {
            throw CLI::RequiredError("SOURCE, --spam or --ham");
        }
        chosen = [options](Context& context) { return filter_import(context, *options); };
    });
}

void add_merge(CLI::App& filter, Action& chosen) {
    auto* command = filter.add_subcommand(
        "merge", "Add what other gateways learned (files of filter export) to the prior.");
    command->footer(
        "The same as `postern filter import FILE...`; a file once more changes nothing.\n\n"
        "Example:\n"
        "  postern filter merge mx1.model mx2.model");
    auto options = std::make_shared<FilterOptions>();
    options->forecast = false;
    command->add_option("FILE", options->sources, "What filter export wrote.")->required();
    choose(*command, chosen, options, filter_import);
}

void add_rest(CLI::App& filter, Action& chosen) {
    auto* stats = filter.add_subcommand("stats", "Show what the filter stands on.");
    stats->callback([&chosen] { chosen = [](Context& context) { return filter_stats(context); }; });

    auto* exporting = filter.add_subcommand("export", "Write all that the filter knows to a file.");
    exporting->footer(
        "What was learned here and what was imported, as one model. Another gateway takes it with\n"
        "`postern filter import FILE`.\n\n"
        "Example:\n"
        "  postern filter export mx1.model");
    auto options = std::make_shared<FilterOptions>();
    exporting->add_option("FILE", options->file, "Where to; replaced as a whole.")->required();
    exporting->add_flag("--compact", options->compact,
                        "A tenth of the size, for others: without what tells single messages.");
    choose(*exporting, chosen, options, filter_export);

    auto* reset = filter.add_subcommand("reset", "Forget what was learned here, or the prior.");
    reset->footer(
        "--learned needs the daemon to be stopped. `postern filter export` keeps a copy first.\n\n"
        "Example:\n"
        "  postern filter reset --prior --yes");
    reset->add_flag("--learned", options->learned, "Forget what was learned on this server.");
    reset->add_flag("--prior", options->prior, "Forget what was imported.");
    reset->add_flag("--yes", options->yes, "Do not ask.");
    reset->callback([&chosen, options] {
        if (!options->learned && !options->prior) {
            throw CLI::RequiredError("--learned or --prior");
        }
        chosen = [options](Context& context) { return filter_reset(context, *options); };
    });
}

}  // namespace

int filter_reset(Context& context, const FilterOptions& options) {
    const std::string what = options.learned && options.prior ? "everything that the filter knows"
                             : options.learned                ? "what the filter learned here"
                                                              : "what was imported";
    if (!options.yes && !confirm("Forget " + what + "?")) {
        return fail(exit_failure, "nothing was changed", "--yes answers the question");
    }
    if (options.prior) {
        const std::string folder = context.config.filter_folder();
        std::error_code error;
        std::filesystem::remove(folder + "/import.bin", error);
        std::filesystem::remove(learning::prior_file(folder), error);
        if (error) return fail(exit_failure, folder + ": " + error.message());
        wake_learning(context.config);
    }
    if (options.learned) {
        if (const int code = forget_learned(context.config); code != exit_ok) return code;
    }
    if (context.json) {
        print_json(nlohmann::json{{"learned", options.learned}, {"prior", options.prior}});
    } else {
        print("Forgotten: " + what + ".\n");
    }
    return exit_ok;
}

void add_filter(CLI::App& app, Action& chosen) {
    auto* filter = app.add_subcommand("filter", "Import, export, merge and reset what is learned.");
    filter->require_subcommand(1);
    add_import(*filter, chosen);
    add_merge(*filter, chosen);
    add_rest(*filter, chosen);
}

}  // namespace postern::cli

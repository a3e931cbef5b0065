#include "appliance/cli/daemon.h"
#include "appliance/cli/dump_import.h"
#include "appliance/cli/file_lock.h"
#include "appliance/cli/filter_access.h"
#include "appliance/cli/filter_commands.h"
#include "appliance/cli/prior_builder.h"
#include "appliance/cli/report_text.h"
#include "appliance/cli/terminal.h"
#include "gateway/learning/snapshot.h"
#include "protocols/base/hash.h"

#include <nlohmann/json.hpp>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace postern::cli {

namespace {

constexpr auto checkpoint_interval = std::chrono::seconds(20);
constexpr std::size_t shown_problems = 20;
constexpr std::size_t max_model_file_bytes = 2ull * 1024 * 1024 * 1024;

// The state of an import under way lies beside the prior that it began with, so that a run that was
// ended goes on where it was, and a prior that is half done is never used.
class Workpiece {
public:
    Workpiece(const config::Config& config, bool write)
        : prior_(learning::prior_file(config.filter_folder())),
          unfinished_(config.filter_folder() + "/import.bin"),
          write_(write) {}

    Result<void> load(filters::Models& models, bool replace) {
        auto prior = learning::read_snapshot(prior_);
        if (!prior && !replace) return prior.error();
        const std::string before = prior && *prior ? (*prior)->image : "";
        base_ = hash64(before, replace ? 1 : 0);
        auto unfinished = learning::read_snapshot(unfinished_);
        if (unfinished && *unfinished && (*unfinished)->number == base_) {
            resumed_ = models.load((*unfinished)->image).has_value();
            if (resumed_) return {};
        }
        return before.empty() || replace ? Result<void>{} : models.load(before);
    }
    Result<void> checkpoint(const filters::Models& models) {
        if (!write_) return {};
        return learning::write_snapshot(unfinished_, base_, models.save_own());
    }
    Result<void> finish(const filters::Models& models) {
        if (!write_) return {};
        auto written = learning::write_snapshot(prior_, 0, models.save_own());
        std::error_code ignored;
        if (written) std::filesystem::remove(unfinished_, ignored);
        return written;
    }
    bool resumed() const { return resumed_; }

private:
    const std::string prior_;
    const std::string unfinished_;
    const bool write_;
    std::uint64_t base_ = 0;
    bool resumed_ = false;
};

struct Sources {
    std::vector<std::unique_ptr<LabelledMail>> mail;
    std::vector<std::string> models;  // files that `filter export` wrote
    DumpFiles dumps;
};

bool looks_like_model(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    char head[8] = {};
    file.read(head, sizeof head);
    return file && std::string_view(head, sizeof head) == "PSTNMODL";
}

Result<void> open_labelled(const config::Config& config, const std::vector<std::string>& given,
                           filters::Class label, Sources& sources) {
    std::vector<std::string> paths;
    for (const auto& each : given) {
        if (!each.starts_with(store_prefix)) {
            paths.push_back(each);
            continue;
        }
        auto mail = open_mailboxes(config, each, label);
        if (!mail) return mail.error();
        sources.mail.push_back(std::move(*mail));
    }
    if (paths.empty()) return {};
    auto mail = open_paths(paths, label);
    if (!mail) return mail.error();
    sources.mail.push_back(std::move(*mail));
    return {};
}

Result<Sources> open_sources(const config::Config& config, const FilterOptions& options) {
    Sources sources;
    for (const auto& each : options.sources) {
        if (each.starts_with(store_prefix)) {
            auto mail = open_mailboxes(config, each, std::nullopt);
            if (!mail) return mail.error();
            sources.mail.push_back(std::move(*mail));
        } else if (const auto kind = dump_kind_of(each)) {
            sources.dumps.emplace_back(each, *kind);
        } else if (looks_like_index(each)) {
            auto mail = open_index(each);
            if (!mail) return mail.error();
            sources.mail.push_back(std::move(*mail));
        } else if (looks_like_model(each)) {
            sources.models.push_back(each);
        } else {
            std::error_code ignored;
            if (!std::filesystem::exists(each, ignored)) {
                return Error{Errc::not_found, each + ": no such file"};
            }
            return Error{Errc::invalid,
                         each +
                             ": neither an index, a dump nor a model; mail without labels "
                             "is given with --spam or --ham"};
        }
    }
    if (auto opened = open_labelled(config, options.spam, filters::Class::spam, sources); !opened) {
        return opened.error();
    }
    if (auto opened = open_labelled(config, options.ham, filters::Class::ham, sources); !opened) {
        return opened.error();
    }
    return sources;
}

nlohmann::json met_json(const Foretold& met) {
    return {{"ham", met.ham},
            {"spam", met.spam},
            {"ham_misjudged", met.ham_misjudged},
            {"spam_missed", met.spam_missed},
            {"spam_in_first_100", met.first_spam},
            {"spam_missed_in_first_100", met.first_missed}};
}

std::string line_of(const char* name, const Foretold& met) {
    return std::string("  ") + name + std::to_string(met.first_missed) + " of " +
           std::to_string(met.first_spam) + " spam missed among the first 100 messages, " +
           std::to_string(met.spam_missed) + " of " + std::to_string(met.spam) + " in all; " +
           std::to_string(met.ham_misjudged) + " of " + std::to_string(met.ham) +
           " ham misjudged\n";
}

void show(const Context& context, const FilterOptions& options, const PriorBuilder& builder,
          const Forecast& forecast, const std::vector<DumpReport>& dumps,
          const filters::ModelStats& stats, bool resumed) {
    const ImportTotals& totals = builder.totals();
    if (context.json) {
        nlohmann::json skipped = nlohmann::json::array();
        for (const auto& [name, problem] : totals.skipped) {
            skipped.push_back({{"name", name}, {"problem", problem}});
        }
        nlohmann::json answer{{"ham", totals.ham},
                              {"spam", totals.spam},
                              {"known_already", totals.known},
                              {"skipped", skipped},
                              {"resumed", resumed},
                              {"dry_run", options.dry_run},
                              {"prior_ham", stats.ham},
                              {"prior_spam", stats.spam},
                              {"prior_features", stats.features}};
        if (forecast.made) {
            answer["held_out"] = {{"cold", met_json(forecast.cold)},
                                  {"with_prior", met_json(forecast.warm)}};
        }
        for (const auto& dump : dumps) {
            answer["dumps"].push_back({{"file", dump.file},
                                       {"kind", filters::to_string(dump.kind)},
                                       {"tokens", dump.taken},
                                       {"left_out", dump.left_out},
                                       {"damaged", dump.damaged},
                                       {"known_already", dump.known}});
        }
        return print_json(answer);
    }
    for (const auto& dump : dumps) {
        note(dump.file + " (" + filters::to_string(dump.kind) + "): " +
             (dump.known ? "was taken in before (with other --words: begin anew by --replace)"
                         : std::to_string(dump.taken) + " tokens taken, " +
                               std::to_string(dump.left_out) + " without likeness here, " +
                               std::to_string(dump.damaged) + " lines damaged"));
    }
    for (std::size_t i = 0; i < std::min(shown_problems, totals.skipped.size()); ++i) {
        note(totals.skipped[i].first + ": " + totals.skipped[i].second + "; skipped");
    }
    std::string text = resumed ? "Went on where an earlier run had ended.\n" : "";
    text += (options.dry_run ? "Would take in " : "Took in ") + std::to_string(totals.ham) +
            " ham and " + std::to_string(totals.spam) + " spam";
    if (totals.known > 0) text += "; " + std::to_string(totals.known) + " were known already";
    if (!totals.skipped.empty()) {
        text += "; " + std::to_string(totals.skipped.size()) + " could not be read";
    }
    text += ".\nThe prior stands on " + std::to_string(stats.ham) + " ham and " +
            std::to_string(stats.spam) + " spam.\n";
    if (forecast.made) {
        text +=
            "One message in five was held out first and then streamed, each learned after it "
            "was judged:\n" +
            line_of("cold        ", forecast.cold) + line_of("with this   ", forecast.warm);
    } else if (options.forecast && totals.ham + totals.spam > 0) {
        text += "Too little new mail of both classes to foretell what it will buy.\n";
    }
    print(text);
}

Result<void> add_models(const std::vector<std::string>& files, PriorBuilder& builder) {
    for (const auto& file : files) {
        std::error_code ignored;
        if (std::filesystem::file_size(file, ignored) > max_model_file_bytes) {
            return Error{Errc::too_large, file + ": too large for a model"};
        }
        auto snapshot = learning::read_snapshot(file);
        if (!snapshot) return snapshot.error();
        if (!*snapshot) return Error{Errc::not_found, file + ": no such file"};
        auto merged = builder.models().merge((*snapshot)->image);
        if (!merged) return Error{merged.error().code, file + ": " + merged.error().text};
        if (!*merged) note(file + ": was taken in before");
    }
    return {};
}

// Errors: unavailable (what was taken in until then is in the unfinished state).
Result<void> add_mail(std::vector<std::unique_ptr<LabelledMail>> sources, PriorBuilder& builder,
                      Workpiece& workpiece) {
    ProgressBar bar("importing");
    auto last = std::chrono::steady_clock::now();
    const auto mail = side_by_side(std::move(sources));
    builder.add(*mail, [&](double done, std::uint64_t messages) {
        bar.update(static_cast<std::uint64_t>(done * 1000), 1000, messages);
        if (std::chrono::steady_clock::now() - last < checkpoint_interval) return;
        if (auto kept = workpiece.checkpoint(builder.models()); !kept) note(kept.error().text);
        last = std::chrono::steady_clock::now();
    });
    const std::string failure = mail->failure();
    if (failure.empty()) return {};
    if (auto kept = workpiece.checkpoint(builder.models()); !kept) note(kept.error().text);
    return Error{Errc::unavailable, failure + "; the rest of the mail was not read"};
}

}  // namespace

int filter_import(Context& context, const FilterOptions& options) {
    const config::Config& config = context.config;
    auto sources = open_sources(config, options);
    if (!sources) return fail(sources.error());
    std::error_code error;
    std::filesystem::create_directories(config.filter_folder(), error);
    if (error) return fail(exit_failure, config.filter_folder() + ": " + error.message());
    const FileLock lock(config.filter_folder() + "/import.lock");
    if (!lock.held()) {
        return fail(exit_unavailable, "another import is under way", "wait for its end");
    }
    const auto models = filters::make_models(config.filter.memory_bytes);
    Workpiece workpiece(config, !options.dry_run);
    if (auto loaded = workpiece.load(*models, options.replace); !loaded) {
        return fail(loaded.error(), "postern filter import --replace begins anew");
    }
    auto judge = make_scanner(config, filters::make_models(0));
    if (!judge) return fail(exit_bad_config, judge.error().text);
    PriorBuilder builder(models, config.filter.memory_bytes,
                         options.forecast ? judge->get() : nullptr, config.filter.spam_threshold);
    if (auto added = add_mail(std::move(sources->mail), builder, workpiece); !added) {
        return fail(added.error(), "the prior stays as it was; a new run goes on from here");
    }
    const Forecast forecast = builder.finish();
    if (auto added = add_models(sources->models, builder); !added) return fail(added.error());
    const auto dumps = add_dumps(sources->dumps, options.words, builder.models());
    if (!dumps) return fail(dumps.error());
    const auto stats = models->stats();
    if (stats.ham + stats.spam == 0) return fail(exit_bad_data, "no message could be read");
    if (auto kept = workpiece.finish(*models); !kept) return fail(kept.error());
    if (!options.dry_run) wake_learning(config);
    show(context, options, builder, forecast, *dumps, stats, workpiece.resumed());
    if (stats.ham == 0 || stats.spam == 0) {
        note("the prior knows one class only and stays silent until it knows both");
    }
    return exit_ok;
}

}  // namespace postern::cli

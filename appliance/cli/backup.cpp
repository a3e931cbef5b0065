// The whole gateway to a folder or another machine, and back.
#include "store/care/backup.h"

#include "appliance/cli/choose.h"
#include "appliance/cli/drawn_on.h"
#include "appliance/cli/machine_commands.h"
#include "appliance/cli/machine_copy.h"
#include "appliance/cli/programs.h"
#include "appliance/cli/sizes.h"
#include "appliance/cli/store_access.h"
#include "appliance/cli/terminal.h"
#include "gateway/config/layers.h"
#include "gateway/serve/run_folder.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <memory>

namespace postern::cli {

namespace {

namespace fs = std::filesystem;

struct BackupOptions {
    std::string place;
    std::string at;
    bool scheduled = false;
    bool replace = false;
};

bool is_remote(const std::string& place) {
    return place.starts_with("ssh:");
}

// Errors: invalid. The configuration's own words for what a target is.
Result<void> check_place(const std::string& place) {
    const auto read =
        config::parse_config(nlohmann::json{{"backup", {{"target", place}}}}.dump(), "backup");
    if (read && !place.empty()) return {};
    return Error{Errc::invalid,
                 place + ": expected an absolute path of a folder, or ssh:[USER@]HOST:/FOLDER"};
}

// rsync's words for it, with the end that says "what is in it".
std::string remote(const std::string& place) {
    return place.substr(4) + (place.ends_with('/') ? "" : "/");
}

Result<void> synchronise(const std::string& from, const std::string& to) {
    auto done = run_program({"rsync", "--archive", "--partial", "--delete",
                             "--rsh=ssh -o BatchMode=yes", "--", from, to});
    if (done) return done;
    return Error{Errc::unavailable,
                 done.error().text +
                     "; rsync and ssh have to be installed here and there, and root's "
                     "key let in there"};
}

int report_backup(const Context& context, const std::string& place,
                  const care::BackupReport& report) {
    if (context.json) {
        print_json(nlohmann::json{{"target", place},
                                  {"snapshot", report.snapshot},
                                  {"mailboxes", report.mailboxes},
                                  {"messages", report.messages},
                                  {"added_bytes", report.added_bytes},
                                  {"problems", report.problems}});
    } else {
        print("snapshot " + report.snapshot + " in " + place + ": " +
              std::to_string(report.mailboxes) + " mailboxes, " + size_text(report.added_bytes) +
              " of mail written, configuration and keys\n");
    }
    if (report.problems == 0) return exit_ok;
    return fail(exit_failure, std::to_string(report.problems) + " problems, named above",
                "look at the store with: postern store check");
}

int backup(Context& context, const BackupOptions& options) {
    auto place = options.place;
    if (place.empty() && !context.config.file.empty()) {
        auto target = config::load_backup_target(context.config.file);
        if (!target) return fail(target.error());
        place = std::move(*target);
    }
    if (place.empty() && options.scheduled) return exit_ok;
    if (place.empty()) {
        return fail(exit_usage, "no place to back up to",
                    "name one, or set backup.target in the configuration");
    }
    if (auto good = check_place(place); !good) return fail(good.error());
    // A remote backup is kept here, too: only so can a run know what the runs before it wrote.
    const auto folder = is_remote(place) ? context.config.data_dir + "/backup" : place;
    auto store = open_store(context.config, Opening::existing);
    if (!store) return fail(store.error());
    Result<care::BackupReport> report = Error{Errc::unavailable, ""};
    {
        ProgressBar bar("backing up");
        report = care::backup(*(*store)->kv, folder + "/store", now(), drawn_on(bar),
                              [](const auto& text) { note(text); });
    }
    if (!report) {
        return fail(report.error(), "start it again: what is written is not written twice");
    }
    auto saved = save_machine(context.config, context.config_file, folder, report->snapshot);
    if (!saved) return fail(saved.error());
    if (is_remote(place)) {
        if (auto sent = synchronise(folder + "/", remote(place)); !sent) return fail(sent.error());
    }
    return report_backup(context, place, *report);
}

// The store that is there steps aside; nothing is deleted. Errors: exists, unavailable.
Result<std::string> make_room(const config::Config& config, bool replace) {
    std::error_code problem;
    const fs::path store = config.store_folder();
    if (!fs::exists(store, problem)) return std::string();
    if (!replace) {
        return Error{Errc::exists,
                     store.string() + " holds mail; --replace puts it aside and restores"};
    }
    const auto aside =
        config.data_dir + "/store-before-" + std::to_string(now().time_since_epoch().count());
    fs::rename(store, aside, problem);
    if (problem) return Error{Errc::unavailable, store.string() + ": " + problem.message()};
    return aside;
}

int report_restore(const Context& context, const care::RestoreReport& report,
                   const std::string& aside, const std::vector<std::string>& left) {
    for (const auto& file : left) note(file + " was left as it is");
    if (context.json) {
        print_json(nlohmann::json{{"snapshot", report.snapshot},
                                  {"mailboxes", report.mailboxes},
                                  {"messages", report.messages},
                                  {"problems", report.problems},
                                  {"put_aside", aside},
                                  {"left", left}});
    } else {
        print(std::to_string(report.messages) + " messages in " + std::to_string(report.mailboxes) +
              " mailboxes, configuration and keys restored from " + report.snapshot + "\n");
        if (!aside.empty()) print("The store that was here: " + aside + "\n");
        print("Next: postern config check, then systemctl start postern\n");
    }
    if (report.problems == 0) return exit_ok;
    return fail(exit_failure, std::to_string(report.problems) + " problems, named above");
}

int restore(Context& context, const BackupOptions& options) {
    if (auto good = check_place(options.place); !good) return fail(good.error());
    auto lock = serve::InstanceLock::take(context.config);
    if (!lock) {
        return fail(exit_unavailable, lock.error().text, "stop it with: systemctl stop postern");
    }
    auto folder = options.place;
    if (is_remote(options.place)) {
        folder = context.config.data_dir + "/backup";
        std::error_code problem;
        fs::create_directories(folder, problem);
        auto fetched = synchronise(remote(options.place), folder + "/");
        if (!fetched) return fail(fetched.error());
    }
    // Before anything is put aside: whether there is something to restore.
    if (auto there = care::snapshots(folder + "/store"); !there || there->empty()) {
        return fail(exit_bad_data, options.place + ": holds no backup of a gateway");
    }
    const auto aside = make_room(context.config, options.replace);
    if (!aside) return fail(aside.error());
    auto store = open_store(context.config, Opening::create);
    if (!store) return fail(store.error());
    care::RestoreOptions restoring;
    restoring.folder = folder + "/store";
    restoring.snapshot = options.at;
    restoring.now = now();
    Result<care::RestoreReport> report = Error{Errc::unavailable, ""};
    {
        ProgressBar bar("restoring");
        report = care::restore(*(*store)->kv, restoring, drawn_on(bar),
                               [](const auto& text) { note(text); });
    }
    if (!report) return fail(report.error());
    auto left = restore_machine(context.config, context.config_file, folder, report->snapshot);
    if (!left) return fail(left.error(), "the mail is back, the configuration is not");
    return report_restore(context, *report, *aside, *left);
}

}  // namespace

void add_backup(CLI::App& app, Action& chosen) {
    auto options = std::make_shared<BackupOptions>();
    auto* saved = app.add_subcommand("backup", "Back the whole gateway up: mail, settings, keys.");
    saved->add_option("TARGET", options->place,
                      "A folder, or ssh:[USER@]HOST:/FOLDER. Default: backup.target.");
    saved->add_flag("--scheduled", options->scheduled, "Do nothing when there is no target.");
    saved->footer(
        "Works beside a running gateway. The first run writes everything, later ones what is new;\n"
        "each is a snapshot that can be restored. A run that was ended is taken up by the next.\n"
        "To another machine it goes by rsync over ssh, with a copy in the data folder.\n"
        "A backup holds passwords' hashes and private keys: keep it as safe as the gateway.\n\n"
        "Example:\n"
        "  postern backup /mnt/disk2/postern\n"
        "  postern backup ssh:backup@host.example.org:/srv/postern");
    choose(*saved, chosen, options, backup);
    auto* restored = app.add_subcommand("restore", "Bring the whole gateway back from a backup.");
    restored->add_option("SOURCE", options->place, "As TARGET of postern backup.")->required();
    restored->add_option("--at", options->at,
                         "The last snapshot up to this one, as in 20260131T235959Z.");
    restored->add_flag("--replace", options->replace, "Put aside the store that is here.");
    restored->footer(
        "Only while the gateway is stopped. Mail comes back with its UIDs, and clients notice\n"
        "nothing. One user's mail, or one mailbox: postern store restore --user.\n\n"
        "Example:\n"
        "  systemctl stop postern\n"
        "  postern restore /mnt/disk2/postern --replace");
    choose(*restored, chosen, options, restore);
}

}  // namespace postern::cli

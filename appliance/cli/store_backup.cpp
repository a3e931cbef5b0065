#include "appliance/cli/drawn_on.h"
#include "appliance/cli/sizes.h"
#include "appliance/cli/store_commands.h"
#include "appliance/cli/terminal.h"
#include "gateway/serve/run_folder.h"
#include "store/care/export.h"

#include <nlohmann/json.hpp>

namespace postern::cli {

namespace {

int ended(std::uint64_t problems) {
    if (problems == 0) return exit_ok;
    return fail(exit_failure, std::to_string(problems) + " problems, named above",
                "look at the store with: postern store check");
}

}  // namespace

int backup_store(Context& context, const StoreOptions& options) {
    auto store = open_store(context.config, Opening::existing);
    if (!store) return fail(store.error());
    ProgressBar bar("backing up");
    const auto report = care::backup(*(*store)->kv, options.folder, now(), drawn_on(bar),
                                     [](const auto& text) { note(text); });
    if (!report)
        return fail(report.error(), "start it again: what is written is not written twice");
    if (context.json) {
        print_json(nlohmann::json{{"snapshot", report->snapshot},
                                  {"mailboxes", report->mailboxes},
                                  {"unchanged", report->unchanged},
                                  {"messages", report->messages},
                                  {"added_bytes", report->added_bytes},
                                  {"moving", report->moving},
                                  {"problems", report->problems}});
    } else {
        print("snapshot " + report->snapshot + ": " + std::to_string(report->mailboxes) +
              " mailboxes, " + std::to_string(report->unchanged) + " of them unchanged, " +
              size_text(report->added_bytes) + " written\n");
    }
    if (report->moving > 0) {
        note(std::to_string(report->moving) +
             " accounts changed all the while; what moved in them may be missing from this run");
    }
    return ended(report->problems);
}

int restore_store(Context& context, const StoreOptions& options) {
    if (!options.mailbox.empty() && options.address.empty()) {
        return fail(exit_usage, "--mailbox needs --user");
    }
    std::unique_ptr<serve::InstanceLock> lock;
    if (options.address.empty()) {
        auto taken = serve::InstanceLock::take(context.config);
        if (!taken) {
            return fail(exit_unavailable,
                        "a whole store can only be restored while the gateway is stopped",
                        "give --user ADDRESS for one user's mail");
        }
        lock = std::move(*taken);
    }
    auto store =
        open_store(context.config, options.address.empty() ? Opening::create : Opening::existing);
    if (!store) return fail(store.error());
    care::RestoreOptions restoring;
    restoring.folder = options.folder;
    restoring.snapshot = options.at;
    restoring.address = options.address;
    restoring.mailbox = options.mailbox;
    restoring.now = now();
    ProgressBar bar("restoring");
    const auto report = care::restore(*(*store)->kv, restoring, drawn_on(bar),
                                      [](const auto& text) { note(text); });
    if (!report) return fail(report.error());
    if (context.json) {
        print_json(nlohmann::json{{"snapshot", report->snapshot},
                                  {"mailboxes", report->mailboxes},
                                  {"messages", report->messages},
                                  {"names", report->names},
                                  {"problems", report->problems}});
    } else {
        print(std::to_string(report->messages) + " messages in " +
              std::to_string(report->mailboxes) + " mailboxes restored from " + report->snapshot +
              "\n");
        for (const auto& name : report->names) print("  " + name + "\n");
    }
    return ended(report->problems);
}

int export_mail(Context& context, const StoreOptions& options) {
    auto store = open_mail(context.config, Opening::existing);
    if (!store) return fail(store.error());
    const auto user = find_user(**store, options.address);
    if (!user) return fail(user.error());
    care::ExportOptions exporting;
    exporting.account = user->id;
    exporting.folder = options.folder;
    exporting.mailbox = options.mailbox;
    if (options.format == "mbox") exporting.format = care::ExportFormat::mbox;
    ProgressBar bar("exporting");
    const auto report = care::export_mail(*(*store)->mail, exporting, drawn_on(bar),
                                          [](const auto& text) { note(text); });
    if (!report) return fail(report.error());
    if (context.json) {
        print_json(nlohmann::json{{"mailboxes", report->mailboxes},
                                  {"messages", report->messages},
                                  {"bytes", report->bytes},
                                  {"there_already", report->there},
                                  {"problems", report->problems}});
    } else {
        print(std::to_string(report->messages) + " messages exported, " +
              std::to_string(report->there) + " were there already\n");
    }
    return ended(report->problems);
}

}  // namespace postern::cli

#include "appliance/cli/sizes.h"
#include "appliance/cli/store_commands.h"
#include "appliance/cli/terminal.h"
#include "gateway/serve/run_folder.h"
#include "store/care/check.h"
#include "store/care/stats.h"

#include <nlohmann/json.hpp>

namespace postern::cli {

namespace {

int check_store(Context& context, const StoreOptions& options, bool repair) {
    // With the lock no gateway can start: then also what nothing leads to can be judged.
    const auto lock =
        repair ? serve::InstanceLock::take(context.config)
               : Result<std::unique_ptr<serve::InstanceLock>>(Error{Errc::exists, "not wanted"});
    auto store = open_store(context.config, Opening::existing);
    if (!store) return fail(store.error());
    care::CheckOptions checking;
    checking.repair = repair;
    checking.alone = lock.has_value();
    checking.read_bodies = !options.quick;
    checking.now = now();
    if (!options.address.empty()) {
        const auto user = find_user(**store, options.address);
        if (!user) return fail(user.error());
        checking.only = user->id;
    }
    ProgressBar bar(repair ? "repairing" : "checking");
    checking.progress = [&](std::uint64_t done, std::uint64_t total, std::uint64_t messages) {
        bar.update(done, total, messages);
    };
    auto rows = nlohmann::json::array();
    checking.found = [&](const care::Finding& finding) {
        rows.push_back(
            {{"where", finding.where}, {"what", finding.what}, {"mended", finding.mended}});
        if (!context.json) {
            print(finding.where + ": " + finding.what + (finding.mended ? " (mended)\n" : "\n"));
        }
    };
    const auto report = care::check_store(*(*store)->kv, checking);
    if (!report) return fail(report.error());
    if (context.json) {
        print_json(nlohmann::json{{"accounts", report->accounts},
                                  {"mailboxes", report->mailboxes},
                                  {"messages", report->messages},
                                  {"bodies", report->bodies},
                                  {"bytes", report->bytes},
                                  {"busy", report->busy},
                                  {"mended", report->mended},
                                  {"leftovers", report->leftovers},
                                  {"clean", report->clean()},
                                  {"findings", std::move(rows)}});
    } else {
        print(std::to_string(report->messages) + " messages in " +
              std::to_string(report->mailboxes) + " mailboxes checked" +
              (report->busy == 0 ? "" : ", " + std::to_string(report->busy) + " of them busy") +
              ": " + std::to_string(report->findings) + " findings, " +
              std::to_string(report->mended) + " mended\n");
        if (report->leftovers > 0) {
            print(std::to_string(report->leftovers) +
                  " bodies or empty mailboxes are left of interrupted work; they only take space, "
                  "and\n"
                  "go with: postern store repair, while the gateway is stopped\n");
        }
    }
    if (report->clean()) return exit_ok;
    return fail(exit_failure, "the store is not sound",
                !repair            ? "mend it with: postern store repair"
                : lock.has_value() ? "what is left cannot be mended; restore it from a backup"
                                   : "some of it can only be mended while the gateway is stopped");
}

std::string row(const char* name, std::uint64_t bytes) {
    return padded(name, 28, false) + padded(size_text(bytes), 12, true) + "\n";
}

std::uint64_t less(std::uint64_t from, std::uint64_t bytes) {
    return from < bytes ? 0 : from - bytes;
}
std::uint64_t saved_by_zstd(const care::Stats& stats) {
    return less(stats.single_bytes, stats.without_dictionary_bytes + stats.part_bytes);
}
std::uint64_t saved_by_dictionary(const care::Stats& stats) {
    return less(stats.without_dictionary_bytes, stats.body_bytes + stats.dictionary_bytes);
}

}  // namespace

Result<directory::User> find_user(StoreAccess& store, const std::string& address) {
    auto user = store.directory.find(address);
    if (!user) return user.error();
    if (*user) return std::move(**user);
    return Error{Errc::not_found, address + ": no such user; see them with: postern user list"};
}

int check_store(Context& context, const StoreOptions& options) {
    return check_store(context, options, false);
}
int repair_store(Context& context, const StoreOptions& options) {
    return check_store(context, options, true);
}

int store_stats(Context& context, const StoreOptions&) {
    auto store = open_store(context.config, Opening::existing);
    if (!store) return fail(store.error());
    ProgressBar bar("measuring");
    const auto stats = care::measure(
        *(*store)->kv, [&](std::uint64_t done, std::uint64_t total, std::uint64_t messages) {
            bar.update(done, total, messages);
        });
    if (!stats) return fail(stats.error());
    const auto& space = stats->space;
    const double ratio = space.file_bytes == 0 ? 0
                                               : static_cast<double>(stats->message_bytes) /
                                                     static_cast<double>(space.file_bytes);
    if (context.json) {
        print_json(nlohmann::json{{"accounts", stats->accounts},
                                  {"mailboxes", stats->mailboxes},
                                  {"messages", stats->messages},
                                  {"bodies", stats->bodies},
                                  {"shared_bodies", stats->shared_bodies},
                                  {"message_bytes", stats->message_bytes},
                                  {"unique_bytes", stats->unique_bytes},
                                  {"single_bytes", stats->single_bytes},
                                  {"body_bytes", stats->body_bytes},
                                  {"parts", stats->parts},
                                  {"part_uses", stats->part_uses},
                                  {"part_bytes", stats->part_bytes},
                                  {"dictionaries", stats->dictionaries},
                                  {"dictionary_bytes", stats->dictionary_bytes},
                                  {"without_dictionary_bytes", stats->without_dictionary_bytes},
                                  {"saved_by_sharing", stats->message_bytes - stats->single_bytes},
                                  {"saved_by_zstd", saved_by_zstd(*stats)},
                                  {"saved_by_dictionary", saved_by_dictionary(*stats)},
                                  {"row_bytes", stats->row_bytes},
                                  {"summary_bytes", stats->summary_bytes},
                                  {"report_bytes", stats->report_bytes},
                                  {"bitmap_bytes", stats->bitmap_bytes},
                                  {"history_bytes", stats->history_bytes},
                                  {"other_bytes", stats->other_bytes},
                                  {"file_bytes", space.file_bytes},
                                  {"free_bytes", space.free_bytes},
                                  {"row_page_bytes", space.row_bytes},
                                  {"body_page_bytes", space.blob_bytes},
                                  {"ratio", ratio}});
        return exit_ok;
    }
    char line[120];
    std::snprintf(line, sizeof line, "%llu messages in %llu mailboxes of %llu accounts\n\n",
                  static_cast<unsigned long long>(stats->messages),
                  static_cast<unsigned long long>(stats->mailboxes),
                  static_cast<unsigned long long>(stats->accounts));
    std::string table = line;
    table += row("Mail as users see it", stats->message_bytes) +
             row("  each body once", stats->unique_bytes) +
             row("  each large part once", stats->single_bytes) +
             row("Bodies, compressed", stats->body_bytes) +
             row("  without a dictionary", stats->without_dictionary_bytes) +
             row("Large parts, compressed", stats->part_bytes) +
             row("Dictionaries", stats->dictionary_bytes) + row("Message rows", stats->row_bytes) +
             row("Summaries", stats->summary_bytes) + row("Filter reports", stats->report_bytes) +
             row("Bitmaps", stats->bitmap_bytes) + row("History", stats->history_bytes) +
             row("Other rows", stats->other_bytes) + row("Files", space.file_bytes) +
             row("  free inside", space.free_bytes);
    table += "\n" + row("Saved by sharing", stats->message_bytes - stats->single_bytes) +
             row("Saved by zstd", saved_by_zstd(*stats)) +
             row("Saved by dictionaries", saved_by_dictionary(*stats));
    std::snprintf(line, sizeof line, "\nOne byte on disk holds %.2f bytes of mail.\n", ratio);
    print(table + line);
    return exit_ok;
}

int compact_store(Context& context, const StoreOptions&) {
    const auto lock = serve::InstanceLock::take(context.config);
    if (!lock) {
        return fail(
            exit_unavailable, "the store can only be compacted while the gateway is stopped",
            "free space inside the files is used again without it; see: postern store stats");
    }
    ProgressBar bar("compacting");
    const auto done =
        kv::compact_lmdb_store(context.config.store_folder(),
                               [&](unsigned part, unsigned parts) { bar.update(part, parts, 0); });
    if (!done) return fail(done.error());
    if (context.json) {
        print_json(nlohmann::json{{"bytes_before", done->bytes_before},
                                  {"bytes_after", done->bytes_after}});
    } else {
        print(size_text(done->bytes_before) + " before, " + size_text(done->bytes_after) +
              " after\n");
    }
    return exit_ok;
}

}  // namespace postern::cli

#include "appliance/cli/choose.h"
#include "appliance/cli/commands.h"
#include "appliance/cli/store_commands.h"
#include "appliance/cli/uidl_source.h"

#include <CLI/CLI.hpp>

#include <memory>

namespace postern::cli {

namespace {

using Options = std::shared_ptr<StoreOptions>;

void add_checks(CLI::App& group, const Options& options, Action& chosen) {
    for (const bool repair : {false, true}) {
        auto* sub = repair ? add_command(group, "repair",
                                         "Check, mend what can be mended, and say what cannot.",
                                         options, chosen, repair_store)
                           : add_command(group, "check",
                                         "Verify rows, bodies, counters, history, quota and spool.",
                                         options, chosen, check_store);
        sub->add_flag("--quick", options->quick, "Do not read the bodies themselves.");
        in_ascii(sub->add_option("--user", options->address, "Only this user's mailboxes."));
        sub->footer(
            repair ? "Works beside a running gateway. Bodies and mailboxes that nothing leads to\n"
                     "are only touched while it is stopped."
                   : "Works beside a running gateway. Exit status 1: something is wrong.");
    }
    add_command(group, "stats", "Show what is stored and what it takes, by kind.", options, chosen,
                store_stats);
    add_command(group, "train-dictionary", "Learn from the mail how to store the next smaller.",
                options, chosen, train_dictionary)
        ->footer(
            "Works beside a running gateway. Reads some thousand messages at random; mail that\n"
            "comes in afterwards is compressed with what they have in common. Worth it once there\n"
            "is real mail, and again when mail has changed.");
    add_command(group, "compact", "Give free space in the files back to the disk.", options, chosen,
                compact_store)
        ->footer("Only while the gateway is stopped. May be ended and started again.");
    auto* indexed = add_command(group, "reindex", "Build the index for searches in texts anew.",
                                options, chosen, reindex_store);
    in_ascii(indexed->add_option("--user", options->address, "Only this user's mailboxes."));
    indexed->add_option("--mailbox", options->mailbox, "Only this mailbox of the user.");
    indexed->footer(
        "Never necessary: the gateway writes the index by itself, and searches answer the same\n"
        "without it, only slower. Works beside a running gateway.");
}

void add_backups(CLI::App& group, const Options& options, Action& chosen) {
    auto* saved = add_command(group, "backup", "Add what is new to a backup folder.", options,
                              chosen, backup_store);
    saved->add_option("FOLDER", options->folder, "Of the backup, made when missing.")->required();
    saved->footer(
        "Works beside a running gateway. Each run is a snapshot that can be restored; only\n"
        "what no earlier run wrote is written. May be ended and started again.");
    auto* restored = add_command(group, "restore", "Bring mail back from a backup folder.", options,
                                 chosen, restore_store);
    restored->add_option("FOLDER", options->folder, "Of the backup.")->required();
    restored->add_option("--at", options->at,
                         "The last snapshot up to this one, as in 20260131T235959Z.");
    in_ascii(restored->add_option("--user", options->address, "Only this user's mail."));
    restored->add_option("--mailbox", options->mailbox, "Only this mailbox of the user.");
    restored->footer(
        "Without --user: everything, into an empty data folder, gateway stopped; UIDs stay.\n"
        "With --user: beside what is there; a name that is taken comes back below\n"
        "\"Restored TIME\".");
}

}  // namespace

void add_store(CLI::App& app, Action& chosen) {
    auto* group = app.add_subcommand("store", "Care for the stored mail.");
    group->require_subcommand(1);
    auto options = std::make_shared<StoreOptions>();
    add_checks(*group, options, chosen);
    add_backups(*group, options, chosen);
    auto* out = add_command(*group, "export", "Write a user's mail as Maildir or mbox.", options,
                            chosen, export_mail);
    in_ascii(out->add_option("USER", options->address, "The user's address."))->required();
    out->add_option("FOLDER", options->folder, "Where to, made when missing.")->required();
    out->add_option("--mailbox", options->mailbox, "Only this mailbox.");
    out->add_option("--format", options->format, "maildir or mbox.")
        ->check(CLI::IsMember({"maildir", "mbox"}));
    out->footer(
        "Flags, keywords and dates come along. Goes on past damaged messages and names them.\n"
        "Started again, it writes what is missing.");
    auto* in = add_command(*group, "import", "Read a user's mail from Maildir, mbox or files.",
                           options, chosen, import_mail);
    in_ascii(in->add_option("USER", options->address, "The user's address."))->required();
    in->add_option("PATH", options->paths, "Maildirs, mbox files, messages, or folders.")
        ->required();
    in->add_option("--mailbox", options->mailbox, "All of it into this one.");
    in->add_option("--uidl", options->uidl,
                   "Keep the unique ids that POP3 clients know: from courierpop3dsizelist "
                   "(courier), dovecot-uidlist (dovecot), the file's name (file-name: qmail) or "
                   "the field X-UIDL (x-uidl).")
        ->check(CLI::IsMember(UidlSource::kinds()));
    in->footer(
        "Mailboxes follow from Maildir++ folders and mbox names. Started again soon after it\n"
        "was ended, it doubles nothing.");
}

}  // namespace postern::cli

#include "appliance/cli/choose.h"
#include "appliance/cli/commands.h"
#include "appliance/cli/sizes.h"
#include "appliance/cli/store_access.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>

namespace postern::cli {

namespace {

const char* name_of(mail::SpecialUse use) {
    switch (use) {
        case mail::SpecialUse::none:
            return "";
        case mail::SpecialUse::archive:
            return "archive";
        case mail::SpecialUse::drafts:
            return "drafts";
        case mail::SpecialUse::junk:
            return "junk";
        case mail::SpecialUse::sent:
            return "sent";
        case mail::SpecialUse::trash:
            return "trash";
    }
    return "";
}

nlohmann::json mailbox_json(const mail::MailboxInfo& box, const mail::Status& status) {
    return {{"name", box.name},
            {"special_use", name_of(box.special_use)},
            {"subscribed", box.subscribed},
            {"selectable", box.selectable},
            {"messages", status.messages},
            {"unseen", status.unseen},
            {"own_seen", status.own_seen},
            {"deleted", status.deleted},
            {"bytes", status.bytes},
            {"uid_validity", status.uid_validity},
            {"uid_next", status.uid_next},
            {"highest_modseq", status.highest_modseq}};
}

int mailbox_list(Context& context, const std::string& address) {
    auto store = open_mail(context.config, Opening::existing);
    if (!store) return fail(store.error());
    const auto user = (*store)->directory.find(address);
    if (!user) return fail(user.error());
    if (!user->has_value()) {
        return fail(exit_failure, address + ": no such user", "see them with: postern user list");
    }
    const auto boxes = (*store)->mail->list((*user)->id);
    if (!boxes) return fail(boxes.error());
    std::size_t width = 4;
    for (const auto& box : *boxes) width = std::max(width, box.name.size());
    auto rows = nlohmann::json::array();
    std::string table =
        padded("NAME", width, false) + "  USE      MESSAGES   UNSEEN         BYTES\n";
    for (const auto& box : *boxes) {
        auto status = box.selectable ? (*store)->mail->status(box.id) : mail::Status{};
        if (!status) return fail(status.error());
        rows.push_back(mailbox_json(box, *status));
        table += padded(box.name, width, false) + "  " +
                 padded(name_of(box.special_use), 7, false) + "  " +
                 padded(std::to_string(status->messages), 8, true) + " " +
                 padded(std::to_string(status->unseen), 8, true) + " " +
                 padded(std::to_string(status->bytes), 13, true) + "\n";
    }
    if (context.json) {
        print_json(nlohmann::json{{"user", (*user)->address}, {"mailboxes", std::move(rows)}});
    } else {
        print(table);
    }
    return exit_ok;
}

}  // namespace

void add_mailbox(CLI::App& app, Action& chosen) {
    auto* group = app.add_subcommand("mailbox", "What a user's mailboxes hold.");
    group->require_subcommand(1);
    auto* listed = group->add_subcommand("list", "List a user's mailboxes with their counts.");
    listed->footer("Example:\n  postern mailbox list ann@example.org --json");
    auto address = std::make_shared<std::string>();
    in_ascii(listed->add_option("USER", *address, "The user's address."))->required();
    choose(*listed, chosen, address, mailbox_list);
}

}  // namespace postern::cli

#include "appliance/cli/acl.h"

#include "appliance/cli/choose.h"
#include "appliance/cli/store_access.h"
#include "gateway/sharing/sharing.h"
#include "protocols/imap/rights.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <memory>
#include <utility>
#include <vector>

namespace postern::cli {

namespace {

struct AclOptions {
    std::string owner;
    std::string whom;
    std::string rights;
    std::string seen;
    std::vector<std::string> mailboxes;  // empty: all
};

constexpr std::pair<const char*, const char*> named_rights[] = {
    {"read", "lrs"},
    {"write", "lrswite"},
    {"answer", "lrswipte"},
    {"full", "lrswipkxte"},
    {"all", "lrswipkxtea"}};

std::optional<std::string> letters_of(const std::string& text) {
    for (const auto& [name, letters] : named_rights) {
        if (text == name) return letters;
    }
    return imap::parse_rights(text);
}

struct Opened {
    std::unique_ptr<StoreAccess> store;
    sharing::Who owner;
    std::vector<mail::MailboxInfo> boxes;  // those that were named, else all
};

// nullopt: the reason was said, and `code` is the exit code.
std::optional<Opened> open(Context& context, const AclOptions& options, int& code) {
    auto store = open_mail(context.config, Opening::existing);
    if (!store) {
        code = fail(store.error());
        return std::nullopt;
    }
    const auto user = (*store)->directory.find(options.owner);
    if (!user || !*user) {
        code = user ? fail(exit_failure, options.owner + ": no such user",
                           "see them with: postern user list")
                    : fail(user.error());
        return std::nullopt;
    }
    Opened out{std::move(*store), {(*user)->id, (*user)->address}, {}};
    for (const auto& name : options.mailboxes) {
        auto box = out.store->mail->find(out.owner.id, name);
        if (!box) {
            code = fail(exit_failure, name + ": no such mailbox of " + out.owner.address,
                        "see them with: postern mailbox list " + out.owner.address);
            return std::nullopt;
        }
        out.boxes.push_back(std::move(*box));
    }
    if (!options.mailboxes.empty()) return out;
    auto all = out.store->mail->list(out.owner.id);
    if (!all) {
        code = fail(all.error());
        return std::nullopt;
    }
    for (auto& box : *all) {
        if (box.selectable) out.boxes.push_back(std::move(box));
    }
    return out;
}

int acl_list(Context& context, const AclOptions& options) {
    int code = exit_ok;
    auto opened = open(context, options, code);
    if (!opened) return code;
    auto rows = nlohmann::json::array();
    auto own_seen = nlohmann::json::array();
    for (const auto& box : opened->boxes) {
        const auto status = opened->store->mail->status(box.id);
        if (!status) return fail(status.error());
        if (status->own_seen) own_seen.push_back(box.name);
        if (status->own_seen && !context.json) print(box.name + "  each person's own \\Seen\n");
        const auto rights = opened->store->mail->rights(box.id);
        if (!rights) return fail(rights.error());
        for (const auto& [whom, letters] : *rights) {
            rows.push_back({{"mailbox", box.name}, {"identifier", whom}, {"rights", letters}});
            if (!context.json) print(box.name + "  " + whom + "  " + letters + "\n");
        }
    }
    if (context.json) {
        print_json(nlohmann::json{{"owner", opened->owner.address},
                                  {"rights", std::move(rows)},
                                  {"own_seen", std::move(own_seen)}});
    }
    return exit_ok;
}

int acl_change(Context& context, const AclOptions& options, const std::string& letters) {
    int code = exit_ok;
    auto opened = open(context, options, code);
    if (!opened) return code;
    directory::Shares shares(*opened->store->kv);
    sharing::Sharing sharing(opened->store->directory, shares, *opened->store->mail);
    for (const auto& box : opened->boxes) {
        const auto done =
            sharing.change(opened->owner, box.id, options.whom, FlagMode::replace, letters);
        if (done) continue;
        return fail(done.error(), done.error().code == Errc::invalid
                                      ? "rights are given to users (see: postern user list) and "
                                        "to anyone"
                                      : "");
    }
    return exit_ok;
}

int acl_set(Context& context, const AclOptions& options) {
    const auto letters = letters_of(options.rights);
    if (letters) return acl_change(context, options, *letters);
    return fail(exit_usage, options.rights + ": not a set of rights",
                "give read, write, answer, full, all, or letters of lrswipkxtea");
}

int seen(Context& context, const AclOptions& options) {
    int code = exit_ok;
    auto opened = open(context, options, code);
    if (!opened) return code;
    for (const auto& box : opened->boxes) {
        const auto done = mail::wait<void>([&](mail::Done<void> each) {
            opened->store->mail->set_own_seen(box.id, options.seen == "own", std::move(each));
        });
        if (!done) return fail(done.error(), box.name + " stays as it was");
    }
    return exit_ok;
}

int acl_remove(Context& context, const AclOptions& options) {
    return acl_change(context, options, "");
}

CLI::App* add_owned(CLI::App& group, const char* name, const char* help,
                    const std::shared_ptr<AclOptions>& options, Action& chosen,
                    int (*run)(Context&, const AclOptions&)) {
    auto* sub = add_command(group, name, help, options, chosen, run);
    in_ascii(sub->add_option("OWNER", options->owner, "The address whose mailboxes they are."))
        ->required();
    return sub;
}

}  // namespace

void add_acl(CLI::App& app, Action& chosen) {
    auto* group =
        app.add_subcommand("acl", "Who else may use a user's or a group's mailboxes (RFC 4314).");
    group->require_subcommand(1);
    group->footer(
        "Rights: l see it in lists, r read, s mark as seen, w other flags, i put messages in,\n"
        "t mark as deleted, e expunge, k make mailboxes below, x remove it, a change these "
        "rights,\n"
        "p (of INBOX) send as its owner. In short: read is lrs, write lrswite, answer lrswipte,\n"
        "full lrswipkxte, all lrswipkxtea. \"anyone\" is everybody of the owner's domain;\n"
        "\"-ann@example.org\" takes rights away again. A running daemon knows at once.\n\n"
        "Example: a mailbox that ann and bob work together\n"
        "  postern user add info@example.org --group\n"
        "  postern acl set info@example.org ann@example.org answer\n"
        "  postern acl set info@example.org bob@example.org write\n"
        "  postern acl list info@example.org --json");
    auto options = std::make_shared<AclOptions>();
    const auto boxes = [&](CLI::App* sub) {
        sub->add_option("--mailbox", options->mailboxes,
                        "This mailbox alone, not all that there are now; may be repeated.");
    };
    boxes(add_owned(*group, "list", "List the rights that were given, one a line.", options, chosen,
                    acl_list));
    auto* given = add_owned(*group, "set", "Give rights, in place of those before.", options,
                            chosen, acl_set);
    in_ascii(given->add_option("WHOM", options->whom, "An address, or anyone."))->required();
    given->add_option("RIGHTS", options->rights, "read, write, answer, full, all, or letters.")
        ->required();
    boxes(given);
    auto* taken = add_owned(*group, "remove", "Take all rights away.", options, chosen, acl_remove);
    in_ascii(taken->add_option("WHOM", options->whom, "As it was given."))->required();
    boxes(taken);
    auto* whose = add_owned(*group, "seen", "Whether what one has read is read for all.", options,
                            chosen, seen);
    whose->add_option("WHOSE", options->seen, "own: each person's own; common: all see the same.")
        ->required()
        ->check(CLI::IsMember({"own", "common"}));
    boxes(whose);
    whose->footer(
        "With \"own\", all but the owner begin with \\Seen as it is, and from then on each has it\n"
        "apart. With \"common\", all see the owner's again. All other flags are always common. A\n"
        "mailbox made below takes it over.\n\n"
        "Example:\n"
        "  postern acl seen info@example.org own");
}

}  // namespace postern::cli

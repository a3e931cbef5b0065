#include "appliance/cli/accounts.h"
#include "appliance/cli/choose.h"
#include "appliance/cli/commands.h"
#include "appliance/cli/pool_options.h"
#include "appliance/cli/store_access.h"
#include "appliance/cli/terminal.h"
#include "store/directory/shares.h"
#include "store/mail/mailbox_names.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::cli {

namespace {

struct UserOptions {
    std::string address;
    std::string domain;
    std::string pool;
    std::vector<std::string> pop3_mailboxes;
    std::optional<std::uint32_t> pop3_expire_days;
    bool password_stdin = false;
    bool group = false;
    bool yes = false;
};

Result<NewPassword> new_password(const UserOptions& options) {
    const auto password = options.password_stdin
                              ? read_password_line()
                              : ask_new_password("Password for " + options.address);
    if (!password) return password.error();
    return make_password(*password);
}

int fail_password(const Error& error) {
    return fail(error.code == Errc::unavailable ? exit_usage : exit_bad_data, error.text,
                "give the password as one line on standard input with --password-stdin");
}

int user_add(Context& context, const UserOptions& options) {
    auto store = open_mail(context.config, Opening::create);
    if (!store) return fail(store.error());
    auto& directory = (*store)->directory;
    const auto known = directory.find(options.address);
    if (known && known->has_value()) {
        return fail(exit_failure, (*known)->address + " exists already",
                    "change its password with: postern user passwd " + (*known)->address);
    }
    auto password = options.group ? NewPassword() : new_password(options);
    if (!password) return fail_password(password.error());
    auto user = create_user(**store, options.address, *password);
    if (!user) {
        return fail(user.error(), user.error().code == Errc::not_found
                                      ? "add its domain first: postern domain add DOMAIN"
                                      : std::string());
    }
    if (options.group) {
        const auto marked = directory::Shares(*(*store)->kv).set_group(user->address, true);
        if (!marked) return fail(marked.error(), "remove the user and add it again");
    }
    if (options.pool.empty()) return exit_ok;
    const auto assigned = assign_pool(**store, user->address, options.pool, {});
    if (assigned) return exit_ok;
    return fail(
        assigned.error(),
        "the user is there, but in no pool; put it into one with: postern pool assign POOL " +
            user->address);
}

int passwd(Context& context, const UserOptions& options) {
    auto store = open_store(context.config, Opening::existing);
    if (!store) return fail(store.error());
    const auto known = (*store)->directory.find(options.address);
    if (!known) return fail(known.error());
    if (!known->has_value()) return fail(exit_failure, options.address + ": no such user");
    auto password = new_password(options);
    if (!password) return fail_password(password.error());
    auto done = change_password(**store, options.address, *password);
    return done ? exit_ok : fail(done.error());
}

// Each once, in its one spelling: the unique ids depend on it.
Result<std::vector<std::string>> shown_mailboxes(mail::MailStore& store, AccountId account,
                                                 const std::vector<std::string>& names) {
    std::vector<std::string> shown;
    for (const auto& given : names) {
        auto name = mail::canonical_name(given);
        if (!name) return name.error();
        if (std::find(shown.begin(), shown.end(), *name) != shown.end()) continue;
        const auto found = store.find(account, *name);
        if (!found && found.error().code != Errc::not_found) return found.error();
        if (!found) note(*name + ": there is no such mailbox; POP3 shows it once there is one");
        shown.push_back(std::move(*name));
    }
    return shown;
}

int user_set(Context& context, const UserOptions& options) {
    if (options.pop3_mailboxes.empty() && !options.pop3_expire_days) {
        return fail(exit_usage, "nothing to set", "see: postern user set --help");
    }
    auto store = open_mail(context.config, Opening::existing);
    if (!store) return fail(store.error());
    const auto known = (*store)->directory.find(options.address);
    if (!known) return fail(known.error());
    if (!known->has_value()) return fail(exit_failure, options.address + ": no such user");
    auto preferences = (*store)->preferences.get((*known)->id);
    if (!preferences) return fail(preferences.error());
    if (!options.pop3_mailboxes.empty()) {
        auto shown = shown_mailboxes(*(*store)->mail, (*known)->id, options.pop3_mailboxes);
        if (!shown) return fail(shown.error());
        preferences->pop3_mailboxes = std::move(*shown);
    }
    if (options.pop3_expire_days) preferences->pop3_expire_days = *options.pop3_expire_days;
    const auto done = (*store)->preferences.set((*known)->id, *preferences);
    return done ? exit_ok : fail(done.error());
}

Result<void> leave_mailboxes(StoreAccess& store, const directory::User& owner,
                             const directory::User& user) {
    const auto boxes = store.mail->list(owner.id);
    if (!boxes) return boxes.error();
    for (const auto& box : *boxes) {
        if (!box.selectable) continue;
        auto done = mail::wait<void>([&](mail::Done<void> each) {
            store.mail->set_rights(box.id, user.address, "", std::move(each));
        });
        if (!done) return done;
        done = mail::wait<void>([&](mail::Done<void> each) {
            store.mail->forget_seen(box.id, user.id, std::move(each));
        });
        if (!done) return done;
    }
    return {};
}

// Whoever gets the address next is somebody else.
Result<void> take_rights(StoreAccess& store, const directory::User& user) {
    directory::Shares shares(*store.kv);
    if (auto done = shares.set_group(user.address, false); !done) return done;
    const std::string domain = user.address.substr(user.address.rfind('@'));
    for (const std::string& whom : {user.address, domain}) {
        const auto owners = shares.owners(whom);
        if (!owners) return owners.error();
        for (const auto& address : *owners) {
            const auto owner = store.directory.find(address);
            if (!owner) return owner.error();
            if (!*owner) continue;
            if (auto done = leave_mailboxes(store, **owner, user); !done) return done;
            if (whom == domain) continue;
            if (auto done = shares.remove(whom, **owner); !done) return done;
        }
    }
    return {};
}

int user_list(Context& context, const UserOptions& options) {
    auto store = open_store(context.config, Opening::existing);
    if (!store) return fail(store.error());
    auto users = (*store)->directory.users(options.domain);
    if (!users) return fail(users.error());
    auto rows = nlohmann::json::array();
    directory::Shares shares(*(*store)->kv);
    for (const auto& user : *users) {
        const auto group = shares.is_group(user.address);
        if (!group) return fail(group.error());
        if (!context.json) {
            print(user.address + (*group                       ? "  (group)\n"
                                  : user.password_hash.empty() ? "  (no password)\n"
                                                               : "\n"));
        }
        const auto preferences = (*store)->preferences.get(user.id);
        if (!preferences) return fail(preferences.error());
        const auto quota = mail::Pools(*(*store)->kv).quota_of(user.id);
        if (!quota) return fail(quota.error());
        rows.push_back({{"address", user.address},
                        {"id", user.id.value},
                        {"group", *group},
                        {"password", !user.password_hash.empty()},
                        {"pop3_mailboxes", preferences->pop3_mailboxes},
                        {"pop3_expire_days", preferences->pop3_expire_days},
                        {"cap_bytes", quota->cap.hard_bytes},
                        {"cap_messages", quota->cap.messages}});
    }
    if (context.json) print_json(nlohmann::json{{"users", std::move(rows)}});
    return exit_ok;
}

int user_remove(Context& context, const UserOptions& options) {
    auto store = open_mail(context.config, Opening::existing);
    if (!store) return fail(store.error());
    const auto known = (*store)->directory.find(options.address);
    if (!known) return fail(known.error());
    if (!known->has_value()) return fail(exit_failure, options.address + ": no such user");
    const auto& user = **known;
    if (!options.yes && is_terminal(0) &&
        !confirm("Remove " + user.address + " with all its mail?")) {
        return fail(exit_failure, "nothing was removed");
    }
    // The address goes first: nothing new arrives in an account that is being emptied.
    if (auto done = (*store)->directory.remove_user(user.address); !done) return fail(done.error());
    if (auto taken = take_rights(**store, user); !taken) {
        return fail(taken.error(), "the user is gone, but not its mail and its rights");
    }
    auto done = mail::wait<void>(
        [&](mail::Done<void> each) { (*store)->mail->remove_account(user.id, std::move(each)); });
    return done ? exit_ok
                : fail(done.error(), "the user is gone, some of its mail is still stored");
}

}  // namespace

void add_user(CLI::App& app, Action& chosen) {
    auto* group = app.add_subcommand("user", "The mailboxes' owners and their passwords.");
    group->require_subcommand(1);
    group->footer(
        "Passwords are kept as argon2id hashes. On a terminal they are asked for without echo.\n\n"
        "Example:\n"
        "  postern user add ann@example.org\n"
        "  echo secret | postern user passwd ann@example.org --password-stdin");
    auto options = std::make_shared<UserOptions>();
    const auto address = [&](CLI::App* sub) {
        in_ascii(sub->add_option("ADDRESS", options->address, "local@domain, any case."))
            ->required();
        return sub;
    };
    const auto password = [&](CLI::App* sub) {
        sub->add_flag("--password-stdin", options->password_stdin,
                      "Read the password as one line from standard input.");
    };
    auto* added = address(add_command(*group, "add", "Add a user with the usual mailboxes.",
                                      options, chosen, user_add));
    added->add_option("--pool", options->pool, "The quota pool that the user shares.");
    added->add_flag("--group", options->group,
                    "No person's: without a password, under Shared/ of those who were given "
                    "rights (postern acl).");
    password(added);
    password(
        address(add_command(*group, "passwd", "Set a user's password.", options, chosen, passwd)));
    auto* changed = address(
        add_command(*group, "set", "Set what a user wants otherwise.", options, chosen, user_set));
    changed
        ->add_option("--pop3-mailboxes", options->pop3_mailboxes,
                     "What POP3 shows, one mailbox after the other, each once; INBOX alone by "
                     "default. One that is not there is shown once it is.")
        ->expected(1, static_cast<int>(directory::max_pop3_mailboxes));
    changed->add_option("--pop3-expire-days", options->pop3_expire_days,
                        "Remove what POP3 shows when it is so many days old; 0: never (default).");
    changed->footer(
        "Both hold for the next POP3 session; what is old is removed about once an hour.\n\n"
        "Example:\n"
        "  postern user set ann@example.org --pop3-mailboxes INBOX Junk\n"
        "  postern user set ann@example.org --pop3-expire-days 90");
    auto* listed =
        add_command(*group, "list", "List the users, one a line.", options, chosen, user_list);
    in_ascii(listed->add_option("DOMAIN", options->domain, "Only the users of this domain."));
    address(add_command(*group, "remove", "Remove a user and all its mail.", options, chosen,
                        user_remove))
        ->add_flag("--yes", options->yes, "Do not ask, also on a terminal.");
}

}  // namespace postern::cli

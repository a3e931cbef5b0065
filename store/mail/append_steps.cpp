#include "store/mail/append_steps.h"

#include "store/kv/row_codec.h"
#include "store/mail/transfer.h"

#include <chrono>
#include <optional>
#include <thread>
#include <utility>

namespace postern::mail {

namespace {

using All = std::vector<Appended>;

constexpr int max_undo_tries = 5;
constexpr std::chrono::milliseconds first_undo_pause{20};  // each is twice as long as the last

Result<std::optional<Uid>> uid_of(Mailboxes& mailboxes, MailboxId mailbox,
                                  const OperationId& operation) {
    const auto row = mailboxes.store().get(mailbox_shard(mailbox), operation_key(operation));
    if (!row) return row.error();
    if (!*row) return std::optional<Uid>();
    return std::optional<Uid>(kv::RowReader(**row).u32());
}

// As many at once as one batch takes.
std::vector<std::vector<AppendInput>> groups_of(std::vector<AppendInput> inputs) {
    std::vector<std::vector<AppendInput>> groups;
    for (AppendInput& input : inputs) {
        if (groups.empty()) groups.emplace_back();
        groups.back().push_back(std::move(input));
        if (groups.back().size() == 1 || fits_together(groups.back())) continue;
        AppendInput next = std::move(groups.back().back());
        groups.back().pop_back();
        groups.emplace_back().push_back(std::move(next));
    }
    return groups;
}

Result<All> append_group(Mailboxes& mailboxes, MailboxId mailbox, std::vector<AppendInput> group,
                         const QuotaMeter::Hold& room) {
    QuotaUse use;
    for (const AppendInput& input : group) use += {input.size, 1};
    return wait<All>([&](Done<All> done) {
        // At once, so that hardly anybody finds them counted twice.
        const auto counted = [&room, use, done = std::move(done)](Result<All> some) {
            if (some && room) room->give_back(use);
            done(std::move(some));
        };
        if (group.size() > 1) {
            mailboxes.submit(mailbox, append_together_operation(std::move(group), 0, counted));
            return;
        }
        const auto one = [counted](Result<Appended> appended) {
            counted(appended ? Result<All>(All{*appended}) : Result<All>(appended.error()));
        };
        mailboxes.submit(mailbox, append_operation(std::move(group.front()), one));
    });
}

Result<bool> is_there(Mailboxes& mailboxes, MailboxId mailbox, Uid uid) {
    const auto sets = mailboxes.queue(mailbox)->sets();
    if (sets) return (*sets)->existing().contains(uid);
    if (sets.error().code == Errc::not_found) return false;
    return sets.error();
}

Result<void> expunge_one(Mailboxes& mailboxes, MailboxId mailbox, Uid uid) {
    const auto expunged = expunge_now(mailboxes, mailbox, UidSet{uid});
    // A mailbox that is gone has taken it along.
    if (!expunged && expunged.error().code != Errc::not_found) return expunged.error();
    return {};
}

bool may_pass(const Error& error) {
    return error.code == Errc::unavailable || error.code == Errc::conflict;
}

// Undoes what is written down, and answers why. Not given up at once: whoever is told of the
// failure appends the same again, and would see it twice. What can not be undone even so goes at
// the next start.
Error undone(Mailboxes& mailboxes, const Intent& intent, const Error& why) {
    auto delay = first_undo_pause;
    for (int tries = 1;; ++tries) {
        const auto gone = replay_append(mailboxes, intent);
        if (gone) {
            static_cast<void>(erase_intent(mailboxes.store(), intent.id));
            return why;
        }
        if (tries == max_undo_tries || !may_pass(gone.error())) return why;
        std::this_thread::sleep_for(delay);
        delay *= 2;
    }
}

}  // namespace

OperationId step_operation(const OperationId& intent, std::uint64_t number) {
    return derive_operation(intent, number);
}

Result<All> append_in_steps(Mailboxes& mailboxes, MailboxId mailbox, const OperationId& id,
                            std::vector<AppendInput> inputs, const QuotaMeter::Hold& room) {
    Intent intent;
    intent.id = id;
    intent.kind = Intent::Kind::append;
    intent.to = mailbox;
    intent.uids.add_range(1, static_cast<Uid>(inputs.size()));
    const auto written = write_intent(mailboxes.store(), intent);
    if (!written) return undone(mailboxes, intent, written.error());
    All all;
    for (auto& group : groups_of(std::move(inputs))) {
        const auto some = append_group(mailboxes, mailbox, std::move(group), room);
        if (!some) return undone(mailboxes, intent, some.error());
        all.insert(all.end(), some->begin(), some->end());
    }
    // As long as it is written down, the messages go at the next start.
    const auto erased = erase_intent(mailboxes.store(), intent.id);
    if (!erased) return undone(mailboxes, intent, erased.error());
    return all;
}

Result<All> replace_in_steps(Mailboxes& mailboxes, MailboxId mailbox, const OperationId& id,
                             AppendInput input, Replaced replaced, const QuotaMeter::Hold& room) {
    const auto source = mailboxes.queue(replaced.mailbox)->sets();
    if (!source) return source.error();
    Intent intent;
    intent.id = id;
    intent.kind = Intent::Kind::replace;
    // Earlier versions take what they do not know for a purge of `from`, but leave alone what is
    // among this account's mailboxes. (An append has no `from`, which they leave alone too.)
    intent.account = (*source)->head.owner;
    intent.from = replaced.mailbox;
    intent.to = mailbox;
    intent.uids.add(replaced.uid);
    const auto written = write_intent(mailboxes.store(), intent);
    if (!written) return undone(mailboxes, intent, written.error());
    std::vector<AppendInput> one;
    one.push_back(std::move(input));
    auto appended = append_group(mailboxes, mailbox, std::move(one), room);
    if (!appended) return undone(mailboxes, intent, appended.error());
    if (const auto gone = expunge_one(mailboxes, replaced.mailbox, replaced.uid); !gone) {
        // Only what is certainly there may lose the new message again; in doubt the next start
        // finishes it.
        const auto left = is_there(mailboxes, replaced.mailbox, replaced.uid);
        if (!left) return gone.error();
        if (*left) return undone(mailboxes, intent, gone.error());
    }
    static_cast<void>(erase_intent(mailboxes.store(), intent.id));
    return appended;
}

Result<void> replay_append(Mailboxes& mailboxes, const Intent& intent) {
    const bool replaces = intent.kind == Intent::Kind::replace;
    UidSet arrived;
    for (std::uint64_t number = 1; number <= (replaces ? 1 : intent.uids.size()); ++number) {
        const auto uid = uid_of(mailboxes, intent.to, step_operation(intent.id, number));
        if (!uid) return uid.error();
        if (*uid) arrived.add(**uid);
    }
    if (arrived.empty()) return {};
    const auto expunged = expunge_now(mailboxes, intent.to, arrived);
    if (!expunged && expunged.error().code != Errc::not_found) return expunged.error();
    return {};
}

// What was undone already has left its operation behind.
Result<void> replay_replace(Mailboxes& mailboxes, const Intent& intent) {
    const auto uid = uid_of(mailboxes, intent.to, step_operation(intent.id, 1));
    if (!uid) return uid.error();
    if (!*uid) return {};
    const auto there = is_there(mailboxes, intent.to, **uid);
    if (!there) return there.error();
    if (!*there) return {};
    return expunge_one(mailboxes, intent.from, intent.uids.min());
}

}  // namespace postern::mail

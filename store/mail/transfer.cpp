#include "store/mail/transfer.h"

#include "protocols/base/hash.h"
#include "store/blob/links.h"
#include "store/kv/random_id.h"
#include "store/kv/row_codec.h"

#include <algorithm>
#include <cstring>

namespace postern::mail {

namespace {

struct Chunk {
    AccountId viewer;  // whose doing it is
    MailboxId from;
    MailboxId to;
    OperationId base;
    UidSet uids;
    bool takes_room = false;
};

Result<std::string> optional_row(kv::Store& store, MailboxId mailbox, char prefix, Uid uid) {
    auto row = store.get(mailbox_shard(mailbox), uid_key(prefix, uid));
    if (!row) return row.error();
    return *row ? std::move(**row) : std::string();
}

LinkInput::EverybodysSeen seen_of(const MailboxSets& sets, const StoredMessage& source) {
    LinkInput::EverybodysSeen seen;
    if (sets.seen_mode != SeenMode::own) {
        seen.first = (source.system_flags & static_cast<std::uint8_t>(SystemFlag::seen)) != 0;
        return seen;
    }
    for (const auto& [account, marks] : sets.seen_marks) {
        if (!marks->contains(source.uid)) continue;
        if (account.value == 0) {
            seen.first = true;
        } else {
            seen.marked.push_back(account);
        }
    }
    return seen;
}

Result<std::vector<LinkInput>> read_sources(Mailboxes& mailboxes, const Chunk& chunk) {
    const auto sets = mailboxes.queue(chunk.from)->sets();
    if (!sets) return sets.error();
    const auto target = mailboxes.queue(chunk.to)->sets();
    if (!target) return target.error();
    const bool same_owner = (*sets)->head.owner == (*target)->head.owner;
    std::vector<LinkInput> inputs;
    for (Uid uid : chunk.uids.to_vector()) {
        const auto row = optional_row(mailboxes.store(), chunk.from, 'm', uid);
        if (!row) return row.error();
        if (row->empty()) continue;
        const auto source = decode_message(uid, *row);
        if (!source) return Error{Errc::corrupt, "damaged message row " + std::to_string(uid)};
        auto summary = optional_row(mailboxes.store(), chunk.from, 's', uid);
        if (!summary) return summary.error();
        auto report = optional_row(mailboxes.store(), chunk.from, 'r', uid);
        if (!report) return report.error();
        auto uidl = optional_row(mailboxes.store(), chunk.from, 'p', uid);
        if (!uidl) return uidl.error();
        LinkInput input;
        input.source = *source;
        input.flags = (*sets)->flags_of(*source, chunk.viewer);
        input.viewer = chunk.viewer;
        if (same_owner) input.seen = seen_of(**sets, *source);
        input.owner = derive_owner(chunk.base, uid);
        input.summary = std::move(*summary);
        input.report = std::move(*report);
        input.uidl = std::move(*uidl);
        input.operation = derive_operation(chunk.base, uid);
        inputs.push_back(std::move(input));
    }
    return inputs;
}

Result<void> own_bodies(kv::Store& store, const std::vector<LinkInput>& inputs) {
    std::vector<blob::Ownership> owners;
    owners.reserve(inputs.size());
    for (const LinkInput& input : inputs) {
        owners.push_back({input.source.blob, input.owner});
    }
    return blob::add_owners(store, owners);
}

// A source expunged before we became an owner may have taken its body along.
Result<void> drop_vanished(Mailboxes& mailboxes, const Chunk& chunk,
                           std::vector<LinkInput>& inputs) {
    std::vector<blob::Ownership> gone;
    std::vector<LinkInput> there;
    for (LinkInput& input : inputs) {
        const auto row = optional_row(mailboxes.store(), chunk.from, 'm', input.source.uid);
        if (!row) return row.error();
        if (row->empty()) {
            gone.push_back({input.source.blob, input.owner});
        } else {
            there.push_back(std::move(input));
        }
    }
    inputs = std::move(there);
    return gone.empty() ? Result<void>() : blob::release(mailboxes.store(), gone);
}

// After a failed link: takes back what arrived, and lets go of the rest.
Result<void> undo(Mailboxes& mailboxes, const Chunk& chunk, const std::vector<LinkInput>& inputs) {
    UidSet arrived;
    std::vector<blob::Ownership> unused;
    for (const LinkInput& input : inputs) {
        const auto row =
            mailboxes.store().get(mailbox_shard(chunk.to), operation_key(input.operation));
        if (!row) return row.error();
        if (*row) {
            arrived.add(kv::RowReader(**row).u32());
        } else {
            unused.push_back({input.source.blob, input.owner});
        }
    }
    if (!arrived.empty()) {
        const auto expunged = expunge_now(mailboxes, chunk.to, arrived);
        if (!expunged) return expunged.error();
    }
    return blob::release(mailboxes.store(), unused);
}

Result<QuotaMeter::Hold> take_room(Mailboxes& mailboxes, const Chunk& chunk,
                                   const std::vector<LinkInput>& inputs) {
    if (!chunk.takes_room || inputs.empty()) return QuotaMeter::Hold();
    const auto target = mailboxes.queue(chunk.to)->sets();
    if (!target) return target.error();
    std::uint64_t bytes = 0;
    for (const LinkInput& input : inputs) bytes += input.source.size;
    return mailboxes.meter().reserve((*target)->head.owner, {bytes, inputs.size()},
                                     QuotaRule::user);
}

struct Linked {
    Result<Copied> copied;
    bool undone = true;  // of a failure: nothing is left of it
};

Linked link_chunk(Mailboxes& mailboxes, const Chunk& chunk) {
    auto inputs = read_sources(mailboxes, chunk);
    if (!inputs) return {inputs.error()};
    const auto room = take_room(mailboxes, chunk, *inputs);
    if (!room) return {room.error()};
    const auto owned = own_bodies(mailboxes.store(), *inputs);
    const auto checked = owned ? drop_vanished(mailboxes, chunk, *inputs) : owned;
    if (!checked) return {checked.error(), static_cast<bool>(undo(mailboxes, chunk, *inputs))};
    auto copied = wait<Copied>([&](Done<Copied> done) {
        mailboxes.submit(chunk.to, link_operation(*inputs, std::move(done)));
    });
    if (copied) return {std::move(copied)};
    return {copied.error(), static_cast<bool>(undo(mailboxes, chunk, *inputs))};
}

std::vector<UidSet> split(const UidSet& uids) {
    std::vector<UidSet> chunks;
    std::size_t in_chunk = max_transfer_chunk;
    uids.for_each([&](Uid uid) {
        if (in_chunk == max_transfer_chunk) {
            chunks.emplace_back();
            in_chunk = 0;
        }
        chunks.back().add(uid);
        ++in_chunk;
        return true;
    });
    return chunks;
}

void join(Copied& all, Copied part) {
    all.uid_validity = part.uid_validity;
    all.from.insert(all.from.end(), part.from.begin(), part.from.end());
    all.to.insert(all.to.end(), part.to.begin(), part.to.end());
}

Linked move_chunk(Mailboxes& mailboxes, const Intent& intent, bool takes_room) {
    const std::lock_guard alone(mailboxes.moving_from(intent.from));
    auto linked = link_chunk(
        mailboxes, {intent.account, intent.from, intent.to, intent.id, intent.uids, takes_room});
    if (!linked.copied) return linked;
    UidSet moved;
    for (Uid uid : linked.copied->from) moved.add(uid);
    const auto expunged = expunge_now(mailboxes, intent.from, moved);
    if (!expunged) return {expunged.error(), false};
    return linked;
}

std::uint64_t derive(const OperationId& base, std::uint64_t number, std::uint64_t seed) {
    return hash64(kv::RowWriter().id(base).u64(number).take(), seed);
}

Result<bool> changes_owner(Mailboxes& mailboxes, MailboxId from, MailboxId to) {
    const auto source = mailboxes.queue(from)->sets();
    if (!source) return source.error();
    const auto target = mailboxes.queue(to)->sets();
    if (!target) return target.error();
    return (*source)->head.owner != (*target)->head.owner;
}

Result<UidSet> existing_of(Mailboxes& mailboxes, MailboxId mailbox, const UidSet& uids) {
    const auto sets = mailboxes.queue(mailbox)->sets();
    if (!sets) return sets.error();
    return (*sets)->existing() & uids;
}

}  // namespace

Result<UidSet> expunge_now(Mailboxes& mailboxes, MailboxId mailbox, const UidSet& uids) {
    auto expunged = wait<UidSet>([&](Done<UidSet> done) {
        mailboxes.submit(mailbox, expunge_operation(uids, true, std::move(done)));
    });
    if (expunged && !expunged->empty()) mailboxes.collect_garbage_soon(mailbox);
    return expunged;
}

std::uint64_t derive_owner(const OperationId& base, std::uint64_t number) {
    const std::uint64_t owner = derive(base, number, 1);
    return owner <= blob::first_owner ? owner + blob::first_owner + 1 : owner;
}

OperationId derive_operation(const OperationId& base, std::uint64_t number) {
    OperationId id;
    const std::uint64_t halves[] = {derive(base, number, 2), derive(base, number, 3)};
    static_assert(sizeof halves == sizeof id.bytes);
    std::memcpy(id.bytes.data(), halves, sizeof halves);
    return id;
}

Result<Copied> copy_messages(Mailboxes& mailboxes, Viewed from, const UidSet& uids, MailboxId to) {
    const auto there = existing_of(mailboxes, from.id, uids);
    if (!there) return there.error();
    Copied all;
    for (UidSet& chunk : split(*there)) {
        auto linked = link_chunk(
            mailboxes, {from.viewer, from.id, to, kv::random_id(), std::move(chunk), true});
        if (!linked.copied) {
            UidSet arrived;
            for (Uid uid : all.to) arrived.add(uid);
            if (!arrived.empty()) static_cast<void>(expunge_now(mailboxes, to, arrived));
            return linked.copied.error();
        }
        join(all, std::move(*linked.copied));
    }
    return all;
}

Moved move_messages(Mailboxes& mailboxes, Viewed from, const UidSet& uids, MailboxId to) {
    const auto there = existing_of(mailboxes, from.id, uids);
    if (!there) return {{}, there.error()};
    const auto takes_room = changes_owner(mailboxes, from.id, to);
    if (!takes_room) return {{}, takes_room.error()};
    Moved moved;
    for (UidSet& chunk : split(*there)) {
        Intent intent;
        intent.id = kv::random_id();
        intent.account = from.viewer;
        intent.from = from.id;
        intent.to = to;
        intent.uids = std::move(chunk);
        const auto written = write_intent(mailboxes.store(), intent);
        if (!written) return {std::move(moved.copied), written.error()};
        auto done = move_chunk(mailboxes, intent, *takes_room);
        // What could not be undone is finished at the next start; an intent of finished work is
        // harmless.
        if (done.copied || done.undone) {
            static_cast<void>(erase_intent(mailboxes.store(), intent.id));
        }
        if (!done.copied) return {std::move(moved.copied), done.copied.error()};
        join(moved.copied, std::move(*done.copied));
    }
    return moved;
}

Result<Copied> replay_move(Mailboxes& mailboxes, const Intent& intent) {
    return move_chunk(mailboxes, intent, false).copied;
}

Result<Appended> append_stored_message(Mailboxes& mailboxes, MailboxId mailbox, AppendInput input) {
    input.owner = derive_owner(input.operation, mailbox.value);
    const blob::Ownership ours{input.blob, input.owner};
    const auto owned = blob::add_owners(mailboxes.store(), {ours});
    if (!owned) return owned.error();
    auto appended = wait<Appended>([&](Done<Appended> done) {
        mailboxes.submit(mailbox, append_operation(std::move(input), std::move(done)));
    });
    // The spool still owns the body: letting go here loses nothing, and the delivery may be tried
    // again.
    if (!appended && appended.error().code == Errc::not_found) {
        static_cast<void>(blob::release(mailboxes.store(), {ours}));
    }
    return appended;
}

}  // namespace postern::mail

#include "store/care/mailbox_check.h"
#include "store/kv/row_codec.h"
#include "store/mail/mailbox_names.h"

#include <algorithm>

namespace postern::care {

namespace {

using mail::mailbox_shard;

constexpr int max_tries = 5;
constexpr std::size_t rows_per_batch = 80;  // bitmaps of up to 9 KiB

struct OldHead {
    std::vector<kv::Precondition> unchanged;
    std::optional<mail::Head> head;
};

Result<OldHead> read_head(kv::Store& store, MailboxId mailbox) {
    OldHead old;
    auto raw = store.get(mailbox_shard(mailbox), mail::head_key);
    if (!raw && raw.error().code != Errc::corrupt) return raw.error();
    // A damaged head cannot be named as a precondition; nobody can use such a mailbox either.
    if (!raw) return old;
    if (*raw) old.head = mail::decode_head(**raw);
    old.unchanged.push_back({std::string(mail::head_key), std::move(*raw)});
    return old;
}

Result<mail::Head> new_head(kv::Store& store, const NamedMailbox& mailbox,
                            const std::optional<mail::Head>& old, const Tally& tally, Time now) {
    mail::Head head;
    if (old) {
        head = *old;
    } else {
        const auto uid_validity = mail::take_uid_validity(store, now);
        if (!uid_validity) return uid_validity.error();
        head.uid_validity = *uid_validity;
    }
    const auto existing = tally.sets.find(mail::existing_set);
    const Uid last = existing == tally.sets.end() ? 0 : existing->second.max();
    head.uid_next = std::max(head.uid_next, last + 1);
    head.recent_from = std::min(head.recent_from, head.uid_next);
    head.highest_modseq = std::max(head.highest_modseq, tally.highest_modseq) + 1;
    head.journal_from = head.highest_modseq;
    head.bytes = tally.bytes;
    head.owner = mailbox.account;
    return head;
}

Result<void> add_bitmaps(const Tally& tally, std::vector<kv::Operation>& operations) {
    for (const auto& [number, set] : tally.sets) {
        for (std::uint32_t high = set.min() >> 16; high <= set.max() >> 16; ++high) {
            const UidSet part = set.slice(high << 16, high << 16 | 0xffff);
            if (part.empty()) continue;
            operations.emplace_back(kv::Put{
                mail::bitmap_key(number, static_cast<std::uint16_t>(high)), part.serialize()});
        }
    }
    return {};
}

// Rows that are rebuilt or make no sense any more: all bitmaps, the history, damaged messages.
Result<std::vector<kv::Operation>> obsolete_rows(kv::Store& store, MailboxId mailbox,
                                                 const Tally& tally) {
    std::vector<kv::Operation> operations;
    for (const char prefix : {'b', 'c'}) {
        const auto walked = for_each_page(store, mailbox_shard(mailbox), std::string(1, prefix),
                                          mail::after_prefix(prefix), [&](kv::Page& page) {
                                              for (kv::Row& row : page.rows)
                                                  operations.emplace_back(kv::Erase{row.key});
                                              for (std::string& key : page.damaged)
                                                  operations.emplace_back(kv::Erase{key});
                                              return Result<void>();
                                          });
        if (!walked) return walked.error();
    }
    for (const std::string& key : tally.damaged) operations.emplace_back(kv::Erase{key});
    return operations;
}

// Every keyword in use has a name, be it an invented one.
Result<kv::Operation> keyword_names(kv::Store& store, MailboxId mailbox, const Tally& tally) {
    const auto raw = store.get(mailbox_shard(mailbox), mail::keywords_key);
    if (!raw && raw.error().code != Errc::corrupt) return raw.error();
    std::vector<std::string> names;
    if (raw && *raw) names = mail::decode_keywords(**raw).value_or(names);
    for (const auto& [number, set] : tally.sets) {
        if (number < mail::first_keyword_set) continue;
        const auto slot = static_cast<std::size_t>(number - mail::first_keyword_set);
        if (names.size() <= slot) names.resize(slot + 1);
        if (names[slot].empty()) names[slot] = "recovered" + std::to_string(slot);
    }
    return kv::Operation(kv::Put{std::string(mail::keywords_key), mail::encode_keywords(names)});
}

// True: done. False: somebody changed the mailbox meanwhile.
Result<bool> try_to_rebuild(kv::Store& store, const NamedMailbox& mailbox, Time now) {
    const auto old = read_head(store, mailbox.id);
    if (!old) return old.error();
    const auto tally =
        tally_messages(store, mailbox.id, [](const auto&) { return Result<void>(); });
    if (!tally) return tally.error();
    const auto head = new_head(store, mailbox, old->head, *tally, now);
    if (!head) return head.error();
    auto operations = obsolete_rows(store, mailbox.id, *tally);
    if (!operations) return operations.error();
    auto keywords = keyword_names(store, mailbox.id, *tally);
    if (!keywords) return keywords.error();
    operations->push_back(std::move(*keywords));
    const auto added = add_bitmaps(*tally, *operations);
    if (!added) return added.error();
    const auto existing = tally->sets.find(mail::existing_set);
    const auto mended =
        mend_seen(store, mailbox.id, existing == tally->sets.end() ? UidSet() : existing->second,
                  *head, *operations);
    if (!mended) return mended.error();
    // The head last: it makes everybody who has the mailbox open read all of it again.
    operations->emplace_back(kv::Put{std::string(mail::head_key), mail::encode(*head)});
    for (std::size_t at = 0; at < operations->size(); at += rows_per_batch) {
        const auto end = std::min(operations->size(), at + rows_per_batch);
        std::vector<kv::Operation> some(operations->begin() + static_cast<std::ptrdiff_t>(at),
                                        operations->begin() + static_cast<std::ptrdiff_t>(end));
        const auto done = commit(store, mailbox_shard(mailbox.id), old->unchanged, std::move(some));
        if (!done || !*done) return done;
    }
    return true;
}

}  // namespace

Result<bool> rebuild_mailbox(kv::Store& store, const NamedMailbox& mailbox, Time now) {
    for (int attempt = 0; attempt < max_tries; ++attempt) {
        const auto done = try_to_rebuild(store, mailbox, now);
        if (!done || *done) return done;
    }
    return false;
}

}  // namespace postern::care

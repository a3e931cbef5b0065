#include "store/care/mailbox_check.h"

#include "store/blob/blob.h"
#include "store/blob/links.h"
#include "store/care/parts_check.h"
#include "store/kv/row_codec.h"

#include <algorithm>

namespace postern::care {

namespace {

using mail::mailbox_shard;

constexpr int max_check_looks = 3;
constexpr std::uint64_t mailbox_piece_bytes = 1024 * 1024;

std::string where_of(const NamedMailbox& mailbox) {
    return mailbox.owner + " " + mailbox.name;
}

// Reads all of a body in bounded pieces.
Result<void> read_whole(kv::Store& store, const BlobId& blob, std::uint64_t size) {
    for (std::uint64_t at = 0; at < size; at += mailbox_piece_bytes) {
        const auto piece = blob::read(store, blob, at, mailbox_piece_bytes);
        if (!piece) return piece.error();
    }
    return {};
}

// Whether the dictionary that a body needs can be read.
Result<void> dictionary_of(kv::Store& store, const blob::Info& info) {
    if (info.dictionary == 0) return {};
    const auto found = blob::Dictionaries::of(store)->find(info.dictionary);
    return found ? Result<void>() : Result<void>(found.error());
}

Result<bool> is_there(kv::Store& store, MailboxId mailbox, Uid uid) {
    const auto row = store.get(mailbox_shard(mailbox), mail::uid_key('m', uid));
    if (!row && row.error().code != Errc::corrupt) return row.error();
    return !row || row->has_value();
}

// What the picture says that the rows do not.
std::vector<std::string> differences(const mail::MailboxSets& sets, const Tally& tally) {
    std::vector<std::string> found;
    std::set<mail::SetNumber> numbers;
    for (const auto& [number, set] : sets.sets) numbers.insert(number);
    for (const auto& [number, set] : tally.sets) numbers.insert(number);
    for (const mail::SetNumber number : numbers) {
        const auto rows = tally.sets.find(number);
        const UidSet expected = rows == tally.sets.end() ? UidSet() : rows->second;
        const UidSet& kept = sets.set(number);
        if (kept == expected) continue;
        const UidSet wrong = (kept - expected) | (expected - kept);
        found.push_back("the bitmap of set " + std::to_string(number) + " is wrong for " +
                        std::to_string(wrong.size()) + " messages, the first with UID " +
                        std::to_string(wrong.min()));
    }
    const auto existing = tally.sets.find(mail::existing_set);
    const Uid last = existing == tally.sets.end() ? 0 : existing->second.max();
    if (sets.head.uid_next <= last) found.push_back("UIDNEXT is not above all UIDs");
    if (sets.head.highest_modseq < tally.highest_modseq) {
        found.push_back("HIGHESTMODSEQ is below a message's");
    }
    if (sets.head.bytes != tally.bytes) {
        found.push_back("the sum of sizes is " + std::to_string(sets.head.bytes) + " instead of " +
                        std::to_string(tally.bytes));
    }
    for (const auto& [number, set] : tally.sets) {
        const auto slot = static_cast<std::size_t>(number - mail::first_keyword_set);
        if (number >= mail::first_keyword_set &&
            (slot >= sets.keywords.size() || sets.keywords[slot].empty())) {
            found.push_back("messages carry a keyword without a name");
        }
    }
    return found;
}

Result<void> check_history(CheckContext& context, const NamedMailbox& mailbox,
                           const mail::MailboxSets& sets, std::vector<std::string>& wrong) {
    return for_each_page(
        context.store, mailbox_shard(mailbox.id), "c", mail::after_prefix('c'),
        [&](kv::Page& page) {
            if (!page.damaged.empty()) wrong.emplace_back("a row of history is damaged");
            for (const kv::Row& row : page.rows) {
                kv::RowReader key(row.key);
                key.u8();
                const ModSeq modseq = key.u64();
                const auto entry = mail::decode_journal_entry(row.value);
                if (!entry || modseq > sets.head.highest_modseq) {
                    wrong.emplace_back("a row of history is damaged");
                } else if (!(entry->vanished & sets.existing()).empty()) {
                    wrong.emplace_back("history says that a message vanished which is there");
                }
            }
            return Result<void>();
        });
}

const char* what_is(char prefix) {
    return prefix == 's' ? " summaries" : prefix == 'r' ? " filter reports" : " POP3 ids";
}

// Summaries, reports and POP3 ids of messages that are not there.
Result<void> check_strays(CheckContext& context, const NamedMailbox& mailbox, char prefix,
                          const UidSet& existing) {
    std::vector<kv::Operation> erase;
    const auto walked =
        for_each_page(context.store, mailbox_shard(mailbox.id), std::string(1, prefix),
                      mail::after_prefix(prefix), [&](kv::Page& page) {
                          for (const std::string& key : page.damaged)
                              erase.emplace_back(kv::Erase{key});
                          for (const kv::Row& row : page.rows) {
                              const auto uid = mail::uid_of_key(row.key);
                              if (uid && existing.contains(*uid)) continue;
                              // It came and went with its message, since one batch holds both.
                              const auto there = uid ? is_there(context.store, mailbox.id, *uid)
                                                     : Result<bool>(false);
                              if (!there) return Result<void>(there.error());
                              if (!*there) erase.emplace_back(kv::Erase{row.key});
                          }
                          return Result<void>();
                      });
    if (!walked || erase.empty()) return walked;
    const std::string what =
        std::to_string(erase.size()) + what_is(prefix) + " are damaged or belong to no message";
    bool mended = context.options.repair;
    for (std::size_t at = 0; mended && at < erase.size(); at += kv::max_batch_operations / 2) {
        const auto end = std::min(erase.size(), at + kv::max_batch_operations / 2);
        std::vector<kv::Operation> some(erase.begin() + static_cast<std::ptrdiff_t>(at),
                                        erase.begin() + static_cast<std::ptrdiff_t>(end));
        const auto erased = commit(context.store, mailbox_shard(mailbox.id), {}, std::move(some));
        if (!erased) return erased.error();
    }
    context.finding(where_of(mailbox), what, mended);
    return {};
}

Result<void> check_garbage(CheckContext& context, const NamedMailbox& mailbox) {
    return for_each_page(context.store, mailbox_shard(mailbox.id), "g", mail::after_prefix('g'),
                         [&](kv::Page& page) {
                             for (const kv::Row& row : page.rows) {
                                 kv::RowReader key(row.key);
                                 key.u8();
                                 context.references.push_back(short_id(key.id()));
                             }
                             return Result<void>();
                         });
}

Result<void> visit_message(CheckContext& context, const NamedMailbox& mailbox,
                           const mail::StoredMessage& message) {
    ++context.report.messages;
    context.report.bytes += message.size;
    context.references.push_back(short_id(message.blob));
    const std::string where = where_of(mailbox) + " UID " + std::to_string(message.uid);
    const CheckOptions looking{false, false, context.options.read_bodies, {}, {}};
    CheckContext quiet{context.store, looking, {}, {}, false};
    const auto checked = check_body(quiet, where, message.blob, message.owner, message.size);
    if (!checked) return checked;
    if (quiet.report.findings == 0) return {};
    // Expunged since its row was read?
    const auto there = is_there(context.store, mailbox.id, message.uid);
    if (!there) return there.error();
    if (!*there) return {};
    return check_body(context, where, message.blob, message.owner, message.size);
}

}  // namespace

void CheckContext::finding(std::string where, std::string what, bool mended) {
    ++report.findings;
    if (mended) ++report.mended;
    if (options.found) options.found({std::move(where), std::move(what), mended});
}

Result<void> check_body(CheckContext& context, const std::string& where, const BlobId& blob,
                        std::uint64_t owner, std::optional<std::uint64_t> size) {
    const auto stored = blob::info(context.store, blob);
    if (!stored) {
        if (stored.error().code == Errc::unavailable) return stored.error();
        context.finding(where, stored.error().code == Errc::not_found ? "its body is lost"
                                                                      : "its body is damaged");
        return {};
    }
    const auto lost_part = check_parts_of(context, where, blob, stored->parts);
    if (!lost_part) return lost_part.error();
    const auto dictionary = dictionary_of(context.store, *stored);
    if (!dictionary && dictionary.error().code == Errc::unavailable) return dictionary;
    if (!dictionary) {
        context.finding(where, "its body cannot be read: its " + dictionary.error().text);
    } else if (size && stored->size != *size) {
        context.finding(where, "its body has " + std::to_string(stored->size) +
                                   " octets instead of " + std::to_string(*size));
    } else if (context.options.read_bodies && !*lost_part) {
        const auto read = read_whole(context.store, blob, stored->size);
        if (!read && read.error().code == Errc::unavailable) return read;
        if (!read) context.finding(where, "its body is damaged");
    }
    const auto owners = blob::owners(context.store, blob);
    if (!owners && owners.error().code != Errc::corrupt) return owners.error();
    if (owners && std::find(owners->begin(), owners->end(), owner) != owners->end()) return {};
    bool mended = false;
    if (owners && context.options.repair) {
        mended = blob::add_owners(context.store, {{blob, owner}}).has_value();
    }
    context.finding(where, "its body does not know that it belongs to it", mended);
    return {};
}

Result<Tally> tally_messages(kv::Store& store, MailboxId mailbox, const VisitMessage& visit) {
    Tally tally;
    const auto walked = for_each_page(
        store, mailbox_shard(mailbox), "m", mail::after_prefix('m'), [&](kv::Page& page) {
            tally.damaged.insert(page.damaged.begin(), page.damaged.end());
            for (const kv::Row& row : page.rows) {
                const auto uid = mail::uid_of_key(row.key);
                const auto message = uid ? mail::decode_message(*uid, row.value) : std::nullopt;
                if (!message) {
                    tally.damaged.insert(row.key);
                    continue;
                }
                tally.sets[mail::existing_set].add(*uid);
                for (SystemFlag flag : all_system_flags) {
                    if ((message->system_flags & static_cast<std::uint8_t>(flag)) != 0) {
                        tally.sets[mail::set_of(flag)].add(*uid);
                    }
                }
                for (std::size_t slot = 0; slot < mail::max_keywords_per_mailbox; ++slot) {
                    if ((message->keywords >> slot & 1) == 0) continue;
                    tally.sets[static_cast<mail::SetNumber>(mail::first_keyword_set + slot)].add(
                        *uid);
                }
                tally.bytes += message->size;
                tally.highest_modseq = std::max(tally.highest_modseq, message->modseq);
                const auto visited = visit(*message);
                if (!visited) return visited;
            }
            return Result<void>();
        });
    if (!walked) return walked.error();
    return tally;
}

Result<void> check_mailbox(CheckContext& context, const NamedMailbox& mailbox) {
    const std::string where = where_of(mailbox);
    Tally tally;
    Result<mail::SetsPtr> sets = Error{Errc::unavailable, "not read"};
    std::vector<std::string> history;
    SeenRows seen_rows;
    bool still = false;
    // Picture, messages and history belong together only if the head is the same behind them.
    for (int look = 0; look < max_check_looks && !still; ++look) {
        sets = mail::load_sets(context.store, mailbox.id);
        if (!sets && sets.error().code == Errc::unavailable) return sets.error();
        auto read = tally_messages(context.store, mailbox.id, [&](const auto& message) {
            return look == 0 ? visit_message(context, mailbox, message) : Result<void>();
        });
        if (!read) return read.error();
        tally = std::move(*read);
        history.clear();
        if (sets) {
            const auto checked = check_history(context, mailbox, **sets, history);
            if (!checked) return checked;
            const auto seen = check_seen(context, mailbox, **sets, history, seen_rows);
            if (!seen) return seen;
        }
        const auto head = context.store.get(mailbox_shard(mailbox.id), mail::head_key);
        still = !sets || (head && *head && **head == (*sets)->raw_head);
    }
    std::vector<std::string> wrong;
    for (const std::string& key : tally.damaged) {
        const auto uid = mail::uid_of_key(key);
        context.lost_leads = true;
        wrong.push_back("the row of UID " + std::to_string(uid.value_or(0)) +
                        " is damaged; the message is lost");
    }
    if (!sets && sets.error().code == Errc::not_found) {
        wrong.emplace_back("the mailbox has a name, but nothing else");
    } else if (!sets) {
        wrong.push_back(sets.error().text);
    } else if (still) {
        for (auto& each : differences(**sets, tally)) wrong.push_back(std::move(each));
        for (auto& each : history) wrong.push_back(std::move(each));
    } else {
        ++context.report.busy;
    }
    bool mended = false;
    if (!wrong.empty() && context.options.repair) {
        const auto rebuilt = rebuild_mailbox(context.store, mailbox, context.options.now);
        if (!rebuilt) return rebuilt.error();
        mended = *rebuilt;
    }
    // What was rebuilt has another head: its leftovers are the next check's.
    if (sets && still && !mended) {
        const auto tidied = tidy_seen(context, mailbox, (*sets)->raw_head, seen_rows);
        if (!tidied) return tidied;
    }
    for (auto& each : wrong) context.finding(where, std::move(each), mended);
    if (still) {
        const auto existing = tally.sets[mail::existing_set];
        for (const char prefix : {'s', 'r', 'p'}) {
            const auto checked = check_strays(context, mailbox, prefix, existing);
            if (!checked) return checked;
        }
    }
    return check_garbage(context, mailbox);
}

}  // namespace postern::care

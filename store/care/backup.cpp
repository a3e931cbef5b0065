#include "store/care/backup.h"

#include "store/blob/blob.h"
#include "store/blob/dictionary.h"
#include "store/care/snapshot.h"
#include "store/mail/mailbox_names.h"
#include "store/mail/mailbox_sets.h"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <set>

namespace postern::care {

namespace {

using mail::mailbox_shard;

constexpr int max_backup_looks = 10;
// Rows are cut at fixed UIDs, so that old messages are the same records in every run.
constexpr Uid uids_per_chunk = 512;
constexpr std::size_t max_chunk_bytes = 16 * 1024 * 1024;
constexpr kv::ShardKind whole_kinds[] = {kv::ShardKind::directory, kv::ShardKind::account,
                                         kv::ShardKind::pool, kv::ShardKind::learn_log};

std::string time_name(Time time) {
    const std::time_t seconds = to_unix_ms(time) / 1000;
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    char text[32];
    std::strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &parts);
    return text;
}

// A mailbox as this run has read it.
struct Looked {
    std::string head;
    std::vector<Id128> chunks;
    std::uint64_t messages = 0;
};

bool same_names(const std::vector<NamedMailbox>& a, const std::vector<NamedMailbox>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
        return x.id == y.id && x.name == y.name;
    });
}

class Run {
public:
    Run(kv::Store& store, PackSet& packs, const Snapshot& last, const Progress& progress,
        const Problem& problem)
        : store_(store), packs_(packs), progress_(progress), problem_(problem) {
        for (const SavedMailbox& saved : last.mailboxes) last_[saved.mailbox.id] = &saved;
    }

    Result<void> save_all() {
        for (const kv::ShardKind kind : whole_kinds) {
            const auto shards = shards_of(store_, kind);
            if (!shards) return shards.error();
            for (const kv::ShardId& shard : *shards) {
                if (kind == kv::ShardKind::account && shard.number != 0) continue;
                auto saved = save_shard(shard);
                if (!saved) return saved.error();
                snapshot.shards.push_back(std::move(*saved));
            }
            // Shard 0 of a kind comes before the first that list_shards tells after it.
            if (kind == kv::ShardKind::learn_log) continue;
            auto first = save_shard({kind, 0, 0});
            if (!first) return first.error();
            if (!first->chunks.empty()) snapshot.shards.push_back(std::move(*first));
        }
        const auto mailboxes =
            all_mailboxes(store_, [&](const std::string& account, const Error& error) {
                tell(account + ": " + error.text);
            });
        if (!mailboxes) return mailboxes.error();
        for (auto first = mailboxes->begin(); first != mailboxes->end();) {
            const auto last = std::find_if(first, mailboxes->end(), [&](const auto& mailbox) {
                return mailbox.account != first->account;
            });
            const auto saved = save_account(first->account, first->owner);
            if (!saved) return saved;
            done_ += static_cast<std::uint64_t>(last - first);
            if (progress_) progress_(done_, mailboxes->size(), report.messages);
            first = last;
        }
        // Last: mail that came meanwhile may need one that came meanwhile, and none ever goes.
        auto dictionaries = save_shard(blob::dictionary_shard);
        if (!dictionaries) return dictionaries.error();
        if (!dictionaries->chunks.empty()) snapshot.shards.push_back(std::move(*dictionaries));
        return {};
    }

    Snapshot snapshot;
    BackupReport report;

private:
    void tell(const std::string& text) {
        ++report.problems;
        if (problem_) problem_(text);
    }

    Result<Id128> save_chunk(std::vector<kv::Row>& rows) {
        const std::string record = encode_chunk(rows);
        const Id128 id = content_id(record);
        rows.clear();
        const auto added = packs_.add(id, record);
        if (!added) return added.error();
        return id;
    }

    Result<SavedShard> save_shard(const kv::ShardId& shard) {
        SavedShard saved{shard, {}};
        std::vector<kv::Row> rows;
        const auto walked = for_each_page(store_, shard, "", "", [&](kv::Page& page) {
            for (const std::string& key : page.damaged) {
                tell("a damaged row of kind " + std::to_string(static_cast<int>(shard.kind)) +
                     " is left out: " + key);
            }
            rows = std::move(page.rows);
            if (rows.empty()) return Result<void>();
            const auto chunk = save_chunk(rows);
            if (!chunk) return Result<void>(chunk.error());
            saved.chunks.push_back(*chunk);
            return Result<void>();
        });
        if (!walked) return walked.error();
        return saved;
    }

    // Parts first: a body is not in the packs before all that it needs.
    Result<void> try_to_save(const BlobId& body) {
        const auto framed = store_.read_blob(body, 0, kv::max_blob_bytes);
        if (!framed) return framed.error();
        const auto parts = blob::parts_of(*framed);
        if (!parts) return parts.error();
        for (const blob::Part& part : *parts) {
            if (packs_.has(part.name.id)) continue;
            const auto stored = blob::find_part(store_, part.name);
            if (!stored) return stored.error();
            const auto bytes = store_.read_blob(stored->blob, 0, kv::max_blob_bytes);
            if (!bytes) return bytes.error();
            if (const auto whole = blob::decode(*bytes, &store_); !whole) return whole.error();
            if (const auto added = packs_.add(part.name.id, *bytes); !added) return added;
        }
        if (const auto whole = blob::decode(*framed, &store_); !whole) return whole.error();
        return packs_.add(body, *framed);
    }

    Result<void> save_body(const NamedMailbox& mailbox, const mail::StoredMessage& message) {
        ++report.messages;
        if (packs_.has(message.blob)) return {};
        const auto saved = try_to_save(message.blob);
        if (saved || saved.error().code == Errc::unavailable) return saved;
        const auto still = store_.get(mailbox_shard(mailbox.id), mail::uid_key('m', message.uid));
        if (still && !*still) return {};  // expunged just now: the mailbox is looked at again
        tell(mailbox.owner + " " + mailbox.name + " UID " + std::to_string(message.uid) +
             ": its body cannot be read");
        return {};
    }

    // Rows of one kind, cut at fixed UIDs where they belong to messages.
    Result<void> save_rows(const SavedMailbox& saved, char prefix, std::vector<Id128>& chunks) {
        std::vector<kv::Row> rows;
        std::size_t bytes = 0;
        Uid block = 0;
        const auto flush = [&]() -> Result<void> {
            if (rows.empty()) return {};
            bytes = 0;
            const auto chunk = save_chunk(rows);
            if (!chunk) return chunk.error();
            chunks.push_back(*chunk);
            return {};
        };
        const auto walked =
            for_each_page(store_, mailbox_shard(saved.mailbox.id), std::string(1, prefix),
                          mail::after_prefix(prefix), [&](kv::Page& page) -> Result<void> {
                              for (const std::string& key : page.damaged) {
                                  tell(saved.mailbox.owner + " " + saved.mailbox.name + " UID " +
                                       std::to_string(mail::uid_of_key(key).value_or(0)) +
                                       ": a damaged row is left out");
                              }
                              for (kv::Row& row : page.rows) {
                                  const auto uid = mail::uid_of_key(row.key).value_or(0);
                                  if (uid / uids_per_chunk != block || bytes > max_chunk_bytes) {
                                      if (const auto flushed = flush(); !flushed) return flushed;
                                      block = uid / uids_per_chunk;
                                  }
                                  if (prefix == 'm') {
                                      const auto message = mail::decode_message(uid, row.value);
                                      const auto body = message ? save_body(saved.mailbox, *message)
                                                                : Result<void>();
                                      if (!body) return body;
                                  }
                                  bytes += row.key.size() + row.value.size();
                                  rows.push_back(std::move(row));
                              }
                              return {};
                          });
        return walked ? flush() : walked;
    }

    Result<SavedMailbox> save_mailbox(const NamedMailbox& mailbox, const std::string& head) {
        SavedMailbox saved{mailbox, head, {}, {}};
        for (const char prefix : {'a', 'l'}) {
            const auto rows = save_rows(saved, prefix, saved.extra);
            if (!rows) return rows.error();
        }
        // Read by an earlier look of this run already?
        const auto looked = looked_.find(mailbox.id);
        if (looked != looked_.end() && looked->second.head == head) {
            report.messages += looked->second.messages;
            saved.chunks = looked->second.chunks;
            return saved;
        }
        const auto last = last_.find(mailbox.id);
        if (last != last_.end() && last->second->head == head &&
            std::all_of(last->second->chunks.begin(), last->second->chunks.end(),
                        [&](const Id128& chunk) { return packs_.has(chunk); })) {
            ++report.unchanged;
            saved.chunks = last->second->chunks;
            return saved;
        }
        const std::uint64_t messages_before = report.messages;
        for (const char prefix : {'k', 'b', 'm', 's', 'r', 'p', 'y', 'v', 'w'}) {
            const auto rows = save_rows(saved, prefix, saved.chunks);
            if (!rows) return rows.error();
        }
        const auto now = store_.get(mailbox_shard(mailbox.id), mail::head_key);
        if (now && *now && **now == head) {
            looked_[mailbox.id] = {head, saved.chunks, report.messages - messages_before};
        }
        return saved;
    }

    std::map<MailboxId, std::string> heads_of(const std::vector<NamedMailbox>& mailboxes) {
        std::map<MailboxId, std::string> heads;
        for (const NamedMailbox& mailbox : mailboxes) {
            const auto head = store_.get(mailbox_shard(mailbox.id), mail::head_key);
            if (head && *head) heads[mailbox.id] = **head;
        }
        return heads;
    }

    // Mail moves within an account: all of it has to be of one moment, or a message that moves
    // could be missed. Into a mailbox that was made meanwhile, too.
    Result<void> save_account(AccountId account, const std::string& owner) {
        const kv::ShardId shard = mail::account_shard(account);
        const BackupReport before = report;
        looked_.clear();
        for (int look = 1;; ++look) {
            report.messages = before.messages;
            report.unchanged = before.unchanged;
            const auto mailboxes = mailboxes_of(store_, account, owner);
            if (!mailboxes) return mailboxes.error();
            const auto heads = heads_of(*mailboxes);
            auto names = save_shard(shard);
            if (!names) return names.error();
            std::vector<SavedMailbox> saved;
            for (const NamedMailbox& mailbox : *mailboxes) {
                const auto head = heads.find(mailbox.id);
                if (head == heads.end()) continue;
                auto one = save_mailbox(mailbox, head->second);
                if (!one) return one.error();
                saved.push_back(std::move(*one));
            }
            const auto after = mailboxes_of(store_, account, owner);
            if (!after) return after.error();
            const bool still = same_names(*mailboxes, *after) && heads_of(*after) == heads;
            if (!still && look < max_backup_looks) continue;
            if (!still) ++report.moving;
            report.mailboxes += saved.size();
            snapshot.shards.push_back(std::move(*names));
            std::move(saved.begin(), saved.end(), std::back_inserter(snapshot.mailboxes));
            return {};
        }
    }

    kv::Store& store_;
    PackSet& packs_;
    const Progress& progress_;
    const Problem& problem_;
    std::map<MailboxId, const SavedMailbox*> last_;
    std::map<MailboxId, Looked> looked_;
    std::uint64_t done_ = 0;
};

}  // namespace

Result<std::vector<std::string>> snapshots(const std::string& folder) {
    std::error_code error;
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder + "/snapshots", error)) {
        const std::string name = entry.path().filename().string();
        if (name.size() == 16 && name.back() == 'Z') names.push_back(name);
    }
    if (error) return Error{Errc::not_found, folder + " holds no backup: " + error.message()};
    std::sort(names.begin(), names.end());
    return names;
}

Result<BackupReport> backup(kv::Store& store, const std::string& folder, Time now,
                            const Progress& progress, const Problem& problem) {
    auto packs = open_packs(folder);
    if (!packs) return packs.error();
    std::error_code error;
    std::filesystem::create_directories(folder + "/snapshots", error);
    if (error) return Error{Errc::unavailable, folder + ": " + error.message()};
    Snapshot last;
    const auto earlier = snapshots(folder);
    if (earlier && !earlier->empty()) {
        const auto bytes = read_file(snapshot_path(folder, earlier->back()));
        // A damaged one only means that everything is read again.
        if (bytes) last = decode_snapshot(*bytes).value_or(Snapshot{});
    }
    Run run(store, *packs, last, progress, problem);
    const auto saved = run.save_all();
    if (!saved) return saved.error();
    if (const auto synced = packs->sync(); !synced) return synced.error();
    run.report.snapshot = time_name(now);
    run.report.added_bytes = packs->added_bytes();
    const auto written =
        write_file(snapshot_path(folder, run.report.snapshot), encode(run.snapshot));
    if (!written) return written.error();
    return run.report;
}

}  // namespace postern::care

#include "store/blob/blob.h"
#include "store/blob/links.h"
#include "store/care/backup.h"
#include "store/care/mailbox_check.h"
#include "store/care/snapshot.h"
#include "store/directory/directory.h"
#include "store/kv/random_id.h"
#include "store/mail/mailbox_names.h"
#include "store/mail/mailbox_sets.h"

#include <algorithm>

namespace postern::care {

namespace {

// Rows that stand beside a message's own.
bool beside_message(char prefix) {
    return prefix == 's' || prefix == 'r' || prefix == 'p';
}

using mail::mailbox_shard;

constexpr std::size_t max_batch_rows = 400;
constexpr std::size_t max_batch_row_bytes = 512 * 1024;
constexpr std::size_t max_batch_body_bytes = 16 * 1024 * 1024;

// Writes rows and bodies in batches that fit.
class Writer {
public:
    Writer(kv::Store& store, const kv::ShardId& shard) : store_(store) { batch_.shard = shard; }

    Result<void> put(std::string key, std::string value) {
        bytes_ += key.size() + value.size();
        batch_.operations.emplace_back(kv::Put{std::move(key), std::move(value)});
        if (batch_.operations.size() < max_batch_rows && bytes_ < max_batch_row_bytes) return {};
        return flush();
    }
    Result<void> put_body(const BlobId& id, std::string framed) {
        body_bytes_ += framed.size();
        batch_.blobs.push_back({id, std::make_shared<const std::string>(std::move(framed))});
        if (body_bytes_ < max_batch_body_bytes) return {};
        return flush();
    }
    Result<void> flush() {
        if (batch_.operations.empty() && batch_.blobs.empty()) return {};
        kv::Batch batch;
        batch.shard = batch_.shard;
        std::swap(batch, batch_);
        batch.operation = kv::random_id();
        bytes_ = body_bytes_ = 0;
        const auto outcome = store_.commit_and_wait(std::move(batch));
        return outcome ? Result<void>() : Result<void>(outcome.error());
    }

private:
    kv::Store& store_;
    kv::Batch batch_;
    std::size_t bytes_ = 0;
    std::size_t body_bytes_ = 0;
};

class Restoring {
public:
    Restoring(kv::Store& store, const PackSet& packs, const Progress& progress,
              const Problem& problem)
        : store_(store), packs_(packs), progress_(progress), problem_(problem) {}

    Result<void> whole(const Snapshot& snapshot) {
        const auto there = all_mailboxes(store_);
        if (!there) return there.error();
        if (!there->empty() && !is_unfinished()) {
            return Error{Errc::exists,
                         "the store is not empty; restore users one by one, or give a "
                         "fresh data folder"};
        }
        const auto marked = mark_unfinished(true);
        if (!marked) return marked;
        for (const SavedShard& saved : snapshot.shards) {
            const auto written = rows_of_shard(saved);
            if (!written) return written;
        }
        for (const SavedMailbox& saved : snapshot.mailboxes) {
            const auto head = store_.get(mailbox_shard(saved.mailbox.id), mail::head_key);
            if (!head) return head.error();
            if (!*head) {
                const auto old = mail::decode_head(saved.head);
                const auto written = old ? mailbox(saved, saved.mailbox.id, *old) : Result<void>();
                if (!written) return written;
                if (!old) tell(saved.mailbox.owner + " " + saved.mailbox.name + ": damaged head");
            }
            step(snapshot.mailboxes.size());
        }
        return mark_unfinished(false);
    }

    // Bodies name what they were compressed with. A store's own newest stays the newest.
    Result<void> dictionaries(const Snapshot& snapshot) {
        for (const SavedShard& saved : snapshot.shards) {
            if (saved.shard.kind != kv::ShardKind::dictionaries) continue;
            const auto written = rows_of_shard(saved, [this](const kv::Row& row) {
                const blob::DictionaryId id = blob::dictionary_of_key(row.key);
                return id != 0 && !blob::Dictionaries::of(store_)->find(id);
            });
            if (!written) return written;
        }
        return {};
    }

    // Rows that are a person's name an account, by its number when the backup was made. The same
    // person is found by address; nobody else gets what was that person's.
    Result<void> people(const Snapshot& snapshot) {
        const auto then = kv::make_memory_store();
        Restoring copy(*then, packs_, progress_, problem_);
        for (const SavedShard& saved : snapshot.shards) {
            if (saved.shard.kind != kv::ShardKind::directory) continue;
            const auto written = copy.rows_of_shard(saved);
            if (!written) return written;
        }
        report.problems += copy.report.problems;
        const auto before = addresses(*then);
        if (!before) return before.error();
        directory::Directory directory(store_);
        accounts_.emplace();
        for (const auto& [number, address] : *before) {
            const auto user = directory.find(address);
            if (!user) return user.error();
            if (*user) (*accounts_)[number] = (*user)->id;
        }
        return {};
    }

    Result<void> one(const SavedMailbox& saved, AccountId account, const std::string& below,
                     Time now, std::size_t total) {
        const auto old = mail::decode_head(saved.head);
        if (!old) {
            tell(saved.mailbox.owner + " " + saved.mailbox.name + ": damaged head");
            return {};
        }
        const auto uid_validity = mail::take_uid_validity(store_, now);
        if (!uid_validity) return uid_validity.error();
        mail::Head head = *old;
        head.uid_validity = *uid_validity;
        head.owner = account;
        const MailboxId id{kv::random_number()};
        (*accounts_)[saved.mailbox.account] = account;
        const auto written = mailbox(saved, id, head);
        if (!written) return written;
        std::string name = saved.mailbox.name;
        const auto named = mail::change_names(store_, account, [&](mail::NameTable& table) {
            const auto taken = table.names.find(name);
            if (taken != table.names.end() && taken->second.id.value != 0) {
                name = below + "/" + saved.mailbox.name;
                table.names.try_emplace(below);
            }
            table.names[name] = {id, mail::SpecialUse::none};
            return Result<void>();
        });
        if (!named) return named;
        report.names.push_back(name);
        step(total);
        return {};
    }

    RestoreReport report;

private:
    static constexpr kv::ShardId mark_shard{kv::ShardKind::intents, 1, 0};

    void tell(const std::string& text) {
        ++report.problems;
        if (problem_) problem_(text);
    }
    void step(std::size_t total) {
        ++report.mailboxes;
        if (progress_) progress_(report.mailboxes, total, report.messages);
    }

    bool is_unfinished() {
        const auto mark = store_.get(mark_shard, "restore");
        return mark && *mark;
    }
    Result<void> mark_unfinished(bool unfinished) {
        kv::Operation operation = kv::Erase{"restore"};
        if (unfinished) operation = kv::Put{"restore", "1"};
        const auto done = commit(store_, mark_shard, {}, {operation});
        return done ? Result<void>() : Result<void>(done.error());
    }

    Result<std::vector<kv::Row>> chunk(const Id128& id) {
        const auto record = packs_.read(id);
        if (!record) return record.error();
        return decode_chunk(*record);
    }

    Result<void> rows_of_shard(const SavedShard& saved,
                               const std::function<bool(const kv::Row&)>& wanted = {}) {
        Writer writer(store_, saved.shard);
        for (const Id128& id : saved.chunks) {
            auto rows = chunk(id);
            if (!rows && rows.error().code == Errc::unavailable) return rows.error();
            if (!rows) {
                tell(rows.error().text);
                continue;
            }
            for (kv::Row& row : *rows) {
                if (wanted && !wanted(row)) continue;
                const auto put = writer.put(std::move(row.key), std::move(row.value));
                if (!put) return put;
            }
        }
        return writer.flush();
    }

    // Bodies get ids of this store; one that several messages share is stored once again.
    Result<bool> body(Writer& writer, const kv::ShardId& shard, mail::StoredMessage& message) {
        const auto known = bodies_.find(message.blob);
        if (known != bodies_.end()) {
            message.blob = known->second;
            message.owner = kv::random_number() | 2;
            // The first owner's row may still wait in the writer; owners may come before it.
            const auto owned = blob::add_owners(store_, {{message.blob, message.owner}});
            if (!owned) return owned.error();
            return true;
        }
        auto framed = packs_.read(message.blob);
        if (!framed) {
            if (framed.error().code == Errc::unavailable) return framed.error();
            return false;
        }
        const BlobId fresh = blob::new_id_for(store_, shard, *framed);
        const auto adopted = parts(*framed, fresh);
        if (!adopted) {
            if (adopted.error().code == Errc::unavailable) return adopted.error();
            return false;
        }
        bodies_[message.blob] = fresh;
        message.blob = fresh;
        message.owner = blob::first_owner;
        const auto put = writer.put_body(fresh, std::move(*framed));
        if (!put) return put.error();
        return true;
    }

    // What a body needs besides itself is there before it.
    Result<void> parts(const std::string& framed, const BlobId& body) {
        const auto needed = blob::parts_of(framed);
        if (!needed) return needed.error();
        for (const blob::Part& part : *needed) {
            const auto bytes = packs_.read(part.name.id);
            if (!bytes) return bytes.error();
            const auto adopted = blob::adopt_part(store_, part, *bytes, body);
            if (!adopted) return adopted;
        }
        return {};
    }

    Result<void> mailbox(const SavedMailbox& saved, MailboxId id, mail::Head head) {
        const kv::ShardId shard = mailbox_shard(id);
        Writer writer(store_, shard);
        UidSet lost;
        std::vector<Id128> chunks = saved.chunks;
        chunks.insert(chunks.end(), saved.extra.begin(), saved.extra.end());
        for (const Id128& each : chunks) {
            auto rows = chunk(each);
            if (!rows && rows.error().code == Errc::unavailable) return rows.error();
            if (!rows) {
                tell(saved.mailbox.owner + " " + saved.mailbox.name + ": " + rows.error().text);
                continue;
            }
            for (kv::Row& row : *rows) {
                const auto uid = mail::uid_of_key(row.key);
                const auto message =
                    row.key[0] == 'm' && uid ? mail::decode_message(*uid, row.value) : std::nullopt;
                if (message) {
                    mail::StoredMessage moved = *message;
                    const auto there = body(writer, shard, moved);
                    if (!there) return there.error();
                    if (!*there) {
                        tell(saved.mailbox.owner + " " + saved.mailbox.name + " UID " +
                             std::to_string(*uid) +
                             ": its body, or a large part of it, is not in the backup");
                        lost.add(*uid);
                        continue;
                    }
                    row.value = encode(moved);
                    ++report.messages;
                }
                if (uid && lost.contains(*uid) && beside_message(row.key[0])) continue;
                if (accounts_ && mail::is_persons(row.key)) {
                    const auto whose = accounts_->find(mail::account_of_key(row.key));
                    if (whose == accounts_->end()) continue;
                    row.key = mail::with_account(row.key, whose->second);
                }
                const auto put = writer.put(std::move(row.key), std::move(row.value));
                if (!put) return put;
            }
        }
        // History did not come along: every client looks at the whole mailbox.
        head.highest_modseq += 1;
        head.journal_from = head.highest_modseq;
        const auto closed = writer.put(std::string(mail::head_key), encode(head));
        if (!closed) return closed;
        const auto flushed = writer.flush();
        if (!flushed || lost.empty()) return flushed;
        NamedMailbox restored = saved.mailbox;
        restored.id = id;
        restored.account = head.owner;
        const auto rebuilt = rebuild_mailbox(store_, restored, {});
        return rebuilt ? Result<void>() : Result<void>(rebuilt.error());
    }

    kv::Store& store_;
    const PackSet& packs_;
    const Progress& progress_;
    const Problem& problem_;
    std::map<BlobId, BlobId> bodies_;
    // Numbers then and now; none: they are the same.
    std::optional<std::map<AccountId, AccountId>> accounts_;
};

Result<std::string> choose(const RestoreOptions& options) {
    const auto names = snapshots(options.folder);
    if (!names) return names.error();
    std::string chosen;
    for (const std::string& name : *names) {
        if (options.snapshot.empty() || name <= options.snapshot) chosen = name;
    }
    if (!chosen.empty()) return chosen;
    return Error{Errc::not_found, options.folder + " holds no backup up to " + options.snapshot};
}

Result<void> restore_user(kv::Store& store, const RestoreOptions& options, const Snapshot& snapshot,
                          const std::string& taken_at, Restoring& restoring) {
    const auto user = directory::Directory(store).find(options.address);
    if (!user) return user.error();
    if (!*user) {
        return Error{Errc::not_found,
                     options.address + ": no such user; make it with: postern user add"};
    }
    std::vector<const SavedMailbox*> wanted;
    for (const SavedMailbox& saved : snapshot.mailboxes) {
        const bool named = options.mailbox.empty() || saved.mailbox.name == options.mailbox;
        if (named && saved.mailbox.owner == (*user)->address) wanted.push_back(&saved);
    }
    if (wanted.empty()) {
        return Error{Errc::not_found, "the backup of " + taken_at + " has no such mailbox"};
    }
    const auto readable = restoring.dictionaries(snapshot);
    if (!readable) return readable;
    if (const auto known = restoring.people(snapshot); !known) return known;
    for (const SavedMailbox* saved : wanted) {
        const auto done =
            restoring.one(*saved, (*user)->id, "Restored " + taken_at, options.now, wanted.size());
        if (!done) return done;
    }
    return {};
}

}  // namespace

Result<RestoreReport> restore(kv::Store& store, const RestoreOptions& options,
                              const Progress& progress, const Problem& problem) {
    const auto name = choose(options);
    if (!name) return name.error();
    const auto bytes = read_file(snapshot_path(options.folder, *name));
    if (!bytes) return bytes.error();
    const auto snapshot = decode_snapshot(*bytes);
    if (!snapshot)
        return Error{Errc::corrupt, "the snapshot " + *name + " is damaged; give another"};
    const auto packs = open_packs(options.folder);
    if (!packs) return packs.error();
    Restoring restoring(store, *packs, progress, problem);
    const auto done = options.address.empty()
                          ? restoring.whole(*snapshot)
                          : restore_user(store, options, *snapshot, *name, restoring);
    if (!done) return done.error();
    restoring.report.snapshot = *name;
    return restoring.report;
}

}  // namespace postern::care

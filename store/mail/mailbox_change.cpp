#include "store/mail/mailbox_change.h"

#include "store/kv/random_id.h"
#include "store/kv/row_codec.h"
#include "store/mail/seen_log.h"

#include <algorithm>
#include <limits>

namespace postern::mail {

namespace {

constexpr int journal_entries_trimmed_per_change = 2;
// Sets grow member by member, and most hold long runs: packed they take next to nothing, and
// sessions hold copies of them.
constexpr Uid adds_until_packed = 4096;
constexpr std::size_t bitmaps_per_seen_part = 3;  // marks, log, and what joins the log's oldest

bool is_keyword(std::string_view name) {
    if (name.empty() || name.size() > max_keyword_bytes) return false;
    return std::all_of(name.begin(), name.end(), [](char c) {
        return c > ' ' && c < 0x7f &&
               std::string_view("(){%*\"\\]").find(c) == std::string_view::npos;
    });
}

}  // namespace

MailboxChange::MailboxChange(kv::Store& store, SetsPtr before, Time now)
    : store_(store), before_(std::move(before)), after_(*before_), time_(now) {}

bool MailboxChange::has_room(std::size_t rows, std::size_t bytes) const {
    return rows_.size() + rows <= max_change_rows && bytes_ + bytes <= max_change_bytes &&
           touched_.size() + bitmaps_per_seen_part * seen_parts_.size() < max_change_bitmaps &&
           blob_bytes_ <= max_change_blob_bytes;
}

Result<std::optional<StoredMessage>> MailboxChange::message(Uid uid) {
    const auto pending = messages_.find(uid);
    if (pending != messages_.end()) return pending->second;
    if (!before_->existing().contains(uid)) return std::optional<StoredMessage>();
    const auto row = store_.get(mailbox_shard(before_->id), uid_key('m', uid));
    if (!row) return row.error();
    if (!*row) return std::optional<StoredMessage>();
    auto decoded = decode_message(uid, **row);
    if (!decoded) return Error{Errc::corrupt, "damaged message row " + std::to_string(uid)};
    return decoded;
}

Result<std::optional<Uid>> MailboxChange::outcome_of(const OperationId& operation) {
    const auto pending = outcomes_.find(operation);
    if (pending != outcomes_.end()) return std::optional<Uid>(pending->second);
    const auto row = store_.get(mailbox_shard(before_->id), operation_key(operation));
    if (!row) return row.error();
    if (!*row) return std::optional<Uid>();
    return std::optional<Uid>(kv::RowReader(**row).u32());
}

Result<std::uint64_t> MailboxChange::keyword_bits(const std::vector<std::string>& names) {
    std::uint64_t bits = 0;
    std::vector<std::string> slots = after_.keywords;
    for (const std::string& name : names) {
        if (!is_keyword(name)) return Error{Errc::invalid, "not a keyword: " + name.substr(0, 100)};
        const int known = find_keyword(slots, name);
        const int slot = known >= 0 ? known : free_slot(slots, bits);
        if (slot < 0) return Error{Errc::limit, "too many different keywords in this mailbox"};
        if (known < 0) slots[static_cast<std::size_t>(slot)] = name;
        bits |= std::uint64_t{1} << slot;
    }
    if (slots != after_.keywords) {
        after_.keywords = std::move(slots);
        put(std::string(keywords_key), encode_keywords(after_.keywords));
        modseq_used_ = true;
    }
    return bits;
}

int MailboxChange::free_slot(std::vector<std::string>& slots, std::uint64_t taken) const {
    if (slots.size() < max_keywords_per_mailbox) {
        slots.emplace_back();
        return static_cast<int>(slots.size() - 1);
    }
    // A name whose last message is gone makes room.
    for (std::size_t i = 0; i < slots.size(); ++i) {
        const auto number = static_cast<SetNumber>(first_keyword_set + i);
        if (after_.set(number).empty() && (taken >> i & 1) == 0) return static_cast<int>(i);
    }
    return -1;
}

Result<void> MailboxChange::has_uids(std::size_t count) const {
    if (std::numeric_limits<Uid>::max() - after_.head.uid_next >= count) return {};
    return Error{Errc::limit, "the mailbox has used up its UIDs; move its mail to a new one"};
}

Uid MailboxChange::add(StoredMessage message, MessageTexts texts) {
    message.uid = after_.head.uid_next++;
    message.modseq = modseq();
    message.save_date = time_;
    after_.head.bytes += message.size;
    put(uid_key('m', message.uid), encode(message));
    if (!texts.summary.empty()) put(uid_key('s', message.uid), std::move(texts.summary));
    if (!texts.report.empty()) put(uid_key('r', message.uid), std::move(texts.report));
    if (!texts.uidl.empty()) put(uid_key('p', message.uid), std::move(texts.uidl));
    change_set(existing_set, message.uid, true);
    for (SystemFlag flag : all_system_flags) {
        if ((message.system_flags & static_cast<std::uint8_t>(flag)) != 0) {
            change_set(set_of(flag), message.uid, true);
        }
    }
    for (std::size_t slot = 0; slot < after_.keywords.size(); ++slot) {
        if ((message.keywords >> slot & 1) != 0) {
            change_set(static_cast<SetNumber>(first_keyword_set + slot), message.uid, true);
        }
    }
    journal_.changed.add(message.uid);
    modseq_used_ = true;
    messages_[message.uid] = message;
    return message.uid;
}

void MailboxChange::attach_blob(const BlobId& id, std::shared_ptr<const std::string> framed) {
    blob_bytes_ += framed->size();
    blobs_.push_back({id, std::move(framed)});
}

void MailboxChange::remember(const OperationId& operation, Uid uid) {
    put(operation_key(operation), kv::RowWriter().u32(uid).take());
    outcomes_[operation] = uid;
    journal_.operations.push_back(operation);
    modseq_used_ = true;
}

void MailboxChange::set_flags(StoredMessage message, std::uint8_t system_flags,
                              std::uint64_t keywords) {
    for (SystemFlag flag : all_system_flags) {
        const auto bit = static_cast<std::uint8_t>(flag);
        if (((message.system_flags ^ system_flags) & bit) != 0) {
            change_set(set_of(flag), message.uid, (system_flags & bit) != 0);
        }
    }
    for (std::size_t slot = 0; slot < after_.keywords.size(); ++slot) {
        if (((message.keywords ^ keywords) >> slot & 1) != 0) {
            change_set(static_cast<SetNumber>(first_keyword_set + slot), message.uid,
                       (keywords >> slot & 1) != 0);
        }
    }
    const int differing = message.system_flags ^ system_flags;
    const bool only_seen =
        differing == static_cast<int>(SystemFlag::seen) && message.keywords == keywords;
    message.system_flags = system_flags;
    message.keywords = keywords;
    if (only_seen && after_.seen_mode == SeenMode::own) {
        // Its owner's own \Seen: nobody else is told, so that the message's modseq stays.
        log_seen(after_.head.owner, {message.uid});
    } else {
        message.modseq = modseq();
        journal_.changed.add(message.uid);
    }
    put(uid_key('m', message.uid), encode(message));
    modseq_used_ = true;
    messages_[message.uid] = message;
}

void MailboxChange::remove(const StoredMessage& message) {
    for (char prefix : {'m', 's', 'r', 'p'}) erase(uid_key(prefix, message.uid));
    put(garbage_key(message.blob, message.owner), "1");
    for (const auto& [number, set] : std::map(after_.sets)) {
        if (set->contains(message.uid)) change_set(number, message.uid, false);
    }
    after_.head.bytes -= std::min(after_.head.bytes, message.size);
    journal_.vanished.add(message.uid);
    modseq_used_ = true;
    messages_[message.uid] = std::nullopt;
}

void MailboxChange::forget_garbage(const BlobId& blob, std::uint64_t owner) {
    erase(garbage_key(blob, owner));
}

void MailboxChange::set_extra(const std::string& key, const std::optional<std::string>& value) {
    if (value) {
        put(key, *value);
    } else {
        erase(key);
    }
}

Result<std::set<std::string>> MailboxChange::extra_keys(const std::string& prefix) {
    std::set<std::string> keys;
    std::string from = prefix;
    const std::string until = after_prefix(prefix);
    for (bool more = true; more;) {
        const auto page = store_.scan(mailbox_shard(before_->id), from, until, kv::max_page_rows);
        if (!page) return page.error();
        for (const kv::Row& row : page->rows) keys.insert(row.key);
        more = page->more;
        if (more) from = page->rows.back().key + '\0';
    }
    return keys;
}

void MailboxChange::put(std::string key, std::string value) {
    bytes_ += key.size() + value.size();
    rows_[std::move(key)] = std::move(value);
    changed_ = true;
}

void MailboxChange::erase(std::string key) {
    bytes_ += key.size();
    rows_[std::move(key)] = std::nullopt;
    changed_ = true;
}

void MailboxChange::change_set(SetNumber number, Uid uid, bool member) {
    std::shared_ptr<UidSet>& own = own_sets_[number];
    if (!own) {
        own = std::make_shared<UidSet>(after_.set(number));
        after_.sets[number] = own;
    }
    if (member) {
        own->add(uid);
        if (uid % adds_until_packed == 0) own->pack();
    } else {
        own->remove(uid);
    }
    touched_.emplace(number, static_cast<std::uint16_t>(uid >> 16));
}

void MailboxChange::put_bitmaps(kv::Batch& batch) const {
    for (const auto& [number, high] : touched_) {
        const UidSet part = part_of(after_.set(number), high);
        if (part.empty()) {
            batch.operations.emplace_back(kv::Erase{bitmap_key(number, high)});
        } else {
            batch.operations.emplace_back(kv::Put{bitmap_key(number, high), part.serialize()});
        }
    }
}

Result<void> MailboxChange::trim_journal() {
    const kv::ShardId shard = mailbox_shard(before_->id);
    for (int i = 0; i < journal_entries_trimmed_per_change; ++i) {
        Head& head = after_.head;
        if (head.highest_modseq - head.journal_from <= max_journal_entries) return {};
        const std::string key = journal_key(head.journal_from + 1);
        const auto row = store_.get(shard, key);
        if (!row) return row.error();
        if (*row) {
            const auto entry = decode_journal_entry(**row);
            if (entry) {
                for (const OperationId& operation : entry->operations)
                    erase(operation_key(operation));
            }
            erase(key);
        }
        ++head.journal_from;
    }
    return {};
}

Result<kv::Batch> MailboxChange::batch() {
    if (modseq_used_) {
        after_.head.highest_modseq = modseq();
        put(journal_key(modseq()), encode(journal_));
        const auto trimmed = trim_journal();
        if (!trimmed) return trimmed.error();
    }
    const auto seen = put_seen();
    if (!seen) return seen.error();
    kv::Batch batch;
    batch.shard = mailbox_shard(before_->id);
    batch.operation = kv::random_id();
    batch.preconditions.push_back({std::string(head_key), before_->raw_head});
    after_.raw_head = encode(after_.head);
    if (after_.raw_head != before_->raw_head) {
        batch.operations.emplace_back(kv::Put{std::string(head_key), after_.raw_head});
    }
    for (auto& [key, value] : rows_) {
        if (value) {
            batch.operations.emplace_back(kv::Put{key, std::move(*value)});
        } else {
            batch.operations.emplace_back(kv::Erase{key});
        }
    }
    put_bitmaps(batch);
    batch.blobs = std::move(blobs_);
    return batch;
}

}  // namespace postern::mail

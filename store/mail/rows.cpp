#include "store/mail/rows.h"

#include "protocols/base/hash.h"
#include "store/kv/row_codec.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace postern::mail {

namespace {
constexpr std::uint8_t row_version = 1;
}

SetNumber set_of(SystemFlag flag) {
    return static_cast<SetNumber>(first_flag_set +
                                  std::countr_zero(static_cast<std::uint8_t>(flag)));
}

std::string encode(const Head& head) {
    return kv::RowWriter()
        .u8(row_version)
        .u32(head.uid_validity)
        .varint(head.uid_next)
        .varint(head.highest_modseq)
        .varint(head.bytes)
        .varint(head.recent_from)
        .varint(head.journal_from)
        .u64(head.owner.value)
        .take();
}

std::optional<Head> decode_head(std::string_view value) {
    kv::RowReader reader(value);
    if (reader.u8() != row_version) return std::nullopt;
    Head head;
    head.uid_validity = reader.u32();
    head.uid_next = static_cast<Uid>(reader.varint());
    head.highest_modseq = reader.varint();
    head.bytes = reader.varint();
    head.recent_from = static_cast<Uid>(reader.varint());
    head.journal_from = reader.varint();
    head.owner.value = reader.u64();
    if (!reader.done()) return std::nullopt;
    return head;
}

Id128 thread_id_of(std::string_view thread_root) {
    Id128 id;
    if (thread_root.empty()) return id;
    const std::uint64_t halves[] = {hash64(thread_root, 1), hash64(thread_root, 2)};
    static_assert(sizeof halves == sizeof id.bytes);
    std::memcpy(id.bytes.data(), halves, sizeof halves);
    return id;
}

std::string mailbox_object_id(MailboxId mailbox) {
    Id128 id;
    for (unsigned i = 0; i < 8; ++i) {
        id.bytes[i] = static_cast<std::uint8_t>(mailbox.value >> (56 - 8 * i));
    }
    return "M" + to_hex(id).substr(0, 16);
}

std::string email_object_id(const Id128& email) {
    return "E" + to_hex(email);
}

std::string thread_object_id(const Id128& thread) {
    return "T" + to_hex(thread);
}

std::string encode(const StoredMessage& message) {
    return kv::RowWriter()
        .u8(row_version)
        .u8(message.system_flags)
        .varint(message.keywords)
        .varint(message.modseq)
        .signed_varint(to_unix_ms(message.internal_date))
        .signed_varint(to_unix_ms(message.save_date))
        .varint(message.size)
        .id(message.blob)
        .u64(message.owner)
        .id(message.email_id)
        .id(message.thread_id)
        .take();
}

std::optional<StoredMessage> decode_message(Uid uid, std::string_view value) {
    kv::RowReader reader(value);
    if (reader.u8() != row_version) return std::nullopt;
    StoredMessage message;
    message.uid = uid;
    message.system_flags = reader.u8();
    message.keywords = reader.varint();
    message.modseq = reader.varint();
    message.internal_date = from_unix_ms(reader.signed_varint());
    message.save_date = from_unix_ms(reader.signed_varint());
    message.size = reader.varint();
    message.blob = reader.id();
    message.owner = reader.u64();
    message.email_id = reader.id();
    message.thread_id = reader.id();
    if (!reader.done()) return std::nullopt;
    return message;
}

std::string encode(const JournalEntry& entry) {
    kv::RowWriter writer;
    writer.u8(row_version);
    writer.bytes(entry.changed.empty() ? std::string() : entry.changed.serialize());
    writer.bytes(entry.vanished.empty() ? std::string() : entry.vanished.serialize());
    writer.varint(entry.operations.size());
    for (const OperationId& operation : entry.operations) writer.id(operation);
    return writer.take();
}

std::optional<JournalEntry> decode_journal_entry(std::string_view value) {
    kv::RowReader reader(value);
    if (reader.u8() != row_version) return std::nullopt;
    JournalEntry entry;
    for (UidSet* set : {&entry.changed, &entry.vanished}) {
        const std::string_view bytes = reader.bytes();
        if (!bytes.empty() && !set->deserialize(bytes)) return std::nullopt;
    }
    const std::uint64_t count = reader.varint();
    for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
        entry.operations.push_back(reader.id());
    }
    if (!reader.done()) return std::nullopt;
    return entry;
}

std::string encode_keywords(const std::vector<std::string>& names) {
    kv::RowWriter writer;
    writer.u8(row_version);
    for (const std::string& name : names) writer.bytes(name);
    return writer.take();
}

std::optional<std::vector<std::string>> decode_keywords(std::string_view value) {
    kv::RowReader reader(value);
    if (reader.u8() != row_version) return std::nullopt;
    std::vector<std::string> names;
    while (reader.ok() && !reader.at_end()) names.emplace_back(reader.bytes());
    if (!reader.ok() || names.size() > max_keywords_per_mailbox) return std::nullopt;
    return names;
}

std::string bitmap_key(SetNumber set, std::uint16_t high) {
    return kv::RowWriter().u8('b').u8(set).u16(high).take();
}

std::string uid_key(char prefix, Uid uid) {
    return kv::RowWriter().u8(static_cast<std::uint8_t>(prefix)).u32(uid).take();
}

std::optional<Uid> uid_of_key(std::string_view key) {
    kv::RowReader reader(key);
    reader.u8();
    const Uid uid = reader.u32();
    if (!reader.done()) return std::nullopt;
    return uid;
}

std::string journal_key(ModSeq modseq) {
    return kv::RowWriter().u8('c').u64(modseq).take();
}

std::string operation_key(const OperationId& operation) {
    return kv::RowWriter().u8('o').id(operation).take();
}

std::string garbage_key(const BlobId& blob, std::uint64_t owner) {
    return kv::RowWriter().u8('g').id(blob).u64(owner).take();
}

std::string annotation_key(AccountId account, std::string_view name) {
    return kv::RowWriter().u8('a').u64(account.value).raw(name).take();
}

std::string rights_key(std::string_view identifier) {
    return kv::RowWriter().u8('l').raw(identifier).take();
}

std::string encode(SeenMode mode) {
    return kv::RowWriter().u8(row_version).u8(static_cast<std::uint8_t>(mode)).take();
}

std::optional<SeenMode> decode_seen_mode(std::string_view value) {
    kv::RowReader reader(value);
    if (reader.u8() != row_version) return std::nullopt;
    const std::uint8_t mode = reader.u8();
    if (!reader.done() || mode > static_cast<std::uint8_t>(SeenMode::common_again)) {
        return std::nullopt;
    }
    return static_cast<SeenMode>(mode);
}

std::string seen_marks_key(AccountId account, std::uint16_t high) {
    return kv::RowWriter().u8('v').u64(account.value).u16(high).take();
}

std::string seen_log_key(AccountId account, std::uint16_t high, ModSeq modseq) {
    return kv::RowWriter().u8('w').u64(account.value).u16(high).u64(modseq).take();
}

AccountId account_of_key(std::string_view key) {
    kv::RowReader reader(key);
    reader.u8();
    return {reader.u64()};
}

bool is_persons(std::string_view key) {
    return !key.empty() && std::string_view("avw").find(key.front()) != std::string_view::npos &&
           account_of_key(key).value != 0;
}

std::string with_account(std::string_view key, AccountId account) {
    const std::string prefix = of_account(key.front(), account);
    return prefix + std::string(key.substr(std::min(prefix.size(), key.size())));
}

std::optional<ModSeq> modseq_of_seen_log_key(std::string_view key) {
    kv::RowReader reader(key);
    reader.u8();
    reader.u64();
    reader.u16();
    const ModSeq modseq = reader.u64();
    if (!reader.done()) return std::nullopt;
    return modseq;
}

std::string of_account(char prefix, AccountId account) {
    return kv::RowWriter().u8(static_cast<std::uint8_t>(prefix)).u64(account.value).take();
}

std::string after_prefix(std::string prefix) {
    while (prefix.back() == '\xff') prefix.pop_back();
    ++prefix.back();
    return prefix;
}

}  // namespace postern::mail

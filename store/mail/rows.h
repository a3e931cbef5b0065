// Keys and values of a mailbox's shard.
//
//   h                    Head: counters; rewritten by every change of messages, so it is the
//                        precondition of all
//   k                    names of keywords, in slots
//   b set(1) high(2)     the members of a set whose upper 16 bits are `high`
//   m uid(4)             StoredMessage
//   s uid(4), r uid(4)   summary and filter report, as given
//   p uid(4)             its unique id in POP3, where it brought one along
//   c modseq(8)          JournalEntry: what changed at that modseq
//   o operation(16)      the UID that a delivery got, so that its replay gets the same
//   g blob(16) owner(8)  a body that an expunged message has still to let go of
//   a account(8) name    annotation; account 0: shared
//   l identifier         rights, as letters
//   y                    SeenMode: whether each account has its own \Seen (ADR 0020)
//   v account(8) high(2)            where an account's \Seen differs from those of account 0,
//                                   which everybody begins with; of UIDs with that `high`
//   w account(8) high(2) modseq(8)  of which messages the account changed its \Seen last at
//                                   that modseq; account 0: all accounts
#pragma once

#include "protocols/base/flags.h"
#include "protocols/base/ids.h"
#include "protocols/base/time.h"
#include "protocols/base/uid_set.h"
#include "store/kv/kv.h"
#include "store/mail/types.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::mail {

inline constexpr std::size_t max_journal_entries = 10'000;

inline kv::ShardId mailbox_shard(MailboxId mailbox) {
    return {kv::ShardKind::mailbox, mailbox.value};
}

// Sets kept as bitmaps. Flags follow SystemFlag's bits, keywords their slots.
using SetNumber = std::uint8_t;
inline constexpr SetNumber existing_set = 0;
inline constexpr SetNumber first_flag_set = 1;
inline constexpr SetNumber first_keyword_set = 16;
SetNumber set_of(SystemFlag flag);

struct Head {
    std::uint32_t uid_validity = 0;
    Uid uid_next = 1;
    ModSeq highest_modseq = 1;
    std::uint64_t bytes = 0;
    Uid recent_from = 1;      // messages from here on are \Recent for the next session
    ModSeq journal_from = 1;  // changes up to this modseq are no longer in the journal
    AccountId owner;
};
std::string encode(const Head& head);
std::optional<Head> decode_head(std::string_view value);

struct StoredMessage {
    Uid uid = 0;  // from the key
    std::uint8_t system_flags = 0;
    std::uint64_t keywords = 0;  // bit n: the keyword of slot n
    ModSeq modseq = 0;
    Time internal_date;
    Time save_date;
    std::uint64_t size = 0;
    BlobId blob;
    std::uint64_t owner = 0;  // this message's name among the blob's owners
    Id128 email_id;
    Id128 thread_id;
};
// Of the Message-ID that a thread begins with; empty for an empty one.
Id128 thread_id_of(std::string_view thread_root);
std::string encode(const StoredMessage& message);
std::optional<StoredMessage> decode_message(Uid uid, std::string_view value);

struct JournalEntry {
    UidSet changed;  // added, or flags changed
    UidSet vanished;
    std::vector<OperationId> operations;  // rows `o` that go when this entry goes
};
std::string encode(const JournalEntry& entry);
std::optional<JournalEntry> decode_journal_entry(std::string_view value);

std::string encode_keywords(const std::vector<std::string>& names);
std::optional<std::vector<std::string>> decode_keywords(std::string_view value);

enum class SeenMode : std::uint8_t {
    common,        // it never was otherwise
    own,           // each account its own
    common_again,  // as common, but rows `w` still tell what changed
};
std::string encode(SeenMode mode);
std::optional<SeenMode> decode_seen_mode(std::string_view value);

inline constexpr std::string_view head_key = "h";
inline constexpr std::string_view seen_mode_key = "y";
inline constexpr std::string_view keywords_key = "k";
std::string bitmap_key(SetNumber set, std::uint16_t high);
std::string uid_key(char prefix, Uid uid);  // prefix m, s, r or p
std::optional<Uid> uid_of_key(std::string_view key);
std::string journal_key(ModSeq modseq);
std::string operation_key(const OperationId& operation);
std::string garbage_key(const BlobId& blob, std::uint64_t owner);
std::string annotation_key(AccountId account, std::string_view name);  // account 0: shared
std::string rights_key(std::string_view identifier);

std::string seen_marks_key(AccountId account, std::uint16_t high);
std::string of_account(char prefix, AccountId account);  // what its rows `v` or `w` begin with
std::string seen_log_key(AccountId account, std::uint16_t high, ModSeq modseq);
std::optional<ModSeq> modseq_of_seen_log_key(std::string_view key);

// Rows `a`, `v` and `w` that are of one account and not of all: which, and the same of another.
bool is_persons(std::string_view key);
AccountId account_of_key(std::string_view key);
std::string with_account(std::string_view key, AccountId account);

// Smallest key over all that begin with prefix, which is not all 0xff.
std::string after_prefix(std::string prefix);
inline std::string after_prefix(char prefix) {
    return after_prefix(std::string(1, prefix));
}

}  // namespace postern::mail

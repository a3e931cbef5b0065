// The names of one account's mailboxes: the account's shard.
//
//   h        version: rewritten by every change, so it is the precondition of all
//   n name   mailbox id (0: a name with children only), special use
//   s name   subscribed
//   o name   mailbox id that an earlier version stored under that spelling, where the composed one
//            was another mailbox's
//   a 0(8) name   annotation of the account
//   q        its pool and cap (pools.h)
//
// All of it waits: for task threads only, but for the reading functions.
#pragma once

#include "protocols/base/result.h"
#include "store/kv/kv.h"
#include "store/mail/mailboxes.h"
#include "store/mail/types.h"

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::mail {

// "inbox" in any case as first level becomes "INBOX", and letters are put together with their
// accents (RFC 5198), so that a name is the same however it was typed. Errors: invalid (empty
// levels, control characters, not UTF-8, too long, too deep).
Result<std::string> canonical_name(std::string_view text);
// The same for a name that is to come to be. C1 controls and line and paragraph separators are
// refused only here: what has such a name already can be found, renamed and removed.
Result<std::string> canonical_new_name(std::string_view text);

inline constexpr std::string_view names_version_key = "h";
// A version never used before: a table read in between can not be mistaken for this one.
std::string new_names_version();

inline kv::ShardId account_shard(AccountId account) {
    return {kv::ShardKind::account, account.value};
}

struct NameRow {
    MailboxId id;  // 0: not selectable
    SpecialUse special_use = SpecialUse::none;
};

// An account's names as read, and as a change leaves them.
struct NameTable {
    std::optional<std::string> raw_version;
    std::map<std::string, NameRow> names;
    std::set<std::string> subscribed;
    // By the spelling that an earlier version stored: what has another name now, since that one
    // composed is another mailbox's. What was written down before (POP3's settings) leads there.
    std::map<std::string, MailboxId> numbered;
    // Keys as stored and as they are here, of names that were stored before names were composed.
    // The next change writes them anew, in this order.
    std::vector<std::pair<std::string, std::string>> respelled;
};

Result<NameTable> read_names(kv::Store& store, AccountId account);
// What `text` names: as it was stored once, else its canonical form. Errors: invalid.
Result<std::string> name_meant(const NameTable& table, std::string_view text);
std::vector<MailboxInfo> list_of(const NameTable& table);

// Reads, changes and commits, again while others change the account too. The change is a pure
// function of the table, and may answer an error.
Result<void> change_names(kv::Store& store, AccountId account,
                          const std::function<Result<void>(NameTable&)>& change);

// The mailbox's own shard comes to be: an empty mailbox with a fresh UIDVALIDITY.
Result<MailboxId> make_mailbox(Mailboxes& mailboxes, AccountId owner);

// Strictly growing over the whole store, also when mailboxes come and go within a second or the
// clock is set back: a name made again never shows a UIDVALIDITY that a client has seen with it.
Result<std::uint32_t> take_uid_validity(kv::Store& store, Time now);

Result<void> create_account_names(Mailboxes& mailboxes, AccountId account);
Result<MailboxInfo> create_name(Mailboxes& mailboxes, AccountId account, const std::string& name,
                                SpecialUse use);
Result<void> remove_name(Mailboxes& mailboxes, AccountId account, const std::string& name);
Result<void> rename_name(Mailboxes& mailboxes, AccountId account, const std::string& from,
                         const std::string& to);
Result<void> subscribe_name(Mailboxes& mailboxes, AccountId account, const std::string& name,
                            bool subscribed);
Result<void> remove_all_names(Mailboxes& mailboxes, AccountId account);

// Takes a mailbox that no name leads to any more out of the store, and its messages with it. May be
// done again after a crash.
Result<void> purge_mailbox(Mailboxes& mailboxes, MailboxId mailbox);
// The same without queues, for a mailbox that nobody has open.
Result<void> purge_rows(kv::Store& store, MailboxId mailbox);

}  // namespace postern::mail

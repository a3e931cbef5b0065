// Mailboxes as one user sees them: the user's own, and those of others with the rights that were
// given (RFC 4314).
//
//   Work/2025                           the user's own
//   Other Users/ann@example.org/INBOX   ann's
//   Shared/info@example.org/INBOX       a group's account, which belongs to nobody
//
// In such a name a '/' of an address is written ':'. The owner has every right. "anyone" is
// everybody of the owner's own domain: one customer's mailbox is never another's to see.
//
// Thread rule: any function from any thread. Functions that change something wait for durability
// and never run on a store thread or a core of connections.
#pragma once

#include "protocols/base/flags.h"
#include "protocols/base/result.h"
#include "store/directory/directory.h"
#include "store/directory/shares.h"
#include "store/mail/mail_store.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::sharing {

inline constexpr std::string_view others_prefix = "Other Users/";
inline constexpr std::string_view groups_prefix = "Shared/";

struct Who {
    AccountId id;
    std::string address;
};

// A mailbox and what the asking user may do with it.
struct Place {
    Who owner;
    mail::MailboxInfo box;  // the name in the owner's account
    std::string rights;     // letters (protocols/imap/rights.h)
    bool own = true;
    bool may(char right) const { return rights.find(right) != std::string::npos; }
};

// The account that a name lies in, and its name there. The mailbox may not exist.
struct Location {
    Who owner;
    std::string name;
    bool own = true;
};

struct Listed {
    std::string name;  // as the user names it
    mail::MailboxInfo box;
    std::string rights;
};

// The union of what "anyone" and the user were given, less what "-anyone" and "-user" take away.
std::string effective_rights(const std::map<std::string, std::string>& set, std::string_view user,
                             std::string_view owner);

class Sharing {
public:
    // All three must outlive this.
    Sharing(directory::Directory& directory, directory::Shares& shares, mail::MailStore& mail)
        : directory_(directory), shares_(shares), mail_(mail) {}

    // Errors: not_found, also for what the user has no right to at all.
    Result<Place> find(const Who& user, const std::string& name);
    // A mailbox of the user's own goes first. nullopt: no such account.
    Result<std::optional<Location>> locate(const Who& user, const std::string& name);
    // Those of others that the user may see ("l").
    Result<std::vector<Listed>> list(const Who& user);
    // As they are now; empty when the mailbox is gone.
    Result<std::string> rights_of(const Who& user, const Who& owner, MailboxId mailbox);

    // Whether the user may write as the owner: the right "p" to the owner's INBOX.
    Result<bool> may_send_as(const Who& user, const Who& owner);

    // "ann" -> "ann@owner's domain", also behind the '-' of negative rights. Errors: invalid (not
    // an identifier, nobody, the owner).
    Result<std::string> identifier(const Who& owner, std::string_view text);
    // Errors: as of identifier, which need not exist to lose rights; limit, not_found.
    Result<void> change(const Who& owner, MailboxId mailbox, std::string_view identifier,
                        FlagMode mode, std::string_view rights);

    // The nearest mailbox above that name, whose rights a new one takes over. nullopt: none.
    Result<std::optional<mail::MailboxInfo>> parent(const Who& owner, const std::string& name);
    // Gives the mailboxes between `parent` and `name`, and that one, the rights of `parent`, and
    // each person an own \Seen there if it is so in `parent`.
    Result<void> inherit(const Who& owner, const mail::MailboxInfo& parent,
                         const std::string& name);

private:
    Result<void> end_seen_without_rights(const Who& owner, MailboxId mailbox,
                                         std::string_view whom);
    Result<std::string> shared_prefix(const std::string& owner);

    directory::Directory& directory_;
    directory::Shares& shares_;
    mail::MailStore& mail_;
};

}  // namespace postern::sharing

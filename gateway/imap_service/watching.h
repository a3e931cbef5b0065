// What one session watches for NOTIFY (RFC 5465): which mailboxes, and what its client knows of
// each.
//
// The store only hints that something changed. What changed is found by comparing with what was
// told last, so a hint that is doubled, joined or late costs nothing, and memory is bounded
// however much happens between two answers.
//
// Used by one thread at a time.
#pragma once

#include "gateway/imap_service/mailbox_list.h"
#include "gateway/net/session.h"
#include "gateway/sharing/sharing.h"
#include "protocols/base/result.h"
#include "protocols/imap/questions.h"
#include "store/mail/mail_store.h"

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace postern::imap_service {

// Names that the user sees, watched or not.
inline constexpr std::size_t max_watched_names = 5000;
// Names of annotations, of all watched mailboxes together.
inline constexpr std::size_t max_watched_entry_bytes = 256 * 1024;

// The annotation that tells that each person has an own \Seen in the mailbox (ADR 0020).
inline constexpr std::string_view own_seen_entry = "/shared/vendor/postern/seen";
inline constexpr std::string_view own_seen_value = "own";

class Watching {
public:
    // `mail` and `sharing` must outlive this.
    Watching(mail::MailStore& mail, sharing::Sharing& sharing, sharing::Who who,
             std::shared_ptr<net::Waker> waker)
        : mail_(mail), sharing_(sharing), who_(std::move(who)), waker_(std::move(waker)) {}

    // As imap::Watch. Takes time for each mailbox. Errors: limit; the store's.
    Result<void> start(std::vector<imap::WatchGroup> groups, bool status);
    // As imap::GetNews, without what happens to the messages of `selected` (0: none).
    Result<imap::News> news(MailboxId selected);

    // This session did that itself: it is no news. Where somebody else had a hand in it, it is.
    void settle_names(const std::vector<std::string>& names);
    void settle_arrivals(MailboxId mailbox, const std::vector<Uid>& uids);
    void settle_entries(const std::string& mailbox);  // empty: the account's own

    // What the client knows of a mailbox.
    struct Told {
        std::uint32_t uid_validity = 0;
        Uid uid_next = 1;
        ModSeq modseq = 0;
        std::uint64_t messages = 0;
    };
    // The mailbox is not selected any more; the client saw this of it.
    void left(MailboxId mailbox, const Told& seen);

private:
    using Item = std::variant<imap::News::Status, imap::News::Name, imap::News::Metadata>;
    using Entries = std::map<std::string, std::uint64_t>;  // name -> hash of the value

    // A hint of the store: set on its threads, taken on ours.
    struct Hint {
        std::atomic<bool> changed = false;
    };
    struct Watched {
        std::shared_ptr<Hint> hint;
        std::shared_ptr<void> watch;
        bool take() const { return hint && hint->changed.exchange(false); }
    };
    struct Box {
        ListedName name;
        imap::WatchEvents events;
        Told told;
        Entries entries;
        Watched watched;
        bool first = false;  // its status was asked for
    };
    using Boxes = std::map<std::string, Box>;

    template <class Start>
    Watched watch(Start start) const;
    imap::WatchEvents events_of(const ListedName& name) const;
    Result<void> begin(Box& box);
    // `is_own`: changes of such names are no news.
    Result<void> look_at_names(const std::function<bool(const std::string&)>& is_own);
    void tell_name(const Boxes& now, const Box& box, std::string old_name);
    void tell_gone(const Boxes& now, Box gone);
    void watch_owners();
    bool may_read(const Box& box);
    Result<void> look_at(Box& box, bool with_messages);
    Result<bool> own_flags_changed(const Box& box, const mail::Status& status);
    Error look_again(const Error& error);
    void forget_waiting_status();
    Result<std::map<std::string, std::string>> read_entries(MailboxId id);
    Result<void> look_at_entries(const std::string& mailbox, MailboxId id, Entries& entries,
                                 bool tell);
    Box* find(MailboxId mailbox);

    mail::MailStore& mail_;
    sharing::Sharing& sharing_;
    const sharing::Who who_;
    const std::shared_ptr<net::Waker> waker_;
    std::vector<imap::WatchGroup> groups_;
    bool server_metadata_ = false;
    Boxes boxes_;
    std::map<AccountId, Watched> accounts_;
    Entries account_entries_;
    std::size_t entry_bytes_ = 0;
    std::deque<Item> waiting_;
    bool overflow_ = false;
};

}  // namespace postern::imap_service

// What NOTIFY watches beside the selected mailbox (RFC 5465).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace postern::imap {

inline constexpr std::size_t max_notify_groups = 100;  // in one NOTIFY
inline constexpr std::size_t max_notify_names = 1000;  // of mailboxes in one NOTIFY
inline constexpr std::size_t max_news_items = 64;      // in one News

struct WatchEvents {
    bool messages = false;  // MessageNew and MessageExpunge, which go together
    bool flags = false;
    bool names = false;
    bool subscriptions = false;
    bool metadata = false;
    bool server_metadata = false;  // of whichever group: the account has one such

    bool any() const {
        return messages || flags || names || subscriptions || metadata || server_metadata;
    }
    WatchEvents& operator|=(const WatchEvents& other) {
        messages |= other.messages;
        flags |= other.flags;
        names |= other.names;
        subscriptions |= other.subscriptions;
        metadata |= other.metadata;
        server_metadata |= other.server_metadata;
        return *this;
    }
};

// A mailbox that several groups name has the events of all.
struct WatchGroup {
    enum class Filter : std::uint8_t { inboxes, personal, subscribed, subtree, mailboxes };
    Filter filter = Filter::personal;
    std::vector<std::string> names;  // of subtree and mailboxes
    WatchEvents events;
};

}  // namespace postern::imap

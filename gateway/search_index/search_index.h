// The full-text indexes of all mailboxes: kept up to date in the background, asked by searches.
//
// A change of a mailbox is heard of from the store after it is durable, and looked at some seconds
// later on one thread of low priority, so that no delivery ever waits. A mailbox gets an index once
// a client has selected it: mail that is fetched by POP3 alone is never searched. Only mailboxes
// with min_missing messages that are not indexed yet are worth writing; fewer are read by each
// search.
#pragma once

#include "gateway/search_index/mailbox_indexer.h"
#include "store/fulltext/index.h"
#include "store/kv/kv.h"
#include "store/mail/mail_store.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>

namespace postern::search_index {

struct Options {
    std::string folder;             // made when needed
    std::size_t min_missing = 200;  // messages
    std::chrono::milliseconds look_after{5'000};  // a change; others join it
    // What left the mailbox leaves the index after this at the latest.
    std::chrono::milliseconds tidy_after{10 * 60'000};
    // Hints of changes may be lost, and other processes give none: all are looked at now and then.
    std::chrono::milliseconds sweep_interval{60 * 60'000};
    // Mailboxes without an index that clients have selected, as far as they are remembered; those
    // that are forgotten are known again when they are selected again.
    std::size_t max_selected = 100'000;
    std::function<void(std::string_view)> warn;  // a line for the admin; may be empty
};

struct Status {
    std::uint64_t waiting = 0;  // mailboxes to be looked at
    std::uint64_t added = 0;    // messages, since the start
    std::uint64_t removed = 0;
    bool busy = false;  // writing
};

class SearchIndex {
public:
    // Both stores must outlive this.
    SearchIndex(kv::Store& store, mail::MailStore& mail, Options options);
    ~SearchIndex();
    SearchIndex(const SearchIndex&) = delete;
    SearchIndex& operator=(const SearchIndex&) = delete;

    void start();
    // What is indexed stays; the rest follows after the next start.
    void stop();

    // A client may search this mailbox: from now on it is indexed. Any thread.
    void was_selected(MailboxId mailbox);
    // What is indexed of a mailbox, for one search. Thread rule: any thread.
    std::unique_ptr<fulltext::Index> open(MailboxId mailbox, std::uint32_t uid_validity) const;
    // A search met damage: the mailbox's index is to be built anew. Any thread.
    void rebuild(MailboxId mailbox, std::string_view damage);
    // Any thread.
    Status status() const;

private:
    using Clock = std::chrono::steady_clock;
    struct Due {
        Clock::time_point at;
        std::optional<Clock::time_point> tidy_at;  // messages are to leave the index by then
        bool rebuild = false;
    };

    void heard_of(MailboxId mailbox);
    void run();
    std::optional<std::pair<MailboxId, Due>> next();
    void look_at(MailboxId mailbox, Due due);
    bool worth_writing(MailboxId mailbox, Due& due) const;
    bool worth_beginning(MailboxId mailbox) const;
    void write(MailboxId mailbox, Due due);
    void wait_again(MailboxId mailbox, Due due);
    void sweep();
    void remove_orphans(const std::set<MailboxId>& existing);
    void warn(std::string_view text) const;

    kv::Store& store_;
    mail::MailStore& mail_;
    const Options options_;

    mutable std::mutex mutex_;  // guards what follows
    std::map<MailboxId, Due> due_;
    std::set<MailboxId> selected_;
    Status status_;
    std::condition_variable changed_;
    std::atomic<bool> stopped_{false};
    Clock::time_point sweep_at_{};
    std::thread thread_;
    std::shared_ptr<void> watch_;
};

}  // namespace postern::search_index

// From a whole message to mailboxes: one durable commit, then the sender is told, then the rest.
//
// One recipient: the commit into the mailbox is the acceptance. Several: the spool takes the
// message in one commit, and each mailbox follows at once, before the answer when they are few;
// what is left over is taken up again at start and now and then.
#pragma once

#include "filters/pipeline/pipeline.h"
#include "gateway/config/current.h"
#include "gateway/delivery/assemble.h"
#include "gateway/delivery/trace.h"
#include "gateway/net/awaitable.h"
#include "protocols/base/result.h"
#include "store/mail/mail_store.h"
#include "store/spool/spool.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace postern::delivery {

// Of one message. A sender of no more recipients is answered once each had its try, so that who
// looks after the answer finds the message.
inline constexpr std::size_t max_copies_at_once = 32;

struct LocalRecipient {
    std::string address;  // of the mailbox, lower case
    AccountId account;
    // One of many that a name stands for: without room it gets no copy, and the others theirs.
    bool may_be_left_out = false;
};

// At another server.
struct RemoteRecipient {
    std::string address;
    std::uint8_t notify = 0;  // smtp::Notify flags
    std::string original;     // ORCPT
};

// A message for other servers, as it is to go out.
struct Outgoing {
    OperationId id;
    std::string reverse_path;
    std::string account;
    std::string envelope_id;
    bool headers_only = false;
    bool smtputf8 = false;
    bool require_tls = false;
    bool spam = false;
    std::string hold_reason;  // not empty: it is kept until an admin releases it
    std::vector<RemoteRecipient> recipients;
    std::string bytes;
};
// Answers once it is durable. `withdraw`: as if it had never been queued, if it is still there.
// `stands`: it will not be withdrawn, so that people may be told of it.
struct OutgoingQueue {
    std::function<net::Awaitable<Result<void>>(Outgoing)> add;
    std::function<net::Awaitable<void>(OperationId)> withdraw;
    std::function<void(OperationId)> stands;
};

// What became of a message that is durable now.
struct Accepted {
    std::string id;
    bool spam = false;  // judged so
    // Addresses of mailboxes that have no room, of those that may be left out, and what they lack.
    std::vector<std::pair<std::string, Error>> left_out;
};

struct Counters {
    std::atomic<std::uint64_t> accepted{0};   // messages
    std::atomic<std::uint64_t> spam{0};       // of them
    std::atomic<std::uint64_t> delivered{0};  // copies in mailboxes
    std::atomic<std::uint64_t> failed{0};     // refused for a failure of ours
};

// The judgement of a message (scan::Scanner::scan). Called on sessions' cores, several at once.
using Scan = std::function<filters::Report(std::string_view bytes, const mime::Message& parsed,
                                           filters::Connection connection, Time now)>;

class Delivery {
public:
    struct Backends {
        mail::MailStore& mail;
        spool::Spool& spool;
        Scan scan;
        const config::Current& config;
        // Runs a coroutine beside the session that asks for it (net::Server::spawn).
        std::function<void(std::function<net::Awaitable<void>()>)> spawn;
        OutgoingQueue outgoing;
    };
    explicit Delivery(Backends backends) : backends_(std::move(backends)) {}

    // Answers once the message is durable. On an error nothing is stored: over_quota (of one that
    // may not be left out, or of all), unavailable and others of mail::MailStore::append and
    // spool::Spool::accept; permission: a user's mail to other servers that was judged spam, as
    // submission.spam asks. `recipients` has no address twice; one of the two lists is not empty.
    net::Awaitable<Result<Accepted>> accept(Arrival arrival, std::vector<LocalRecipient> recipients,
                                            std::vector<RemoteRecipient> remote, std::string body);

    // Whether the account would take mail of so many bytes now (0: any). Errors: over_quota,
    // too_large, unavailable.
    net::Awaitable<Result<void>> check_room(AccountId account, std::uint64_t bytes);

    // One try for everything that the spool still holds; at start, and again now and then.
    net::Awaitable<void> deliver_pending();

    // One mail for each level of a quota that was reached and nobody was told of.
    net::Awaitable<void> send_quota_warnings();

    const Counters& counters() const { return counters_; }

private:
    struct Job;
    // By address: where a copy's report is not that of all. Lost in a crash, unlike the mailbox
    // that follows from it.
    using CopyReports = std::map<std::string, std::string>;

    Result<mail::MailboxInfo> target(AccountId account, filters::Verdict verdict);
    net::Awaitable<Result<mail::MailboxInfo>> target_made_if_missing(AccountId account,
                                                                     filters::Verdict verdict);
    Assembled judge(Job& job);
    net::Awaitable<Result<void>> leave_out_full(Job& job);
    net::Awaitable<Result<void>> send_on(Job& job);
    bool is_refused_spam(const Job& job);
    net::Awaitable<Result<void>> append_to_one(Job& job);
    net::Awaitable<Result<void>> accept_for_many(Job& job);
    net::Awaitable<void> deliver(spool::Item item, CopyReports reports);
    net::Awaitable<std::vector<std::string>> deliver_copies(const spool::Item& item,
                                                            const CopyReports& reports);
    net::StoreCall<mail::Appended> start_copy(const spool::Item& item,
                                              const spool::Recipient& recipient, MailboxId mailbox,
                                              const CopyReports& reports);
    net::Awaitable<bool> finish_copy(const spool::Item& item, const spool::Recipient& recipient,
                                     Result<mail::Appended> appended, const CopyReports& reports);
    net::Awaitable<void> settle(OperationId id, std::vector<std::string> addresses);
    void log_accepted(const Job& job);

    Backends backends_;
    Counters counters_;
    std::mutex mutex_;
    std::set<OperationId> under_way_;  // spool items that are being delivered
};

}  // namespace postern::delivery

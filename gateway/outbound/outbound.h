// The queue at work: every message that waits is tried, tried again, and ends delivered, bounced or
// deleted. What the store holds is the truth; this only knows what is due when.
//
// A message's recipients are tried by destination (route), each destination with so many
// connections at once as it bears: one more after each success, half as many after a failure to
// reach it.
//
// Thread rule: add(), withdraw() and stands() on any core; the others on any thread.
#pragma once

#include "gateway/config/current.h"
#include "gateway/net/awaitable.h"
#include "gateway/net/work_pool.h"
#include "gateway/outbound/courier.h"
#include "gateway/outbound/report.h"
#include "store/queue/queue.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace postern::outbound {

inline constexpr std::size_t max_parcels_in_memory = 1000;  // waiting for a connection
inline constexpr std::size_t max_messages_a_connection = 100;
inline constexpr std::chrono::seconds unreachable_pause{60};  // at most, of one destination
// Until another try after the store could not take a report on an attempt, a notice of held mail.
inline constexpr std::chrono::seconds report_pause{60};
inline constexpr std::chrono::seconds notice_pause{600};

// Whether the recipient's NOTIFY asks for one of `flags`; by_default: where it does not say.
inline bool is_wanted(const queue::Recipient& recipient, std::uint8_t flags, bool by_default) {
    return recipient.notify == 0 ? by_default : (recipient.notify & flags) != 0;
}

struct Counters {
    std::atomic<std::uint64_t> queued{0};     // messages
    std::atomic<std::uint64_t> delivered{0};  // recipients
    std::atomic<std::uint64_t> deferred{0};   // attempts for one recipient
    std::atomic<std::uint64_t> bounced{0};    // recipients
};

class Outbound {
public:
    struct Backends {
        queue::Queue& queue;
        const config::Current& config;
        Courier& courier;
        net::WorkPool& pool;  // for what waits for the store
        std::function<void(std::function<net::Awaitable<void>()>)> spawn;
        // Sends a report to the sender of a message, from <>; true once it is durable.
        // require_tls: as the message that it is about.
        std::function<net::Awaitable<bool>(std::string to, std::string report, bool require_tls)>
            deliver_report;
    };
    explicit Outbound(Backends backends) : backends_(std::move(backends)) {}
    ~Outbound();

    // Reads what waits and begins. Errors: those of the store.
    Result<void> start();
    // No new attempts; those under way end by the Dialer's shut_down().
    void stop();

    // Durable when this returns; more than queue::max_recipients become several messages, of which
    // either all are queued or none. One of withdraw() and stands() has to follow a success, with
    // the id of `message`, and speaks for all of them; until then none is tried, unless the process
    // dies in between: the next start takes up what is queued.
    net::Awaitable<Result<void>> add(queue::Message message, std::string bytes);
    net::Awaitable<void> withdraw(OperationId id);
    // It surely stays, and is tried; the sender of a held one gets a notice that says why.
    void stands(const OperationId& id);

    // Somebody else changed the queue: look at all of it again.
    void look_again();

    // Tells the sender what became of recipients here, once the message is accepted. Of `message`
    // the envelope counts; `header` is the message's own. True: all of it is durable, or nobody may
    // be told.
    net::Awaitable<bool> report_accepted(const queue::Message& message, std::string header,
                                         std::vector<ReportedRecipient> reported);

    const Counters& counters() const { return counters_; }
    std::size_t waiting() const;

private:
    // The recipients of one message that go to one destination.
    struct Work {
        OperationId id;
        std::vector<std::string> addresses;
    };
    struct Destination {
        Route route;
        std::deque<Work> waiting;
        std::size_t active = 0;    // connections
        std::size_t starting = 0;  // of them, those that have no work yet
        std::size_t limit = 2;
        Time paused_until{};
        smtp::ClientReply pause_reason;
        std::string paused_by;  // the server, if it was one
    };

    void work();
    void dispatch(std::unique_lock<std::mutex>& lock, Time now);
    void dispatch_message(const queue::Message& message, Time now);
    void open_connections(Destination& destination, Time now);
    net::Awaitable<void> serve(std::string key);
    std::optional<Work> next_work(Destination& destination, bool first);
    net::Awaitable<bool> attempt(Route route, std::shared_ptr<Courier::Line>& line, Work work);
    net::Awaitable<void> settle(queue::Message before, Work work, Carried carried);
    void judge(queue::Message& message, const Work& work, const Carried& carried, Time now,
               std::vector<ReportedRecipient>& reported);
    net::Awaitable<void> report_owed(OperationId id);
    net::Awaitable<void> report_held(queue::Message message);
    net::Awaitable<void> return_rejected(queue::Message message);
    net::Awaitable<void> put_off(OperationId id, std::chrono::seconds pause);
    Report report_on(const queue::Message& message, Action news,
                     const std::vector<ReportedRecipient>& reported) const;
    net::Awaitable<bool> send_reports(const queue::Message& message,
                                      std::vector<ReportedRecipient> reported);
    void done_with(const OperationId& id);
    void schedule(const queue::Message& message);
    void reload();
    double chance();

    // queue::Queue's, off the core. After an error that message waits before it is tried again.
    net::Awaitable<Result<std::optional<queue::Message>>> change(
        OperationId id, std::function<void(queue::Message&)> edit);

    Backends backends_;
    Counters counters_;
    mutable std::mutex mutex_;
    std::condition_variable wake_;
    bool stopping_ = false;
    bool reload_wanted_ = false;
    std::multimap<Time, OperationId> due_;
    std::map<OperationId, std::vector<OperationId>> open_;  // not known to stand yet; all parts
    std::map<OperationId, std::size_t> busy_;               // works of that message under way
    std::set<OperationId> unsettled_;  // of them, those whose row could not be changed
    std::map<std::string, Destination> destinations_;
    std::size_t parcels_ = 0;
    std::size_t connections_ = 0;
    std::uint64_t random_state_ = 0;
    std::thread thread_;
};

}  // namespace postern::outbound

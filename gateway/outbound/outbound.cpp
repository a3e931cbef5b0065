#include "gateway/outbound/outbound.h"

#include "gateway/clock/wall_clock.h"
#include "gateway/log/log.h"
#include "gateway/outbound/retry.h"
#include "store/kv/random_id.h"

#include <algorithm>
#include <cstring>

namespace postern::outbound {

namespace {

constexpr std::chrono::seconds longest_sleep{60};

// The earliest of those that may be tried at all, or of which the sender is to be told.
std::optional<Time> due_at(const queue::Message& message) {
    if ((message.held && !message.notice_owed) || message.recipients.empty()) return std::nullopt;
    return std::min_element(
               message.recipients.begin(), message.recipients.end(),
               [](const auto& a, const auto& b) { return a.next_attempt < b.next_attempt; })
        ->next_attempt;
}

}  // namespace

Outbound::~Outbound() {
    stop();
}

Result<void> Outbound::start() {
    const auto seed = kv::random_id();
    std::memcpy(&random_state_, seed.bytes.data(), sizeof random_state_);
    std::size_t damaged = 0;
    const auto all = backends_.queue.all(&damaged);
    if (!all) return all.error();
    if (damaged > 0) logging::error("queue rows cannot be read", {{"count", damaged}});
    std::unique_lock lock(mutex_);
    for (const auto& message : *all) schedule(message);
    if (!all->empty()) logging::info("queue taken up", {{"messages", all->size()}});
    lock.unlock();
    thread_ = std::thread([this] { work(); });
    return {};
}

void Outbound::stop() {
    {
        std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void Outbound::look_again() {
    {
        std::lock_guard lock(mutex_);
        reload_wanted_ = true;
    }
    wake_.notify_all();
}

std::size_t Outbound::waiting() const {
    std::lock_guard lock(mutex_);
    return due_.size() + busy_.size();
}

net::Awaitable<Result<std::optional<queue::Message>>> Outbound::change(
    OperationId id, std::function<void(queue::Message&)> edit) {
    auto job = [this, id, edit = std::move(edit)] { return backends_.queue.change(id, edit); };
    auto done = co_await backends_.pool.run(std::move(job));
    if (done && *done) co_return std::move(*done);
    {
        std::lock_guard lock(mutex_);
        if (busy_.contains(id)) unsettled_.insert(id);
    }
    if (done) co_return std::move(*done);
    co_return Error{Errc::unavailable, "too much work for the queue"};
}

net::Awaitable<Result<void>> Outbound::add(queue::Message message, std::string bytes) {
    std::vector<queue::Message> parts;
    for (std::size_t from = 0; from < message.recipients.size(); from += queue::max_recipients) {
        const auto to = std::min(message.recipients.size(), from + queue::max_recipients);
        auto part = message;
        if (from > 0) part.id = kv::random_id();
        part.recipients.assign(message.recipients.begin() + static_cast<std::ptrdiff_t>(from),
                               message.recipients.begin() + static_cast<std::ptrdiff_t>(to));
        parts.push_back(std::move(part));
    }
    {
        // Before the first is stored: reload() sees the rows.
        std::lock_guard lock(mutex_);
        auto& ids = open_[message.id];
        for (const auto& part : parts) ids.push_back(part.id);
    }
    for (auto& part : parts) {
        auto job = [this, &part, &bytes] { return backends_.queue.add(part, bytes); };
        auto one = co_await backends_.pool.run(std::move(job));
        if (one && *one) continue;
        co_await withdraw(message.id);
        if (one) co_return one->error();
        co_return Error{Errc::unavailable, "too much work for the queue"};
    }
    counters_.queued += parts.size();
    co_return Result<void>();
}

void Outbound::stands(const OperationId& id) {
    {
        std::lock_guard lock(mutex_);
        const auto parts = open_.extract(id);
        if (parts.empty()) return;
        // Its own row says whether there is anything to do.
        for (const auto& each : parts.mapped()) due_.emplace(wall_clock(), each);
    }
    wake_.notify_all();
}

net::Awaitable<void> Outbound::withdraw(OperationId id) {
    std::vector<OperationId> parts;
    {
        std::lock_guard lock(mutex_);
        if (const auto found = open_.find(id); found != open_.end()) parts = found->second;
    }
    for (const auto& part : parts) {
        std::function<void(queue::Message&)> drop = [](queue::Message& each) {
            each.recipients.clear();
        };
        const auto gone = co_await change(part, std::move(drop));
        if (!gone) {
            logging::error("message not withdrawn from the queue",
                           {{"id", to_hex(part)}, {"reason", gone.error().text}});
        }
    }
    std::lock_guard lock(mutex_);
    open_.erase(id);
}

void Outbound::schedule(const queue::Message& message) {
    const auto due = due_at(message);
    if (due) due_.emplace(*due, message.id);
}

void Outbound::reload() {
    const auto all = backends_.queue.all();
    if (!all) {
        logging::error("queue cannot be read", {{"reason", all.error().text}});
        return;
    }
    std::lock_guard lock(mutex_);
    due_.clear();
    std::set<OperationId> open;
    for (const auto& [id, parts] : open_) open.insert(parts.begin(), parts.end());
    for (const auto& message : *all) {
        if (!busy_.contains(message.id) && !open.contains(message.id)) schedule(message);
    }
    for (auto& [key, destination] : destinations_) destination.paused_until = Time{};
}

void Outbound::work() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        if (std::exchange(reload_wanted_, false)) {
            lock.unlock();
            reload();
            lock.lock();
        }
        dispatch(lock, wall_clock());
        if (stopping_ || reload_wanted_) continue;
        const auto now = wall_clock();
        std::chrono::milliseconds pause = longest_sleep;
        if (!due_.empty() && parcels_ < max_parcels_in_memory) {
            pause = std::clamp<std::chrono::milliseconds>(due_.begin()->first - now,
                                                          std::chrono::milliseconds(1), pause);
        }
        wake_.wait_for(lock, pause);
    }
}

// Turns what is due into work for destinations.
void Outbound::dispatch(std::unique_lock<std::mutex>& lock, Time now) {
    while (!stopping_ && !due_.empty() && due_.begin()->first <= now &&
           parcels_ < max_parcels_in_memory) {
        const auto id = due_.begin()->second;
        due_.erase(due_.begin());
        if (busy_.contains(id)) continue;
        busy_[id] = 1;  // so that nobody schedules it meanwhile
        lock.unlock();
        const auto found = backends_.queue.find(id);
        lock.lock();
        if (found && *found) {
            dispatch_message(**found, now);
        } else if (!found) {
            logging::error("queued message cannot be read",
                           {{"id", to_hex(id)}, {"reason", found.error().text}});
            due_.emplace(now + longest_sleep, id);
        }
        if (--busy_[id] == 0) {
            busy_.erase(id);
            if (found && *found) schedule(**found);
        }
    }
    for (auto each = destinations_.begin(); each != destinations_.end();) {
        open_connections(each->second, now);
        const bool idle = each->second.waiting.empty() && each->second.active == 0 &&
                          each->second.paused_until <= now;
        each = idle ? destinations_.erase(each) : std::next(each);
    }
}

void Outbound::dispatch_message(const queue::Message& message, Time now) {
    if (message.held || message.rejected) {
        if (!message.rejected && !message.notice_owed) return;
        ++busy_[message.id];
        ++parcels_;
        backends_.spawn([this, id = message.id] { return report_owed(id); });
        return;
    }
    const auto config = backends_.config.get();
    std::map<std::string, Work> works;
    for (const auto& recipient : message.recipients) {
        if (recipient.next_attempt > now) continue;
        const auto route = route_for(domain_of(recipient.address), config->outbound);
        const auto key = route.key();
        auto& work = works[key];
        work.id = message.id;
        work.addresses.push_back(recipient.address);
        destinations_[key].route = route;
    }
    for (auto& [key, work] : works) {
        destinations_[key].waiting.push_back(std::move(work));
        ++busy_[message.id];
        ++parcels_;
    }
}

void Outbound::open_connections(Destination& destination, Time now) {
    const auto config = backends_.config.get();
    destination.limit =
        std::min<std::size_t>(destination.limit, config->outbound.max_connections_per_destination);
    while (!stopping_ && destination.active < destination.limit &&
           destination.starting < destination.waiting.size() &&
           connections_ < config->outbound.max_connections) {
        // While a destination is paused one job tells its mail so.
        if (destination.paused_until > now && destination.active > 0) return;
        ++destination.active;
        ++destination.starting;
        ++connections_;
        backends_.spawn([this, key = destination.route.key()] { return serve(key); });
    }
}

std::optional<Outbound::Work> Outbound::next_work(Destination& destination, bool first) {
    if (destination.waiting.empty() || (stopping_ && !first)) return std::nullopt;
    auto work = std::move(destination.waiting.front());
    destination.waiting.pop_front();
    return work;
}

// One connection's life: as many messages as there are, up to a bound.
net::Awaitable<void> Outbound::serve(std::string key) {
    std::shared_ptr<Courier::Line> line;
    for (std::size_t sent = 0; sent < max_messages_a_connection; ++sent) {
        std::optional<Work> work;
        Route route;
        {
            std::lock_guard lock(mutex_);
            auto& destination = destinations_[key];
            route = destination.route;
            if (sent == 0) --destination.starting;
            work = next_work(destination, sent == 0);
        }
        if (!work) break;
        const auto id = work->id;
        const bool reached = co_await attempt(route, line, std::move(*work));
        done_with(id);
        std::lock_guard lock(mutex_);
        auto& destination = destinations_[key];
        if (reached) {
            ++destination.limit;  // bounded where it is used
            destination.paused_until = Time{};
        } else {
            destination.limit = std::max<std::size_t>(1, destination.limit / 2);
            // The first retry finds it open again.
            const std::chrono::seconds first(backends_.config.get()->outbound.retry_first_s);
            destination.paused_until = wall_clock() + std::min(unreachable_pause, first / 2);
        }
    }
    co_await backends_.courier.hang_up(line);
    {
        std::lock_guard lock(mutex_);
        --destinations_[key].active;
        --connections_;
    }
    wake_.notify_all();
}

void Outbound::done_with(const OperationId& id) {
    {
        std::lock_guard lock(mutex_);
        --parcels_;
        auto found = busy_.find(id);
        if (found == busy_.end() || --found->second > 0) return;
        busy_.erase(found);
    }
    // Its own row says when it is due again, where it holds what became of this attempt.
    const auto message = backends_.queue.find(id);
    {
        std::lock_guard lock(mutex_);
        if (unsettled_.erase(id) > 0 || !message)
            due_.emplace(wall_clock() + longest_sleep, id);
        else if (*message)
            schedule(**message);
    }
    wake_.notify_all();
}

double Outbound::chance() {
    std::lock_guard lock(mutex_);
    // xorshift64: enough to keep mail from coming back all at once.
    random_state_ ^= random_state_ << 13;
    random_state_ ^= random_state_ >> 7;
    random_state_ ^= random_state_ << 17;
    return static_cast<double>(random_state_ >> 11) / static_cast<double>(std::uint64_t{1} << 53);
}

}  // namespace postern::outbound

#include "gateway/outbound/recipient_check.h"

#include "gateway/log/log.h"

#include <algorithm>
#include <utility>

namespace postern::outbound {

namespace {

smtp::Reply cannot_ask() {
    return {450, "4.4.1", "The recipient cannot be checked now, try again later"};
}

bool is_good(const smtp::Reply& reply) {
    return reply.code >= 200 && reply.code < 300;
}

// Counts a question while it lives.
struct UnderWay {
    explicit UnderWay(std::atomic<std::uint64_t>& counter) : all(counter), before(counter++) {}
    ~UnderWay() { --all; }
    UnderWay(const UnderWay&) = delete;
    UnderWay& operator=(const UnderWay&) = delete;

    std::atomic<std::uint64_t>& all;
    const std::uint64_t before;
};

}  // namespace

std::optional<smtp::Reply> RecipientAnswers::fresh(const std::string& address,
                                                   Clock::time_point now) {
    std::lock_guard lock(mutex_);
    const auto found = known_.find(address);
    if (found == known_.end()) return std::nullopt;
    const auto& [reply, at] = found->second;
    const bool holds = now - at < (is_good(reply) ? good_for : refused_for);
    return holds ? std::optional(reply) : std::nullopt;
}

std::optional<smtp::Reply> RecipientAnswers::old(const std::string& address,
                                                 Clock::time_point now) {
    std::lock_guard lock(mutex_);
    const auto found = known_.find(address);
    if (found == known_.end()) return std::nullopt;
    const auto& [reply, at] = found->second;
    const bool holds = is_good(reply) && now - at < good_without_server;
    return holds ? std::optional(reply) : std::nullopt;
}

void RecipientAnswers::keep(const std::string& address, const smtp::Reply& reply,
                            Clock::time_point now) {
    std::lock_guard lock(mutex_);
    if (known_.size() >= max_addresses && !known_.contains(address)) {
        // Who guesses names must not drive out what is known of those that exist.
        std::erase_if(known_, [](const auto& each) { return !is_good(each.second.reply); });
        if (known_.size() >= max_addresses) {
            std::erase_if(known_,
                          [&](const auto& each) { return now - each.second.at >= good_for; });
        }
        if (known_.size() >= max_addresses) known_.clear();
    }
    known_[address] = {reply, now};
}

std::size_t RecipientAnswers::size() const {
    std::lock_guard lock(mutex_);
    return known_.size();
}

net::Awaitable<smtp::Reply> RecipientCheck::check(std::string address) {
    const smtp::Reply taken{250, "2.1.5", "Recipient ok"};
    const auto config = config_.get();
    const auto route = route_for(domain_of(address), config->outbound);
    const bool behind = route.kind == Route::Kind::smtp || route.kind == Route::Kind::lmtp;
    if (!behind || !config->outbound.check_recipients) co_return taken;
    if (auto known = answers_.fresh(address, RecipientAnswers::Clock::now())) co_return *known;

    const UnderWay under_way(asking_);
    if (under_way.before >= config->outbound.max_connections) {
        co_return unanswered(address, "", "outbound.max_connections are asking already",
                               cannot_ask());
    }
    Parcel question;
    question.message.recipients.push_back({address, {}});
    question.message.only_ask = true;
    question.read = [](std::uint64_t, std::uint64_t) { return std::nullopt; };
    std::shared_ptr<Courier::Line> line;
    auto asked = co_await courier_.carry(route, line, std::move(question));
    co_await courier_.hang_up(line);
    const auto now = RecipientAnswers::Clock::now();
    auto reply = asked.replies.empty() ? smtp::Reply{} : std::move(asked.replies.front());
    if (is_good(reply)) {
        answers_.keep(address, taken, now);
        co_return taken;
    }
    // What it says to other things than the recipient's name says nothing of the recipient.
    const bool decided = !asked.unreachable && !asked.sender_refused && !asked.server.empty();
    if (reply.code >= 500 && decided) {
        answers_.keep(address, reply, now);
        co_return reply;
    }
    // 421 would say that we close the sender's session.
    const bool later = reply.code >= 400 && reply.code != 421 && decided;
    const auto reason = reply.text;
    co_return unanswered(address, asked.server, reason, later ? std::move(reply) : cannot_ask());
}

smtp::Reply RecipientCheck::unanswered(const std::string& address, const std::string& server,
                                       const std::string& reason, smtp::Reply otherwise) {
    logging::info("recipient cannot be checked",
                  {{"rcpt", address}, {"server", server}, {"reason", reason}});
    if (auto known = answers_.old(address, RecipientAnswers::Clock::now())) return *known;
    return otherwise;
}

}  // namespace postern::outbound

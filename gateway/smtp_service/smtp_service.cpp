#include "gateway/smtp_service/smtp_service.h"

#include "gateway/clock/wall_clock.h"
#include "gateway/delivery/encode_binary.h"
#include "gateway/smtp_service/fix_up.h"
#include "gateway/smtp_service/header_addresses.h"
#include "gateway/smtp_service/replies.h"
#include "protocols/wire/ip_address.h"
#include "protocols/wire/text.h"

#include <algorithm>

namespace postern::smtp_service {

namespace {

// A client may announce any size; only so much is set aside before bytes come.
constexpr std::uint64_t max_reserved_bytes = 256 * 1024;
// A message takes more room than was announced: by the fields that are put in front of it.
constexpr std::uint64_t room_for_fields_bytes = 2048;
// What counts as one network in limits.
constexpr unsigned network_v4_bits = 24;
constexpr unsigned network_v6_bits = 48;
// After so many unknown recipients of one session each further one is told so late: a list of
// guessed names is then no faster than sending to them.
constexpr unsigned free_unknown_recipients = 5;
constexpr std::chrono::milliseconds unknown_recipient_delay{1000};

// For the account's rate. The mailboxes here that one name stands for count as one: else a list of
// all colleagues would be out of reach.
std::uint64_t counted(const addresses::Resolved& found) {
    return found.others.size() + (found.users.empty() ? 0 : 1);
}

}  // namespace

net::Awaitable<smtp::Answer> SmtpService::answer(smtp::Authenticate question) {
    auto login = co_await backends_.authenticator.check(
        session_, std::move(question.authorization_id), std::move(question.user),
        std::move(question.password));
    smtp::AuthAnswer answer;
    answer.ok = login.status == auth::LoginStatus::ok;
    if (answer.ok) user_ = login.user;
    answer.failure =
        login.status == auth::LoginStatus::temporary ? auth_unavailable() : bad_login();
    co_return answer;
}

net::Awaitable<smtp::Answer> SmtpService::answer(smtp::ContinueAuth question) {
    auto step =
        co_await backends_.authenticator.step(session_, mechanism_, std::move(question.mechanism),
                                              std::move(question.response), question.first);
    smtp::AuthAnswer answer;
    answer.challenge = std::move(step.challenge);
    answer.ok = step.status == auth::LoginStatus::ok;
    if (answer.ok) {
        answer.user = step.user.address;
        user_ = std::move(step.user);
    }
    answer.failure = step.status == auth::LoginStatus::temporary ? auth_unavailable() : bad_login();
    co_return answer;
}

net::Awaitable<smtp::Answer> SmtpService::answer(smtp::ClaimClient question) {
    session_.log(logging::Level::info, "XCLIENT",
                 {{"address", question.address}, {"name", question.name}, {"helo", question.helo}});
    const auto address = wire::parse_ip(question.address);
    if (address) session_.set_peer_address(wire::to_string(*address));
    co_return smtp::Reply{220, "", ""};
}

// Only servers are counted by their address; users are by their account.
bool SmtpService::over_rate() {
    const auto config = backends_.config.get();
    const auto address = wire::parse_ip(session_.peer_address());
    if (role_ != smtp::Role::mx || !address) return false;
    const auto now = limits::RateLimiter::Clock::now();
    const auto taken = [&](const std::string& key, std::uint64_t count) {
        return backends_.rates.take(key, {count, std::chrono::minutes(1)}, now);
    };
    return !taken("address " + wire::network_of(*address, 32, 64),
                  config->smtp.max_messages_per_minute_per_address) ||
           !taken("network " + wire::network_of(*address, network_v4_bits, network_v6_bits),
                  config->smtp.max_messages_per_minute_per_network);
}

net::Awaitable<smtp::Answer> SmtpService::answer(smtp::CheckSender question) {
    begin_transaction();
    if (over_rate()) {
        session_.log(logging::Level::info, "over the rate", {{"from", question.reverse_path}});
        co_return too_fast();
    }
    sender_ = question.reverse_path;
    if (user_ && !question.reverse_path.empty()) {
        auto rewritten = backends_.resolver.sender(question.reverse_path);
        if (!rewritten) co_return directory_unavailable();
        sender_ = std::move(*rewritten);
        const auto found = ownership(sender_);
        if (!found) co_return directory_unavailable();
        if (*found != addresses::Ownership::own) {
            session_.log(logging::Level::warning, "sender refused",
                         {{"user", user_->address}, {"from", question.reverse_path}});
            co_return not_your_address();
        }
    }
    announced_bytes_ = question.parameters.size.value_or(0);
    bounce_ = question.reverse_path.empty();
    co_return smtp::Reply{250, "2.1.0", "Sender ok"};
}

net::Awaitable<smtp::Answer> SmtpService::answer(smtp::CheckRecipient question) {
    auto reply = co_await check_recipient(question);
    if (reply.code >= 500 && ++unknown_recipients_ > free_unknown_recipients) {
        co_await session_.pause(unknown_recipient_delay);
    }
    co_return reply;
}

net::Awaitable<smtp::Reply> SmtpService::check_recipient(const smtp::CheckRecipient& question) {
    const auto& forward_path = question.forward_path;
    if (auto report = check_report(forward_path)) co_return std::move(*report);
    auto found = backends_.resolver.resolve(forward_path);
    smtp::Reply reply{250, "2.1.5", "Recipient ok"};
    if (!found) {
        session_.log(logging::Level::error, "recipient cannot be looked up",
                     {{"rcpt", forward_path}, {"reason", found.error().text}});
        co_return found.error().code == Errc::limit ? expands_too_far() : directory_unavailable();
    }
    const auto config = backends_.config.get();
    if (!found->found()) {
        reply = unknown_user();
    } else if (!found->local_domain && role_ != smtp::Role::submission &&
               !outbound::is_relay_domain(outbound::domain_of(found->others.front()),
                                          config->outbound)) {
        reply = no_relay();
    } else if (found->only_bounces && !bounce_) {
        reply = only_bounces();
    } else if (found->users.size() == 1 && found->others.empty()) {
        // Of many, those with room get their copy; a single one can be told now.
        const auto bytes = announced_bytes_ + (announced_bytes_ > 0 ? room_for_fields_bytes : 0);
        auto room = co_await backends_.delivery.check_room(found->users.front().id, bytes);
        if (!room) reply = not_accepted(room.error());
    }
    if (reply.code == 250 && !found->local_domain && role_ != smtp::Role::submission) {
        reply = co_await backends_.recipient_check.check(found->others.front());
    }
    if (reply.code == 250 && over_account_rate(counted(*found))) {
        reply = too_many_recipients();
    }
    if (reply.code != 250) {
        session_.log(logging::Level::info, "recipient refused",
                     {{"rcpt", forward_path}, {"reply", reply.text}});
        co_return reply;
    }
    if (found->local_domain && !found->only_bounces && !found->others.empty()) {
        forwarding_domain_ = found->domain;
    }
    recipients_.add(question, std::move(*found));
    co_return reply;
}

bool SmtpService::over_account_rate(std::uint64_t recipients) {
    if (!user_) return false;
    const auto config = backends_.config.get();
    const limits::Rate rate{config->submission.max_recipients_per_hour, std::chrono::hours(1)};
    // An alias of more than an hour's share takes all of it.
    return !backends_.rates.take("account " + user_->address, rate,
                                 limits::RateLimiter::Clock::now(),
                                 std::min(recipients, rate.count));
}

void SmtpService::take(smtp::BodyChunk chunk) {
    if (no_room_) return;
    if (!share_.grow(chunk.bytes.size())) {
        drop_body();
        no_room_ = true;
        return;
    }
    if (body_.empty() && announced_bytes_ > chunk.bytes.size()) {
        body_.reserve(std::min(announced_bytes_, max_reserved_bytes));
    }
    body_ += chunk.bytes;
}

void SmtpService::take(smtp::DiscardBody) {
    drop_body();
}

void SmtpService::drop_body() {
    std::string().swap(body_);
    share_.reset();
}

void SmtpService::begin_transaction() {
    recipients_.clear();
    report_.reset();
    drop_body();
    no_room_ = false;
    announced_bytes_ = 0;
    forwarding_domain_.clear();
}

delivery::Arrival SmtpService::arrival_of(const smtp::AcceptMessage& question) {
    delivery::Arrival arrival;
    arrival.session = session_.id();
    arrival.client_address = session_.peer_address();
    arrival.helo = question.helo;
    arrival.lmtp = role_ == smtp::Role::lmtp;
    arrival.esmtp = question.esmtp;
    arrival.smtputf8 = question.parameters.smtputf8;
    arrival.tls_protocol = session_.tls_protocol();
    arrival.tls_cipher = session_.tls_cipher();
    arrival.authenticated_user = question.authenticated_user;
    arrival.reverse_path = sender_;
    if (!forwarding_domain_.empty()) {
        auto path = backends_.resolver.forwarding_path(sender_, forwarding_domain_, wall_clock());
        if (path) arrival.forwarding_path = std::move(*path);
    }
    arrival.envelope_id = question.parameters.envelope_id;
    arrival.return_headers_only = question.parameters.ret == smtp::Return::headers;
    arrival.require_tls = question.parameters.require_tls;
    return arrival;
}

net::Awaitable<smtp::Answer> SmtpService::answer(smtp::AcceptMessage question) {
    const bool for_nobody = recipients_.empty();
    if (no_room_ || (for_nobody && !report_)) {
        session_.log(logging::Level::warning, "message refused",
                     {{"reason", no_room_ ? "limits.max_inflight_bytes is used up"
                                          : "no recipient is left"}});
        begin_transaction();
        co_return no_storage_now();
    }
    if (delivery::is_in_a_loop(body_)) {
        session_.log(logging::Level::warning, "message refused",
                     {{"reason", "it goes round in a loop"}, {"from", sender_}});
        begin_transaction();
        co_return in_a_loop();
    }
    if (question.parameters.body_binary) {
        auto encoded = delivery::encode_binary(std::move(body_));
        if (!encoded) {
            session_.log(logging::Level::info, "message refused",
                         {{"reason", encoded.error().text}});
            begin_transaction();
            co_return bare_ends();
        }
        body_ = std::move(*encoded);
    }
    if (report_) {
        auto reply = co_await learn_report();
        if (for_nobody || reply.code != 250) {
            begin_transaction();
            co_return reply;
        }
    }
    if (auto refusal = check_header_senders()) {
        begin_transaction();
        co_return std::move(*refusal);
    }
    if (role_ == smtp::Role::submission) {
        remove_blind_copies(body_);
        add_missing_fields(body_, backends_.config.get()->hostname, session_.id());
        rewrite_header_addresses(body_, [this](std::string_view address) {
            const auto rewritten = backends_.resolver.sender(address);
            return rewritten ? *rewritten : std::string(address);
        });
    }
    auto header = recipients_.may_report() ? header_of(body_) : std::string();
    const auto accepted = co_await backends_.delivery.accept(
        arrival_of(question), recipients_.local(), recipients_.remote(), std::move(body_));
    const auto recipients = std::exchange(recipients_, Recipients(role_ == smtp::Role::lmtp));
    begin_transaction();
    if (!accepted) co_return not_accepted(accepted.error());
    auto reported = recipients.reports(*accepted, question.authenticated_user.empty());
    const bool told =
        co_await report_accepted(question, *accepted, std::move(reported), std::move(header));
    if (!told) co_return cannot_be_told();
    if (role_ == smtp::Role::lmtp) co_return recipients.replies(*accepted);
    co_return accepted_as(accepted->id);
}

// A copy that was left out must be known to the sender before the sender forgets the message;
// what went well may be told later. False: it cannot be told now.
net::Awaitable<bool> SmtpService::report_accepted(const smtp::AcceptMessage& question,
                                                  const delivery::Accepted& outcome,
                                                  std::vector<outbound::ReportedRecipient> reported,
                                                  std::string header) {
    if (reported.empty()) co_return true;
    queue::Message message;
    (void)from_hex(outcome.id, message.id);
    message.reverse_path = sender_;
    message.envelope_id = question.parameters.envelope_id;
    message.require_tls = question.parameters.require_tls;
    message.account = question.authenticated_user;
    message.queued_at = wall_clock();
    message.spam = outcome.spam;
    const auto failed = std::stable_partition(
        reported.begin(), reported.end(),
        [](const auto& each) { return each.action != outbound::Action::failed; });
    std::vector<outbound::ReportedRecipient> left_out(failed, reported.end());
    reported.erase(failed, reported.end());
    if (!left_out.empty()) {
        const bool told =
            co_await backends_.outbound.report_accepted(message, header, std::move(left_out));
        if (!told) co_return false;
    }
    if (reported.empty()) co_return true;
    backends_.spawn([&outbound = backends_.outbound, message = std::move(message),
                     header = std::move(header),
                     reported = std::move(reported)]() -> net::Awaitable<void> {
        co_await outbound.report_accepted(message, header, reported);
    });
    co_return true;
}

net::ConversationFactory make_factory(const Backends& backends, smtp::Role role) {
    return [&backends, role](net::Session& session) {
        const auto config = backends.config.get();
        smtp::Config engine;
        engine.hostname = config->hostname;
        engine.role = role;
        engine.max_message_bytes = config->smtp.max_message_bytes;
        engine.tls_offered = true;
        engine.max_recipients = config->smtp.max_recipients;
        engine.max_errors = static_cast<unsigned>(config->smtp.max_errors);
        if (role == smtp::Role::mx) {
            engine.greeting_delay = std::chrono::milliseconds(config->smtp.greeting_delay_ms);
        }
        engine.more_mechanisms = backends.authenticator.mechanisms();
        engine.dsn_offered = true;
        engine.requiretls_offered = true;
        engine.xclient_offered = wire::is_among(config->trusted.xclient, session.peer_address());
        engine.allow_plaintext_auth = config->auth.allow_plaintext;
        return net::make_conversation<SmtpProtocol>(
            engine, session, std::make_unique<SmtpService>(backends, session, role));
    };
}

std::string refusal(const std::string& hostname) {
    return "421 4.7.0 " + hostname + " Too many connections, try again later\r\n";
}

}  // namespace postern::smtp_service

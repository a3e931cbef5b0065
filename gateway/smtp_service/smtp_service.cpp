#include "gateway/smtp_service/smtp_service.h"

#include "gateway/smtp_service/replies.h"
#include "protocols/wire/text.h"

#include <algorithm>

namespace postern::smtp_service {

namespace {

// A client may announce any size; only so much is set aside before bytes come.
constexpr std::uint64_t max_reserved_bytes = 256 * 1024;

}  // namespace

net::Awaitable<smtp::Answer> SmtpService::answer(smtp::Authenticate question) {
    auto login = co_await backends_.authenticator.check(
        session_, std::move(question.authorization_id), std::move(question.user),
        std::move(question.password));
    smtp::AuthAnswer answer;
    answer.ok = login.status == auth::LoginStatus::ok;
    answer.failure =
        login.status == auth::LoginStatus::temporary ? auth_unavailable() : bad_login();
    co_return answer;
}

net::Awaitable<smtp::Answer> SmtpService::answer(smtp::CheckSender question) {
    begin_transaction();
    announced_bytes_ = question.parameters.size.value_or(0);
    co_return smtp::Reply{250, "2.1.0", "Sender ok"};
}

net::Awaitable<smtp::Answer> SmtpService::answer(smtp::CheckRecipient question) {
    co_return co_await check_recipient(question.forward_path);
}

net::Awaitable<smtp::Reply> SmtpService::check_recipient(const std::string& forward_path) {
    auto found = find_recipient(forward_path);
    if (!found) {
        session_.log(logging::Level::error, "directory cannot be read",
                     {{"reason", found.error().text}});
        co_return directory_unavailable();
    }
    if (!found->has_value()) {
        auto reply = refused_recipient(forward_path);
        session_.log(logging::Level::info, "recipient refused",
                     {{"rcpt", forward_path}, {"reply", reply.text}});
        co_return reply;
    }
    auto& user = **found;
    auto room = co_await backends_.delivery.check_room(user.id, announced_bytes_);
    if (!room) {
        session_.log(logging::Level::info, "recipient refused",
                     {{"rcpt", forward_path}, {"reply", room.error().text}});
        co_return not_accepted(room.error());
    }
    const bool known = std::any_of(recipients_.begin(), recipients_.end(),
                                   [&](const auto& other) { return other.account == user.id; });
    if (!known) recipients_.push_back({std::move(user.address), user.id});
    co_return smtp::Reply{250, "2.1.5", "Recipient ok"};
}

Result<std::optional<directory::User>> SmtpService::find_recipient(
    const std::string& forward_path) {
    const auto at = forward_path.rfind('@');
    const auto local = forward_path.substr(0, at);
    const auto domain = at == std::string::npos ? std::string() : forward_path.substr(at + 1);
    auto found = backends_.directory.find(forward_path);
    // An address that the directory could not hold is an address that it does not hold.
    if (!found && found.error().code == Errc::invalid) found = std::optional<directory::User>();
    const bool missing = found && !found->has_value();
    if (missing && wire::equals_ignoring_case(local, "postmaster")) return find_postmaster(domain);
    return found;
}

// Every domain takes mail for its postmaster (RFC 5321 section 4.5.1). A domain without such a user
// shares the first postmaster there is; `domain` is empty for the bare name.
Result<std::optional<directory::User>> SmtpService::find_postmaster(const std::string& domain) {
    if (!domain.empty()) {
        auto ours = backends_.directory.has_domain(domain);
        if (!ours) return ours.error();
        if (!*ours) return std::optional<directory::User>();
    }
    auto domains = backends_.directory.domains();
    if (!domains) return domains.error();
    for (const auto& name : *domains) {
        auto found = backends_.directory.find("postmaster@" + name);
        if (!found || found->has_value()) return found;
    }
    return std::optional<directory::User>();
}

smtp::Reply SmtpService::refused_recipient(const std::string& forward_path) {
    const auto at = forward_path.rfind('@');
    if (at == std::string::npos) return unknown_user();
    auto ours = backends_.directory.has_domain(forward_path.substr(at + 1));
    if (ours && *ours) return unknown_user();
    if (!ours && ours.error().code != Errc::invalid) return directory_unavailable();
    return role_ == smtp::Role::submission ? no_outbound_relay() : no_relay();
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
    drop_body();
    no_room_ = false;
    announced_bytes_ = 0;
}

delivery::Arrival SmtpService::arrival_of(const smtp::AcceptMessage& question) const {
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
    arrival.reverse_path = question.reverse_path;
    return arrival;
}

net::Awaitable<smtp::Answer> SmtpService::answer(smtp::AcceptMessage question) {
    if (no_room_ || recipients_.empty()) {
        session_.log(logging::Level::warning, "message refused",
                     {{"reason", no_room_ ? "limits.max_inflight_bytes is used up"
                                          : "no recipient is left"}});
        begin_transaction();
        co_return no_storage_now();
    }
    auto id = co_await backends_.delivery.accept(arrival_of(question), std::move(recipients_),
                                                 std::move(body_));
    begin_transaction();
    if (!id) co_return not_accepted(id.error());
    co_return smtp::Reply{250, "2.0.0", "Accepted as " + *id};
}

net::ConversationFactory make_factory(const Backends& backends, smtp::Role role) {
    return [&backends, role](net::Session& session) {
        const auto config = backends.config.get();
        smtp::Config engine;
        engine.hostname = config->hostname;
        engine.role = role;
        engine.max_message_bytes = config->smtp.max_message_bytes;
        engine.tls_offered = true;
        engine.allow_plaintext_auth = config->auth.allow_plaintext;
        return net::make_conversation<SmtpProtocol>(
            engine, session, std::make_unique<SmtpService>(backends, session, role));
    };
}

std::string refusal(const std::string& hostname) {
    return "421 4.7.0 " + hostname + " Too many connections, try again later\r\n";
}

}  // namespace postern::smtp_service

// What the SMTP engine asks, answered: logins, addresses, and the acceptance of messages.
//
// One service for each connection, used on its core alone. Postern takes mail for its own users and
// for nobody else: an address of another domain is refused with 550 5.7.1, also for users who are
// logged in (outbound relay is not part of this program yet).
#pragma once

#include "gateway/auth/authenticator.h"
#include "gateway/config/current.h"
#include "gateway/delivery/delivery.h"
#include "gateway/net/conversation.h"
#include "protocols/smtp/engine.h"
#include "store/directory/directory.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::smtp_service {

struct SmtpProtocol {
    using Engine = smtp::Engine;
    using Config = smtp::Config;
    using Send = smtp::Send;
    using StartTls = smtp::StartTls;
    using Close = smtp::Close;
    using Log = smtp::Log;
};

struct Backends {
    const config::Current& config;
    directory::Directory& directory;
    auth::Authenticator& authenticator;
    delivery::Delivery& delivery;
    delivery::InflightBudget& budget;
};

class SmtpService {
public:
    SmtpService(const Backends& backends, net::Session& session, smtp::Role role)
        : backends_(backends), session_(session), role_(role), share_(backends.budget) {}

    net::Awaitable<smtp::Answer> answer(smtp::Authenticate question);
    net::Awaitable<smtp::Answer> answer(smtp::CheckSender question);
    net::Awaitable<smtp::Answer> answer(smtp::CheckRecipient question);
    net::Awaitable<smtp::Answer> answer(smtp::AcceptMessage question);
    void take(smtp::BodyChunk chunk);
    void take(smtp::DiscardBody);

private:
    net::Awaitable<smtp::Reply> check_recipient(const std::string& forward_path);
    smtp::Reply refused_recipient(const std::string& forward_path);
    Result<std::optional<directory::User>> find_recipient(const std::string& forward_path);
    Result<std::optional<directory::User>> find_postmaster(const std::string& domain);
    delivery::Arrival arrival_of(const smtp::AcceptMessage& question) const;
    void begin_transaction();
    void drop_body();

    const Backends& backends_;
    net::Session& session_;
    const smtp::Role role_;

    std::vector<delivery::LocalRecipient> recipients_;  // accepted ones, each mailbox once
    std::uint64_t announced_bytes_ = 0;
    std::string body_;
    bool no_room_ = false;  // the message in hand found the budget used up
    delivery::InflightBudget::Share share_;
};

// For a listener of that role.
net::ConversationFactory make_factory(const Backends& backends, smtp::Role role);

// The line for a connection over the limits.
std::string refusal(const std::string& hostname);

}  // namespace postern::smtp_service

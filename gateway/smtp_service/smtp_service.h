// What the SMTP engine asks, answered: logins, addresses, and the acceptance of messages.
//
// One service for each connection, used on its core alone. Mail for other servers is taken from
// users who logged in, from their own addresses alone (of the envelope, and of the header as
// submission.from_header says); from anybody where an alias leads there or
// the domain is one of outbound.relay_domains; and else refused with 550 5.7.1. Mail of users to
// filter.report_spam or filter.report_ham is learned and kept nowhere.
#pragma once

#include "gateway/addresses/resolver.h"
#include "gateway/auth/authenticator.h"
#include "gateway/config/current.h"
#include "gateway/delivery/delivery.h"
#include "gateway/learning/learning.h"
#include "gateway/limits/inflight_budget.h"
#include "gateway/limits/rate_limiter.h"
#include "gateway/net/conversation.h"
#include "gateway/net/work_pool.h"
#include "gateway/outbound/outbound.h"
#include "gateway/outbound/recipient_check.h"
#include "gateway/sharing/sharing.h"
#include "gateway/smtp_service/recipients.h"
#include "protocols/smtp/engine.h"

#include <functional>
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
    addresses::Resolver& resolver;
    auth::Authenticator& authenticator;
    delivery::Delivery& delivery;
    limits::InflightBudget& budget;
    limits::RateLimiter& rates;
    outbound::Outbound& outbound;
    outbound::RecipientCheck& recipient_check;
    learning::Learning& learning;
    sharing::Sharing& sharing;
    net::WorkPool& pool;  // for what computes or waits for the store
    std::function<void(std::function<net::Awaitable<void>()>)> spawn;
};

class SmtpService {
public:
    SmtpService(const Backends& backends, net::Session& session, smtp::Role role)
        : backends_(backends),
          session_(session),
          role_(role),
          recipients_(role == smtp::Role::lmtp),
          share_(backends.budget) {}

    net::Awaitable<smtp::Answer> answer(smtp::Authenticate question);
    net::Awaitable<smtp::Answer> answer(smtp::ContinueAuth question);
    net::Awaitable<smtp::Answer> answer(smtp::ClaimClient question);
    net::Awaitable<smtp::Answer> answer(smtp::CheckSender question);
    net::Awaitable<smtp::Answer> answer(smtp::CheckRecipient question);
    net::Awaitable<smtp::Answer> answer(smtp::AcceptMessage question);
    void take(smtp::BodyChunk chunk);
    void take(smtp::DiscardBody);

private:
    bool over_rate();
    net::Awaitable<smtp::Reply> check_recipient(const smtp::CheckRecipient& question);
    std::optional<smtp::Reply> check_report(const std::string& forward_path);
    net::Awaitable<smtp::Reply> learn_report();
    // Own is also what belongs to somebody who lets the user send as them.
    Result<addresses::Ownership> ownership(const std::string& address);
    std::optional<smtp::Reply> check_header_senders();
    bool over_account_rate(std::uint64_t recipients);
    net::Awaitable<bool> report_accepted(const smtp::AcceptMessage& question,
                                         const delivery::Accepted& outcome,
                                         std::vector<outbound::ReportedRecipient> reported,
                                         std::string header);
    delivery::Arrival arrival_of(const smtp::AcceptMessage& question);
    void begin_transaction();
    void drop_body();

    const Backends& backends_;
    net::Session& session_;
    const smtp::Role role_;

    Recipients recipients_;                        // accepted ones
    std::optional<learning::LearnAction> report_;  // the message in hand is one
    auth::MechanismSession mechanism_;
    std::optional<directory::User> user_;  // who logged in
    std::string sender_;                   // the reverse-path, of a user as it was rewritten
    bool bounce_ = false;                  // it is <>
    std::string forwarding_domain_;        // of an alias that leads to another server
    std::uint64_t announced_bytes_ = 0;
    std::string body_;
    unsigned unknown_recipients_ = 0;
    bool no_room_ = false;  // the message in hand found the budget used up
    limits::InflightBudget::Share share_;
};

// For a listener of that role.
net::ConversationFactory make_factory(const Backends& backends, smtp::Role role);

// The line for a connection over the limits.
std::string refusal(const std::string& hostname);

}  // namespace postern::smtp_service

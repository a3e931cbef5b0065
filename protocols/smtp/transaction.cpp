#include "protocols/smtp/parameters.h"
#include "protocols/smtp/path.h"
#include "protocols/smtp/reply.h"
#include "protocols/smtp/session.h"
#include "protocols/wire/text.h"

#include <utility>

namespace postern::smtp {
namespace {

Reply refusal_of(PathError error, bool reverse) {
    switch (error) {
        case PathError::non_ascii:
            return {553, "5.6.7", "Non-ASCII address without SMTPUTF8"};
        case PathError::too_long:
            return {501, "5.1.3", "Address too long"};
        case PathError::syntax:
            break;
    }
    return reverse ? Reply{501, "5.1.7", "Bad address: say MAIL FROM:<user@domain>"}
                   : Reply{501, "5.1.3", "Bad address: say RCPT TO:<user@domain>"};
}

}  // namespace

void Engine::State::mail(std::string_view argument) {
    if (helo.empty()) {
        return refuse(503, "5.5.1",
                      config.role == Role::lmtp ? "Say LHLO first" : "Say EHLO first");
    }
    if (config.role == Role::submission && authenticated_user.empty()) {
        return refuse(530, "5.7.0", "Authentication required");
    }
    if (transaction.open) return refuse(503, "5.5.1", "A sender was given already");
    if (!wire::starts_with_ignoring_case(argument, "FROM:")) {
        return refuse(501, "5.5.4", "Say MAIL FROM:<user@domain>");
    }
    // Whether UTF-8 is allowed stands behind the path.
    auto parsed = parse_path(argument.substr(5), PathKind::reverse, true);
    if (const auto* error = std::get_if<PathError>(&parsed)) {
        const Reply refusal = refusal_of(*error, true);
        return refuse(refusal.code, refusal.enhanced, refusal.text);
    }
    Path& path = std::get<Path>(parsed);
    auto parameters = parse_mail_parameters(
        path.rest,
        {config.role == Role::submission, config.dsn_offered, config.requiretls_offered && tls});
    if (const auto* bad = std::get_if<Reply>(&parameters)) {
        return refuse(bad->code, bad->enhanced, bad->text);
    }
    transaction.parameters = std::get<MailParameters>(parameters);
    if (!transaction.parameters.smtputf8 && !wire::is_ascii(path.address)) {
        const Reply refusal = refusal_of(PathError::non_ascii, true);
        return refuse(refusal.code, refusal.enhanced, refusal.text);
    }
    if (transaction.parameters.size.value_or(0) > config.max_message_bytes) {
        return reply(
            552, "5.3.4",
            "Message too big: the limit is " + std::to_string(config.max_message_bytes) + " bytes");
    }
    transaction.reverse_path = std::move(path.address);
    ask(CheckSender{transaction.reverse_path, transaction.parameters}, Question::sender);
}

void Engine::State::sender_checked(const Reply& verdict) {
    if (!is_positive(verdict)) reset_transaction();
    transaction.open = is_positive(verdict);
    reply(verdict);
}

void Engine::State::rcpt(std::string_view argument) {
    if (!transaction.open) return refuse(503, "5.5.1", "Say MAIL first");
    if (transaction.chunking) return refuse(503, "5.5.1", "Recipients come before BDAT");
    if (!wire::starts_with_ignoring_case(argument, "TO:")) {
        return refuse(501, "5.5.4", "Say RCPT TO:<user@domain>");
    }
    auto parsed =
        parse_path(argument.substr(3), PathKind::forward, transaction.parameters.smtputf8);
    if (const auto* error = std::get_if<PathError>(&parsed)) {
        const Reply refusal = refusal_of(*error, false);
        return refuse(refusal.code, refusal.enhanced, refusal.text);
    }
    Path& path = std::get<Path>(parsed);
    auto parameters = parse_recipient_parameters(path.rest, config.dsn_offered);
    if (const auto* bad = std::get_if<Reply>(&parameters)) {
        return refuse(bad->code, bad->enhanced, bad->text);
    }
    if (transaction.recipients.size() >= config.max_recipients) {
        return reply(452, "4.5.3", "Too many recipients, send another copy");
    }
    pending_recipient = path.address;
    ask(CheckRecipient{std::move(path.address),
                       std::move(std::get<RecipientParameters>(parameters))},
        Question::recipient);
}

void Engine::State::recipient_checked(const Reply& verdict) {
    if (is_positive(verdict)) transaction.recipients.push_back(std::move(pending_recipient));
    reply(verdict);
}

void Engine::State::data(std::string_view argument) {
    if (!argument.empty()) return refuse(501, "5.5.4", "DATA takes no argument");
    if (!transaction.open) return refuse(503, "5.5.1", "Say MAIL first");
    if (transaction.chunking || transaction.parameters.body_binary) {
        return refuse(503, "5.5.1", "This message goes by BDAT");
    }
    if (transaction.recipients.empty()) {
        return reply(config.role == Role::lmtp ? 503 : 554, "5.5.1", "No valid recipients");
    }
    reply(354, "", "Go ahead, end with CRLF.CRLF");
    mode = Mode::data;
    unstuffer = wire::DotUnstuffer(max_data_line_bytes);
    begin_body();
}

void Engine::State::begin_body() {
    body_bytes = discarded_bytes = data_bytes = 0;
    data_started.reset();
    body_discarded = false;
}

// Chunks that were given on belong to a message that will not be.
void Engine::State::reset_transaction() {
    if (transaction.chunking) discard_body();
    transaction = {};
}

}  // namespace postern::smtp

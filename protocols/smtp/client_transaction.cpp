// One message: MAIL, RCPT, DATA, and what the server says of each recipient.
#include "protocols/smtp/client_session.h"
#include "protocols/smtp/reply.h"
#include "protocols/wire/text.h"

#include <algorithm>
#include <utility>

namespace postern::smtp {
namespace {

// RCPTs that are on their way without a reply: replies of these fit into any socket's buffer.
constexpr std::size_t max_unanswered = 50;

bool needs_utf8(const OutgoingMessage& message) {
    const bool addresses =
        !wire::is_ascii(message.reverse_path) ||
        std::any_of(message.recipients.begin(), message.recipients.end(),
                    [](const auto& each) { return !wire::is_ascii(each.address); });
    return addresses || message.parameters.smtputf8;
}

std::string notify_text(std::uint8_t notify) {
    if (notify == notify_never) return "NEVER";
    std::string out;
    const auto add = [&](std::uint8_t flag, const char* word) {
        if ((notify & flag) != 0) out.append(out.empty() ? "" : ",").append(word);
    };
    add(notify_success, "SUCCESS");
    add(notify_failure, "FAILURE");
    add(notify_delay, "DELAY");
    return out;
}

}  // namespace

void ClientEngine::State::begin() {
    next_rcpt = answered_rcpt = body_replies = 0;
    accepted.clear();
    mail_refusal.reset();
    if (auto refusal = impossible()) {
        replies.assign(replies.size(), *refusal);
        return finish();
    }
    emit(Send{mail_command() + "\r\n"});
    enter(Phase::mail);
    if (offers.pipelining) {
        while (next_rcpt < std::min(max_unanswered, message->recipients.size())) say_next_rcpt();
    }
}

// What this server cannot take whatever it is asked.
std::optional<Reply> ClientEngine::State::impossible() const {
    const MailParameters& parameters = message->parameters;
    if (needs_utf8(*message) && !offers.smtputf8) {
        return Reply{553, "5.6.7", "The server does not take internationalised addresses"};
    }
    if (parameters.require_tls && (!tls || !offers.require_tls)) {
        return Reply{550, "5.7.30", "The sender requires TLS all the way, and the server does not"};
    }
    if (offers.max_size != 0 && parameters.size.value_or(0) > offers.max_size) {
        return Reply{552, "5.3.4",
                     "The server takes at most " + std::to_string(offers.max_size) + " bytes"};
    }
    return std::nullopt;
}

std::string ClientEngine::State::mail_command() const {
    const MailParameters& parameters = message->parameters;
    std::string out = "MAIL FROM:<" + message->reverse_path + ">";
    if (offers.size && parameters.size) out += " SIZE=" + std::to_string(*parameters.size);
    if (offers.body_8bit && parameters.body_8bit) out += " BODY=8BITMIME";
    if (needs_utf8(*message)) out += " SMTPUTF8";
    if (parameters.require_tls) out += " REQUIRETLS";
    if (offers.dsn) {
        if (parameters.ret != Return::unsaid) {
            out += parameters.ret == Return::full ? " RET=FULL" : " RET=HDRS";
        }
        if (!parameters.envelope_id.empty()) out += " ENVID=" + parameters.envelope_id;
    }
    return out;
}

std::string ClientEngine::State::rcpt_command(const OutgoingRecipient& recipient) const {
    std::string out = "RCPT TO:<" + recipient.address + ">";
    if (!offers.dsn) return out;
    if (recipient.parameters.notify != 0) {
        out += " NOTIFY=" + notify_text(recipient.parameters.notify);
    }
    if (!recipient.parameters.original_recipient.empty()) {
        out += " ORCPT=" + recipient.parameters.original_recipient;
    }
    return out;
}

void ClientEngine::State::say_next_rcpt() {
    emit(Send{rcpt_command(message->recipients[next_rcpt++]) + "\r\n"});
}

// A 421 ends the session, and so does a reply that is neither what the command asks for nor a
// refusal: a 250 where 354 was due would otherwise pass for a delivery.
bool ClientEngine::State::ends_session(const Reply& reply, bool expected) {
    if (reply.code == 421) {
        give_up(reply.code, reply.enhanced, reply.text);
    } else if (!expected && reply.code < 400) {
        give_up(0, "4.5.0", "A reply out of sequence: " + std::to_string(reply.code));
    }
    return phase == Phase::closed;
}

void ClientEngine::State::mail_replied(const Reply& reply) {
    if (ends_session(reply, is_positive(reply))) return;
    if (!is_positive(reply)) mail_refusal = reply;
    enter(Phase::rcpt);
    if (mail_refusal && answered_rcpt == next_rcpt) return recipients_decided();
    if (next_rcpt == 0) say_next_rcpt();
}

void ClientEngine::State::rcpt_replied(const Reply& reply) {
    if (ends_session(reply, is_positive(reply))) return;
    const std::size_t index = answered_rcpt++;
    if (is_positive(reply)) accepted.push_back(index);
    if (!is_positive(reply) || message->only_ask) replies[index] = reply;
    if (next_rcpt < message->recipients.size() && !mail_refusal) {
        say_next_rcpt();
    } else if (answered_rcpt == next_rcpt) {
        recipients_decided();
    }
}

void ClientEngine::State::recipients_decided() {
    if (mail_refusal) {
        replies.assign(replies.size(), *mail_refusal);
        return finish();
    }
    if (accepted.empty() || message->only_ask) {
        // A transaction that goes nowhere must not stand in the way of the next.
        finish();
        say("RSET");
        return enter(Phase::reset);
    }
    say("DATA");
    enter(Phase::data);
}

void ClientEngine::State::data_replied(const Reply& reply) {
    if (ends_session(reply, reply.code == 354)) return;
    if (reply.code != 354) {
        for (const std::size_t index : accepted) replies[index] = reply;
        return finish();
    }
    stuffer = wire::DotStuffer();
    offset = 0;
    enter(Phase::body);
}

void ClientEngine::State::read_more() {
    const std::uint64_t size = message->parameters.size.value_or(0);
    if (offset < size) {
        reading = true;
        return emit(ReadBody{offset, std::min(client_read_bytes, size - offset)});
    }
    std::string out;
    stuffer.finish(out);
    emit(Send{std::move(out)});
    enter(Phase::body_end);
}

void ClientEngine::State::body_read(const std::string& bytes) {
    if (bytes.empty()) return give_up(0, "4.3.0", "The message ends early");
    offset += bytes.size();
    std::string out;
    out.reserve(bytes.size() + bytes.size() / 64);
    stuffer.write(bytes, out);
    emit(Send{std::move(out)});
    waiting_since = now;
}

void ClientEngine::State::body_end_replied(const Reply& reply) {
    if (!config.lmtp) {
        for (const std::size_t index : accepted) replies[index] = reply;
        return finish();
    }
    replies[accepted[body_replies++]] = reply;
    if (body_replies == accepted.size()) finish();
}

// The message's part of the session is over.
void ClientEngine::State::finish() {
    message.reset();
    emit(Outcome{std::exchange(replies, {}), session_failed, offers.dsn, greeting,
                 mail_refusal.has_value()});
    if (phase != Phase::closed && phase != Phase::quit) enter(Phase::ready);
}

}  // namespace postern::smtp

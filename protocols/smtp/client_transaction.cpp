// One message: MAIL, RCPT, DATA, and what the server says of each recipient.
#include "protocols/mime/idna.h"
#include "protocols/smtp/client_session.h"
#include "protocols/smtp/reply.h"
#include "protocols/wire/code_point.h"
#include "protocols/wire/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

namespace postern::smtp {
namespace {

// RCPTs that are on their way without a reply: replies of these fit into any socket's buffer.
constexpr std::size_t max_unanswered = 50;

// For a server without SMTPUTF8. nullopt: there is no such form.
std::optional<std::string> ascii_path(const std::string& address) {
    if (wire::is_ascii(address)) return address;
    const std::size_t at = address.rfind('@');
    if (at == std::string::npos || !wire::is_ascii(address.substr(0, at))) return std::nullopt;
    const auto domain = mime::domain_to_ascii(std::string_view(address).substr(at + 1));
    if (!domain) return std::nullopt;
    return address.substr(0, at + 1) + *domain;
}

// RFC 6533 section 3: utf-8-addr-xtext, where a character over 127 is "\x{HEX}".
std::string ascii_original_recipient(std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const auto before = at;
        const char32_t c = wire::next_code_point(text, at);
        if (c < 0x80) {
            out += text[before];
        } else {
            std::array<char, 8> digits{};
            const auto end = std::to_chars(digits.begin(), digits.end(), std::uint32_t{c}, 16).ptr;
            out += "\\x{" + wire::upper_case({digits.data(), end}) + "}";
        }
    }
    return out;
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
    address_envelope();
    if (asked.empty()) return finish();
    const AdaptMessage wanted{message->parameters.body_8bit && !offers.body_8bit,
                              message->parameters.smtputf8 && !offers.smtputf8};
    if (message->only_ask || (!wanted.seven_bit && !wanted.ascii_header)) return say_mail();
    enter(Phase::adapting);
    emit(wanted);
}

void ClientEngine::State::adapted(const Adapted& form) {
    if (form.refusal) {
        for (const std::size_t index : asked) replies[index] = {*form.refusal};
        return finish();
    }
    message->parameters.size = form.size;
    if (is_too_large()) {
        for (const std::size_t index : asked) replies[index] = too_large();
        return finish();
    }
    say_mail();
}

// Which recipients this server can be asked for, and under which names.
void ClientEngine::State::address_envelope() {
    asked.clear();
    const ClientReply refusal{
        {553, "5.6.7", "The server does not take internationalised addresses"}};
    const auto path =
        offers.smtputf8 ? std::optional(message->reverse_path) : ascii_path(message->reverse_path);
    if (path) reverse_path = *path;
    for (std::size_t i = 0; i < message->recipients.size(); ++i) {
        std::string& address = message->recipients[i].address;
        const auto form = offers.smtputf8 ? std::optional(address) : ascii_path(address);
        if (path && form) {
            address = *form;
            asked.push_back(i);
        } else {
            replies[i] = refusal;
        }
    }
}

void ClientEngine::State::say_mail() {
    emit(Send{mail_command() + "\r\n"});
    enter(Phase::mail);
    if (offers.pipelining) {
        while (next_rcpt < std::min(max_unanswered, asked.size())) say_next_rcpt();
    }
}

bool ClientEngine::State::is_too_large() const {
    return offers.max_size != 0 && message->parameters.size.value_or(0) > offers.max_size;
}

ClientReply ClientEngine::State::too_large() const {
    const auto most = std::to_string(offers.max_size);
    return {{552, "5.3.4", "The server takes at most " + most + " bytes"}};
}

// What this server cannot take whatever it is asked.
std::optional<ClientReply> ClientEngine::State::impossible() const {
    if (message->parameters.require_tls && (!tls || !offers.require_tls)) {
        return ClientReply{
            {550, "5.7.30", "The sender requires TLS all the way, and the server does not"}};
    }
    return is_too_large() ? std::optional(too_large()) : std::nullopt;
}

// Whether SMTPUTF8 is to be said, to a server that takes it.
bool ClientEngine::State::needs_utf8() const {
    if (!offers.smtputf8) return false;
    const bool addresses = !wire::is_ascii(reverse_path) ||
                           std::any_of(asked.begin(), asked.end(), [&](std::size_t index) {
                               return !wire::is_ascii(message->recipients[index].address);
                           });
    return addresses || message->parameters.smtputf8;
}

std::string ClientEngine::State::mail_command() const {
    const MailParameters& parameters = message->parameters;
    std::string out = "MAIL FROM:<" + reverse_path + ">";
    if (offers.size && parameters.size) out += " SIZE=" + std::to_string(*parameters.size);
    if (offers.body_8bit && parameters.body_8bit) out += " BODY=8BITMIME";
    if (needs_utf8()) out += " SMTPUTF8";
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
    const std::string& original = recipient.parameters.original_recipient;
    if (!original.empty()) {
        out += " ORCPT=" + (needs_utf8() ? original : ascii_original_recipient(original));
    }
    return out;
}

void ClientEngine::State::say_next_rcpt() {
    emit(Send{rcpt_command(message->recipients[asked[next_rcpt++]]) + "\r\n"});
}

// A 421 ends the session, and so does a reply that is neither what the command asks for nor a
// refusal: a 250 where 354 was due would otherwise pass for a delivery.
bool ClientEngine::State::ends_session(const ClientReply& reply, bool expected) {
    if (reply.code == 421) {
        give_up(reply);
    } else if (!expected && reply.code < 400) {
        give_up("4.5.0", "A reply out of sequence: " + std::to_string(reply.code));
    }
    return phase == Phase::closed;
}

void ClientEngine::State::mail_replied(const ClientReply& reply) {
    if (ends_session(reply, is_positive(reply))) return;
    if (!is_positive(reply)) mail_refusal = reply;
    enter(Phase::rcpt);
    if (mail_refusal && answered_rcpt == next_rcpt) return recipients_decided();
    if (next_rcpt == 0) say_next_rcpt();
}

void ClientEngine::State::rcpt_replied(ClientReply reply) {
    if (ends_session(reply, is_positive(reply))) return;
    // RFC 5321 section 4.5.3.1.10: servers of old say so that one message has too many recipients;
    // the next attempt asks for those that are left.
    const bool too_many =
        reply.enhanced == "5.5.3" || (reply.enhanced.empty() && !accepted.empty());
    if (reply.code == 552 && too_many) reply = {{452, "4.5.3", reply.text}, true};
    const std::size_t index = asked[answered_rcpt++];
    if (is_positive(reply)) accepted.push_back(index);
    if (!is_positive(reply) || message->only_ask) replies[index] = reply;
    if (next_rcpt < asked.size() && !mail_refusal) {
        say_next_rcpt();
    } else if (answered_rcpt == next_rcpt) {
        recipients_decided();
    }
}

void ClientEngine::State::recipients_decided() {
    if (mail_refusal) {
        for (const std::size_t index : asked) replies[index] = *mail_refusal;
        return finish();
    }
    if (accepted.empty() || message->only_ask) {
        return finish_and_reset();
    }
    say("DATA");
    enter(Phase::data);
}

void ClientEngine::State::data_replied(const ClientReply& reply) {
    if (ends_session(reply, reply.code == 354)) return;
    if (reply.code != 354) {
        for (const std::size_t index : accepted) replies[index] = reply;
        return finish_and_reset();
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
    if (bytes.empty()) return give_up("4.3.0", "The message ends early");
    offset += bytes.size();
    std::string out;
    out.reserve(bytes.size() + bytes.size() / 64);
    stuffer.write(bytes, out);
    emit(Send{std::move(out)});
    waiting_since = now;
}

void ClientEngine::State::body_end_replied(const ClientReply& reply) {
    if (ends_session(reply, is_positive(reply))) return;
    if (!config.lmtp) {
        for (const std::size_t index : accepted) replies[index] = reply;
        return finish();
    }
    replies[accepted[body_replies++]] = reply;
    if (body_replies == accepted.size()) finish();
}

// A transaction that goes nowhere must not stand in the way of the next.
void ClientEngine::State::finish_and_reset() {
    finish();
    say("RSET");
    enter(Phase::reset);
}

// The message's part of the session is over.
void ClientEngine::State::finish() {
    message.reset();
    emit(Outcome{std::exchange(replies, {}), session_failed, in_doubt, offers.dsn, greeting,
                 mail_refusal.has_value()});
    if (phase != Phase::closed && phase != Phase::quit) enter(Phase::ready);
}

}  // namespace postern::smtp

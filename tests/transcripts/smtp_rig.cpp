#include "tests/transcripts/smtp_rig.h"

#include "protocols/wire/text.h"
#include "tests/transcripts/world.h"

#include <regex>
#include <utility>

namespace postern::transcripts {
namespace {

const smtp::Reply failed = {451, "4.3.0", "Failing on purpose"};

smtp::Config config_of(const Settings& settings) {
    smtp::Config config;
    config.hostname = world_host;
    const std::string role = settings.get("role", "mx");
    if (role == "submission") config.role = smtp::Role::submission;
    if (role == "lmtp") config.role = smtp::Role::lmtp;
    config.tls_offered = settings.get("tls", "starttls") == "starttls";
    config.allow_plaintext_auth = settings.is("plaintext-auth");
    const auto max_message = wire::parse_number(settings.get("max-message", ""));
    if (max_message) config.max_message_bytes = *max_message;
    config.dsn_offered = settings.get("dsn", "yes") == "yes";
    config.requiretls_offered = true;
    config.xclient_offered = settings.is("xclient");
    const auto delay = wire::parse_number(settings.get("greeting-delay", ""));
    if (delay) config.greeting_delay = std::chrono::milliseconds(*delay);
    if (settings.is("scram")) config.more_mechanisms = {"SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"};
    return config;
}

}  // namespace

SmtpRig::SmtpRig(smtp::Config config, bool implicit_tls)
    : EngineRig(config, implicit_tls), lmtp_(config.role == smtp::Role::lmtp) {}

std::unique_ptr<SmtpRig> SmtpRig::from(const Settings& settings) {
    return std::make_unique<SmtpRig>(config_of(settings), settings.get("tls", "") == "implicit");
}

bool SmtpRig::failure_shown(std::string_view output) const {
    return output.find("451 4.3.0 Failing") != std::string_view::npos;
}

// Ends a message or an AUTH exchange that the transcript may have left open.
std::string SmtpRig::probe() const {
    return "\r\n.\r\nNOOP\r\n";
}

void SmtpRig::handle(smtp::Effect& effect) {
    if (auto* chunk = std::get_if<smtp::BodyChunk>(&effect)) {
        body_ += chunk->bytes;
        return;
    }
    if (std::holds_alternative<smtp::DiscardBody>(effect)) {
        body_.clear();
        ++discarded_;
        return;
    }
    const bool fails = count_question();
    if (auto* asked = std::get_if<smtp::Authenticate>(&effect)) {
        engine_.answer(fails ? smtp::AuthAnswer{false, failed, {}, {}} : authenticate(*asked));
    } else if (auto* more = std::get_if<smtp::ContinueAuth>(&effect)) {
        engine_.answer(fails ? smtp::AuthAnswer{false, failed, {}, {}} : continue_auth(*more));
    } else if (std::holds_alternative<smtp::ClaimClient>(effect)) {
        engine_.answer(fails ? failed : smtp::Reply{220, "", "ok"});
    } else if (std::holds_alternative<smtp::CheckSender>(effect)) {
        engine_.answer(fails ? failed : smtp::Reply{250, "2.1.0", "Sender OK"});
    } else if (auto* recipient = std::get_if<smtp::CheckRecipient>(&effect)) {
        engine_.answer(fails ? failed : check_recipient(recipient->forward_path));
    } else if (auto* message = std::get_if<smtp::AcceptMessage>(&effect)) {
        if (fails) {
            body_.clear();
            engine_.answer(failed);
        } else {
            engine_.answer(accept(*message));
        }
    }
}

smtp::Reply SmtpRig::check_recipient(const std::string& forward_path) const {
    if (is_world_user(forward_path) || forward_path == "Postmaster") {
        return {250, "2.1.5", "Recipient OK"};
    }
    const bool local = forward_path.ends_with("@example.net");
    if (local) return {550, "5.1.1", "<" + forward_path + ">: no such mailbox"};
    if (authenticated_) return {250, "2.1.5", "Recipient OK"};
    return {550, "5.7.1", "<" + forward_path + ">: relay denied"};
}

std::vector<smtp::Reply> SmtpRig::accept(smtp::AcceptMessage& envelope) {
    const std::size_t replies = lmtp_ ? envelope.recipients.size() : 1;
    accepted_.push_back({std::move(envelope), std::exchange(body_, {})});
    return std::vector<smtp::Reply>(replies, {250, "2.0.0", "Accepted"});
}

smtp::AuthAnswer SmtpRig::authenticate(const smtp::Authenticate& asked) {
    const bool self = asked.authorization_id.empty() || asked.authorization_id == asked.user;
    authenticated_ = self && is_world_user(asked.user) && asked.password == world_password;
    return {authenticated_, {}, {}, {}};
}

// A mechanism of two rounds: "alice", then the password.
smtp::AuthAnswer SmtpRig::continue_auth(const smtp::ContinueAuth& asked) {
    if (asked.first) return {false, {}, "challenge for " + asked.response, {}};
    authenticated_ = asked.response == world_password;
    return {authenticated_, {}, {}, std::string(world_users[0])};
}

}  // namespace postern::transcripts

// An SMTP session of any bytes: what is said, logged and accepted must not depend on the cuts.
#include "tests/fuzz/session_fuzz.h"
#include "tests/transcripts/smtp_rig.h"

namespace {

using namespace postern;
using transcripts::SmtpRig;

smtp::Config config_of(std::uint8_t setup) {
    smtp::Config config;
    config.hostname = "mx.example.net";
    config.role = static_cast<smtp::Role>(setup % 3);
    config.tls_offered = (setup & 4) != 0;
    config.allow_plaintext_auth = (setup & 8) != 0;
    config.dsn_offered = (setup & 32) != 0;
    config.xclient_offered = config.requiretls_offered = (setup & 64) != 0;
    if ((setup & 128) != 0) config.more_mechanisms = {"SCRAM-SHA-256"};
    config.max_message_bytes = (setup & 16) != 0 ? 200 : 1'000'000;
    return config;
}

bool only_crlf(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\r' && (i + 1 == text.size() || text[i + 1] != '\n')) return false;
        if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) return false;
    }
    return text.empty() || text.back() == '\n';
}

void check_accepted(const SmtpRig& rig, const smtp::Config& config) {
    for (const auto& [envelope, body] : rig.accepted()) {
        fuzz::require(envelope.parameters.body_binary || only_crlf(body));
        // The end of a last line that a chunk left open is added.
        fuzz::require(body.size() <= config.max_message_bytes + 2);
        fuzz::require(!envelope.recipients.empty() && !envelope.helo.empty());
        const bool submission = config.role == smtp::Role::submission;
        fuzz::require(!submission || !envelope.authenticated_user.empty());
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const fuzz::SessionInput input(data, size);
    const smtp::Config config = config_of(input.setup);
    SmtpRig whole(config, false);
    SmtpRig pieces(config, false);
    const std::string said = fuzz::converse(whole, input.bytes, input.bytes.size());
    fuzz::require(said == fuzz::converse(pieces, input.bytes, input.piece_bytes));
    fuzz::require(only_crlf(said));
    fuzz::require(whole.logged() == pieces.logged());
    fuzz::require(whole.discarded() == pieces.discarded());
    fuzz::require(whole.accepted().size() == pieces.accepted().size());
    for (std::size_t i = 0; i < whole.accepted().size(); ++i) {
        fuzz::require(whole.accepted()[i].body == pieces.accepted()[i].body);
        fuzz::require(whole.accepted()[i].envelope.recipients ==
                      pieces.accepted()[i].envelope.recipients);
    }
    check_accepted(whole, config);
    fuzz::check_tls(whole, input.bytes);
    check_accepted(whole, config);
    return 0;
}

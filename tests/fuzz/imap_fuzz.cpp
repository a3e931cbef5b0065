// An IMAP session of any bytes: what is said, logged and stored must not depend on the cuts.
#include "tests/fuzz/session_fuzz.h"
#include "tests/transcripts/imap_rig.h"

#include <string>

namespace {

using namespace postern;
using transcripts::ImapRig;

imap::Config config_of(std::uint8_t setup) {
    imap::Config config;
    config.hostname = "mx.example.net";
    config.tls_offered = (setup & 1) != 0;
    config.allow_plaintext_auth = (setup & 2) != 0;
    config.max_append_bytes = (setup & 4) != 0 ? 200 : 1'000'000;
    return config;
}

// With bit 8 alice is logged in, with bit 16 her INBOX is open as well.
std::string prelude(std::uint8_t setup) {
    std::string out;
    if ((setup & 8) != 0) out += "l AUTHENTICATE PLAIN AGFsaWNlQGV4YW1wbGUubmV0AHNlY3JldA==\r\n";
    if ((setup & 16) != 0) out += "s SELECT INBOX\r\n";
    return out;
}

// Two messages, of which the second, without a stored summary, is the session's own bytes; with
// bit 32 a question fails, and which one depends on the size.
void prepare(ImapRig& rig, const fuzz::SessionInput& input) {
    rig.deliver("Subject: one\r\nTo: bob@example.net\r\n\r\nText.\r\n");
    rig.deliver(std::string(input.bytes));
    if ((input.setup & 32) != 0) rig.fail_question(input.bytes.size() % 16);
}

void require_same(ImapRig& a, ImapRig& b) {
    fuzz::require(a.logged() == b.logged());
    fuzz::require(a.discarded() == b.discarded());
    fuzz::require(a.questions_asked() == b.questions_asked());
    fuzz::require(a.unfinished_append() == b.unfinished_append());
    const auto* in_a = a.memory().find("INBOX");
    const auto* in_b = b.memory().find("INBOX");
    fuzz::require(in_a->messages.size() == in_b->messages.size());
    for (const auto& [uid, message] : in_a->messages) {
        const auto& other = in_b->messages.at(uid);
        fuzz::require(message.flags == other.flags);
        fuzz::require(a.memory().body(std::to_string(message.blob)) ==
                      b.memory().body(std::to_string(other.blob)));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const fuzz::SessionInput input(data, size);
    const imap::Config config = config_of(input.setup);
    const std::string bytes = prelude(input.setup) + std::string(input.bytes);
    ImapRig whole(config, false);
    ImapRig pieces(config, false);
    prepare(whole, input);
    prepare(pieces, input);
    const std::string said = fuzz::converse(whole, bytes, bytes.size());
    fuzz::require(said == fuzz::converse(pieces, bytes, input.piece_bytes));
    fuzz::require(said.find("BROKEN PROMISE") == std::string::npos ||
                  bytes.find("BROKEN PROMISE") != std::string::npos);
    require_same(whole, pieces);
    fuzz::check_tls(whole, bytes);
    return 0;
}

// A POP3 session of any bytes: what is said, logged and deleted must not depend on the cuts of the
// input, nor on how the message is read.
#include "tests/fuzz/session_fuzz.h"
#include "tests/transcripts/pop3_rig.h"

namespace {

using namespace postern;
using transcripts::Pop3Rig;

pop3::Config config_of(std::uint8_t setup) {
    pop3::Config config;
    config.hostname = "mx.example.net";
    config.tls_offered = (setup & 1) != 0;
    config.allow_plaintext_auth = (setup & 2) != 0;
    return config;
}

// With bit 4 alice is logged in, with the session's own bytes for a message.
std::string prelude(std::uint8_t setup) {
    return (setup & 4) != 0 ? "AUTH PLAIN AGFsaWNlQGV4YW1wbGUubmV0AHNlY3JldA==\r\n" : "";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const fuzz::SessionInput input(data, size);
    const pop3::Config config = config_of(input.setup);
    const std::vector<std::string> maildrop = {std::string(input.bytes), "", "A: 1\r\n\r\n.\r\n"};
    const std::string bytes = prelude(input.setup) + std::string(input.bytes);
    Pop3Rig whole(config, false, maildrop);
    Pop3Rig pieces(config, false, maildrop);
    pieces.limit_reads(input.piece_bytes);
    const std::string said = fuzz::converse(whole, bytes, bytes.size());
    fuzz::require(said == fuzz::converse(pieces, bytes, input.piece_bytes));
    fuzz::require(whole.logged() == pieces.logged());
    fuzz::require(whole.committed() == pieces.committed());
    fuzz::check_tls(whole, bytes);
    return 0;
}

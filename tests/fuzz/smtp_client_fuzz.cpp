// A server that says any bytes: one outcome, with a reply for each recipient, and nothing counts as
// delivered that was not sent to its end.
#include "protocols/smtp/client.h"
#include "tests/fuzz/session_fuzz.h"

#include <string>
#include <vector>

namespace {

using namespace postern;

struct Played {
    std::string said;
    std::vector<smtp::Outcome> outcomes;
    bool closed = false;
};

Played play(std::uint8_t setup, std::string_view bytes, std::size_t piece_bytes) {
    smtp::ClientConfig config;
    config.hostname = "mx.example.net";
    config.lmtp = (setup & 1) != 0;
    config.tls =
        (setup & 2) != 0 ? smtp::ClientConfig::Tls::never : smtp::ClientConfig::Tls::if_offered;
    const Time now = from_unix_ms(1'700'000'000'000);
    smtp::ClientEngine engine(config, now);
    const std::string body = "Subject: x\r\n\r\n.\r\n";
    smtp::OutgoingMessage message;
    message.reverse_path = "ann@example.net";
    message.parameters.size = body.size();
    message.parameters.body_8bit = (setup & 4) != 0;
    message.parameters.smtputf8 = (setup & 8) != 0;
    message.recipients = {{"a@r.example", {}}, {"b@r.example", {}}};
    engine.send(message);
    Played out;
    const auto drain = [&] {
        while (auto effect = engine.next()) {
            if (auto* send = std::get_if<smtp::Send>(&*effect)) out.said += send->bytes;
            if (std::holds_alternative<smtp::Close>(*effect)) out.closed = true;
            if (auto* outcome = std::get_if<smtp::Outcome>(&*effect)) {
                out.outcomes.push_back(std::move(*outcome));
            }
            if (auto* reading = std::get_if<smtp::ReadBody>(&*effect)) {
                engine.answer(body.substr(reading->offset, reading->length));
            }
            if (std::holds_alternative<smtp::AdaptMessage>(*effect)) {
                engine.adapted({body.size(), std::nullopt});
            }
            if (std::holds_alternative<smtp::StartTls>(*effect)) engine.tls_failed("none here");
        }
    };
    drain();
    while (!bytes.empty()) {
        engine.feed(bytes.substr(0, piece_bytes));
        bytes.remove_prefix(std::min(bytes.size(), piece_bytes));
        drain();
    }
    engine.peer_closed();
    drain();
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const fuzz::SessionInput input(data, size);
    const Played whole = play(input.setup, input.bytes, input.bytes.size() + 1);
    const Played pieces = play(input.setup, input.bytes, input.piece_bytes);
    for (const Played& played : {whole, pieces}) {
        fuzz::require(played.outcomes.size() == 1 && played.closed);
        fuzz::require(played.outcomes[0].replies.size() == 2);
        const bool sent = played.said.find("\r\n.\r\n") != std::string::npos;
        for (const auto& reply : played.outcomes[0].replies) {
            fuzz::require(sent || reply.code < 200 || reply.code >= 400);
        }
    }
    return 0;
}

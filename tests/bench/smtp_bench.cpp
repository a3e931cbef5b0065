// The SMTP engine alone, fed with whole transactions of real mail in pieces as a socket gives them.
#include "protocols/smtp/engine.h"
#include "tests/bench/corpus_files.h"

#include <benchmark/benchmark.h>

#include <type_traits>
#include <variant>

namespace postern::bench {
namespace {

constexpr std::size_t piece_bytes = 16 * 1024;
constexpr std::string_view envelope =
    "MAIL FROM:<sender@load.example>\r\nRCPT TO:<user@example.net>\r\nDATA\r\n";

// Answers yes to everything; how many messages were accepted.
std::size_t drain(smtp::Engine& engine) {
    std::size_t accepted = 0;
    while (auto effect = engine.next()) {
        if (std::holds_alternative<smtp::CheckSender>(*effect) ||
            std::holds_alternative<smtp::CheckRecipient>(*effect)) {
            engine.answer(smtp::Reply{250, "2.1.0", "ok"});
        } else if (std::holds_alternative<smtp::AcceptMessage>(*effect)) {
            engine.answer(smtp::Reply{250, "2.0.0", "ok"});
            ++accepted;
        } else if (auto* chunk = std::get_if<smtp::BodyChunk>(&*effect)) {
            benchmark::DoNotOptimize(chunk->bytes.data());
        }
    }
    return accepted;
}

std::string with_dots(const std::string& message) {
    std::string out;
    for (std::size_t i = 0; i < message.size(); ++i) {
        if (message[i] == '.' && (i == 0 || message[i - 1] == '\n')) out += '.';
        out += message[i];
    }
    return out + ".\r\n";
}

void transactions(benchmark::State& state) {
    std::vector<std::string> wire;
    for (const auto& message : corpus()) wire.push_back(with_dots(message));
    const Time now{};
    smtp::Engine engine(smtp::Config{}, now);
    engine.start(false);
    engine.feed("EHLO load.example\r\n");
    drain(engine);
    std::size_t next = 0, bytes = 0, accepted = 0;
    for (auto _ : state) {
        engine.feed(envelope);
        drain(engine);
        std::string_view rest = wire[next++ % wire.size()];
        bytes += rest.size();
        while (!rest.empty()) {
            const auto piece = rest.substr(0, piece_bytes);
            rest.remove_prefix(piece.size());
            engine.feed(piece);
            accepted += drain(engine);
        }
    }
    if (accepted != next) state.SkipWithError("a message was not accepted");
    state.SetItemsProcessed(state.iterations());
    state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
}
BENCHMARK(transactions);

}  // namespace
}  // namespace postern::bench

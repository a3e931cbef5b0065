// The byte machines under every protocol: what they say must not depend on where the input was cut.
#include "protocols/wire/base64.h"
#include "protocols/wire/dot_stuffing.h"
#include "protocols/wire/line_reader.h"
#include "protocols/wire/sasl.h"
#include "protocols/wire/text.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace postern::wire;

void require(bool holds) {
    if (!holds) std::abort();
}

std::string read_lines(std::string_view input, std::size_t piece_bytes) {
    std::string seen;
    std::string pending;
    LineReader reader;
    while (!input.empty()) {
        pending += input.substr(0, piece_bytes);
        input.remove_prefix(std::min(piece_bytes, input.size()));
        for (bool more = true; more;) {
            const LineEvent event = reader.next(pending, 40);
            more = event.kind != LineEvent::Kind::need_more;
            if (more && event.kind != LineEvent::Kind::skipped) {
                seen += static_cast<char>('0' + static_cast<int>(event.kind));
                seen += event.has_bare_cr ? '!' : ' ';
                seen += event.text;
            }
            pending.erase(0, event.consumed);
        }
        require(pending.size() < 40);
    }
    return seen;
}

struct Unstuffed {
    std::string text;
    std::size_t consumed = 0;
    bool ended = false;
    DotUnstuffer::Flaw flaw{};
};

Unstuffed unstuff(std::string_view input, std::size_t piece_bytes) {
    Unstuffed result;
    DotUnstuffer unstuffer(50);
    while (result.consumed < input.size() && !result.ended) {
        const auto progress =
            unstuffer.read(input.substr(result.consumed, piece_bytes), result.text);
        result.consumed += progress.consumed;
        result.ended = progress.ended;
    }
    result.flaw = unstuffer.flaw();
    return result;
}

void check_stuffing(std::string_view input, std::size_t piece_bytes) {
    const Unstuffed whole = unstuff(input, input.size() + 1);
    const Unstuffed pieces = unstuff(input, piece_bytes);
    require(whole.consumed == pieces.consumed && whole.ended == pieces.ended);
    if (whole.ended) require(whole.flaw == pieces.flaw);
    const bool flawless = whole.flaw == DotUnstuffer::Flaw::none;
    if (whole.ended && flawless) require(whole.text == pieces.text);
    require(whole.ended ==
            (input.substr(0, whole.consumed).ends_with("\r\n.\r\n") || input.starts_with(".\r\n")));

    std::string stuffed;
    DotStuffer stuffer;
    stuffer.write(input.substr(0, piece_bytes), stuffed);
    if (input.size() > piece_bytes) stuffer.write(input.substr(piece_bytes), stuffed);
    stuffer.finish(stuffed);
    const Unstuffed back = unstuff(stuffed, piece_bytes);
    require(back.ended && back.consumed == stuffed.size());
    require(back.flaw != DotUnstuffer::Flaw::bare_lf);
}

void check_text(std::string_view input) {
    require(base64_decode(base64_encode(input)) == input);
    if (const auto decoded = base64_decode(input)) require(base64_encode(*decoded) == input);
    require(is_ascii(printable(input)));
    if (is_ascii(input)) require(is_utf8(input));
    if (is_utf8(input)) require(is_utf8(std::string(input) + "\xc3\xa4"));

    SaslExchange exchange;
    SaslStep step = exchange.start("LOGIN", std::nullopt);
    for (int i = 0; i < 3 && std::holds_alternative<SaslChallenge>(step); ++i) {
        step = exchange.step(input);
    }
    require(!std::holds_alternative<SaslChallenge>(step));
    SaslExchange().start("PLAIN", input);
    SaslExchange().start("PLAIN", base64_encode(input));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view input(reinterpret_cast<const char*>(data), size);
    const std::size_t piece_bytes = size == 0 ? 1 : 1 + data[0] % 16;
    if (size != 0) input.remove_prefix(1);
    require(read_lines(input, input.size() + 1) == read_lines(input, piece_bytes));
    check_stuffing(input, piece_bytes);
    check_text(input);
    return 0;
}

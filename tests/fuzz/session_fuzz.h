// What fuzz targets of engines share: one session played whole and in pieces.
#pragma once

#include "tests/transcripts/runner.h"

#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace postern::fuzz {

inline void require(bool holds) {
    if (!holds) std::abort();
}

// The first byte says how the session is set up, the second how its bytes are cut.
struct SessionInput {
    SessionInput(const std::uint8_t* data, std::size_t size)
        : bytes(reinterpret_cast<const char*>(data), size) {
        setup = take();
        piece_bytes = 1 + take() % 64u;
    }

    std::uint8_t setup = 0;
    std::size_t piece_bytes = 1;
    std::string_view bytes;

private:
    std::uint8_t take() {
        if (bytes.empty()) return 0;
        const auto byte = static_cast<std::uint8_t>(bytes.front());
        bytes.remove_prefix(1);
        return byte;
    }
};

// Feeds bytes in pieces up to where TLS would start (behind that, what is dropped depends on the
// cuts); returns what the server said.
inline std::string converse(transcripts::EngineUnderTest& engine, std::string_view bytes,
                            std::size_t piece_bytes) {
    std::string said = engine.drain();
    while (!bytes.empty() && !engine.wants_tls()) {
        const std::string_view piece = bytes.substr(0, piece_bytes);
        engine.feed(piece);
        bytes.remove_prefix(piece.size());
        said += engine.drain();
    }
    if (!engine.wants_tls()) {
        engine.peer_closed();
        said += engine.drain();
        require(engine.closed());
    }
    return said;
}

// After TLS a session is answered as a new one is.
inline void check_tls(transcripts::EngineUnderTest& engine, std::string_view bytes) {
    if (!engine.wants_tls()) return;
    engine.tls_started();
    require(engine.drain().empty());
    engine.feed(bytes);
    engine.drain();
    require(!engine.wants_tls());
}

}  // namespace postern::fuzz

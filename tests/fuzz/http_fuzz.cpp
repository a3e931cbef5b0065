// An HTTP connection of any bytes: what is answered must not depend on the cuts of the input.
#include "tests/gateway/http/http_rig.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace {

// Whether a client is told to go on depends on whether it waited.
std::string without_interim(std::string text) {
    const std::string interim = "HTTP/1.1 100 Continue\r\n\r\n";
    for (auto at = text.find(interim); at != std::string::npos; at = text.find(interim)) {
        text.erase(at, interim.size());
    }
    return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using postern::http::HttpRig;
    if (size < 1) return 0;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    HttpRig whole;
    HttpRig pieces;
    const auto said = without_interim(whole.say(bytes, bytes.size() + 1));
    const auto cut = without_interim(pieces.say(bytes, data[0] % 50 + 1u));
    if (cut != said) {
        std::fprintf(stderr, "whole: %s\n\ncut: %s\n", said.c_str(), cut.c_str());
        std::abort();
    }
    if (whole.requests.size() != pieces.requests.size()) std::abort();
    return 0;
}

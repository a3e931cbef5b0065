// Any bytes as a stored summary: decoding is safe, and what decodes encodes to something that
// decodes to the same.
#include "protocols/mime/summary.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern::mime;
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const auto summary = decode_summary(bytes);
    if (!summary) return 0;
    const std::string encoded = encode_summary(*summary);
    const auto again = decode_summary(encoded);
    if (!again || encode_summary(*again) != encoded) std::abort();
    for (const PartOffsets& part : summary->parts) {
        for (const Range& range : {part.header, part.mime_header, part.body, part.text}) {
            if (range.begin > range.end) std::abort();
        }
    }
    return 0;
}

#include "gateway/outbound/adapt.h"

#include "protocols/mime/seven_bit.h"
#include "protocols/wire/text.h"

#include <algorithm>
#include <utility>

namespace postern::outbound {

namespace {

// All of it; empty where it is ASCII; nullopt: it cannot be read.
std::optional<std::string> read_8bit(const Parcel& parcel) {
    const std::uint64_t size = parcel.message.parameters.size.value_or(0);
    std::string bytes;
    bool ascii = true;
    std::uint64_t offset = 0;
    while (offset < size) {
        auto piece = parcel.read(offset, std::min(smtp::client_read_bytes, size - offset));
        if (!piece || piece->empty()) return std::nullopt;
        offset += piece->size();
        const bool first = std::exchange(ascii, ascii && wire::is_ascii(*piece));
        if (!ascii && first) {
            // What went before was not kept.
            offset = 0;
            bytes.reserve(size);
            continue;
        }
        if (!ascii) bytes += *piece;
    }
    return bytes;
}

smtp::Reply no_internationalised_header(const std::string& why) {
    return {553, "5.6.7", "The server does not take internationalised mail: " + why};
}

}  // namespace

AdaptedForm adapt(const Parcel& parcel, const smtp::AdaptMessage& wanted) {
    const auto whole = read_8bit(parcel);
    if (!whole) return {std::nullopt, smtp::Reply{0, "4.3.0", "The message cannot be read now"}};
    if (whole->empty()) return {};
    // RFC 6531 section 3.2: who only passes such mail on does not rewrite it. What never said that
    // it is internationalised is mended like a body.
    if (wanted.ascii_header) {
        auto header = mime::with_ascii_header(*whole);
        if (!header) return {std::nullopt, no_internationalised_header(header.error().text)};
        const bool same = *header == *whole;
        if (!same && !parcel.own) {
            return {std::nullopt, no_internationalised_header("the header is not ASCII")};
        }
        if (!wanted.seven_bit && same) return {};
        if (!wanted.seven_bit) return {std::move(*header), std::nullopt};
    }
    auto plain = mime::to_seven_bit(*whole);
    if (!plain) {
        return {std::nullopt,
                smtp::Reply{554, "5.6.3",
                            "The server does not take 8-bit mail, and it cannot be converted: " +
                                plain.error().text}};
    }
    return {std::move(*plain), std::nullopt};
}

}  // namespace postern::outbound

#include "gateway/outbound/adapt.h"

#include "protocols/mime/seven_bit.h"
#include "protocols/wire/text.h"

#include <algorithm>
#include <utility>

namespace postern::outbound {

namespace {

AdaptedForm to_be_tried_again(const char* text) {
    return {std::nullopt, smtp::Reply{0, "4.3.0", text}};
}

// Calls `take` with each piece until it says no. False: the message cannot be read.
template <class Take>
bool read_pieces(const Parcel& parcel, Take take) {
    const std::uint64_t size = parcel.message.parameters.size.value_or(0);
    std::uint64_t offset = 0;
    while (offset < size) {
        const auto piece = parcel.read(offset, std::min(smtp::client_read_bytes, size - offset));
        if (!piece || piece->empty()) return false;
        offset += piece->size();
        if (!take(*piece)) break;
    }
    return true;
}

// What is not ASCII, whole; nothing else.
AdaptedForm read_8bit(const Parcel& parcel, limits::InflightBudget::Share& share) {
    constexpr const char* unreadable = "The message cannot be read now";
    bool ascii = true;
    const bool read = read_pieces(parcel, [&](const std::string& piece) {
        ascii = wire::is_ascii(piece);
        return ascii;
    });
    if (!read) return to_be_tried_again(unreadable);
    if (ascii) return {};
    const std::uint64_t size = parcel.message.parameters.size.value_or(0);
    if (!share.grow(std::min(conversion_factor * size, max_conversion_of_one_bytes))) {
        return to_be_tried_again(
            "Too much other mail is in conversion for servers that take less than it needs");
    }
    std::string bytes;
    bytes.reserve(size);
    const bool whole = read_pieces(parcel, [&](const std::string& piece) {
        bytes += piece;
        return true;
    });
    if (!whole) return to_be_tried_again(unreadable);
    return {std::move(bytes), std::nullopt};
}

smtp::Reply no_internationalised_header(const std::string& why) {
    return {553, "5.6.7", "The server does not take internationalised mail: " + why};
}

AdaptedForm convert(const Parcel& parcel, const smtp::AdaptMessage& wanted,
                    const std::string& whole) {
    // RFC 6531 section 3.2: who only passes such mail on does not rewrite it. What never said that
    // it is internationalised is mended like a body.
    if (wanted.ascii_header) {
        auto header = mime::with_ascii_header(whole);
        if (!header) return {std::nullopt, no_internationalised_header(header.error().text)};
        const bool same = *header == whole;
        if (!same && !parcel.own) {
            return {std::nullopt, no_internationalised_header("the header is not ASCII")};
        }
        if (!wanted.seven_bit && mime::has_8bit_header(*header)) {
            return {std::nullopt, no_internationalised_header("what is signed is not ASCII")};
        }
        if (!wanted.seven_bit && same) return {};
        if (!wanted.seven_bit) return {std::move(*header), std::nullopt};
    }
    auto plain = mime::to_seven_bit(whole);
    if (!plain) {
        return {std::nullopt,
                smtp::Reply{554, "5.6.3",
                            "The server does not take 8-bit mail, and it cannot be converted: " +
                                plain.error().text}};
    }
    return {std::move(*plain), std::nullopt};
}

}  // namespace

AdaptedForm adapt(const Parcel& parcel, const smtp::AdaptMessage& wanted,
                  limits::InflightBudget::Share& share) {
    auto form = read_8bit(parcel, share);
    if (form.bytes) form = convert(parcel, wanted, *form.bytes);
    share.shrink_to(form.bytes ? form.bytes->capacity() : 0);
    return form;
}

}  // namespace postern::outbound

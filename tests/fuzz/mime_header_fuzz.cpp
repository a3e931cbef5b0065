// One header value through every reader of header values, and through the content decoders.
#include "protocols/mime/address.h"
#include "protocols/mime/charset.h"
#include "protocols/mime/date.h"
#include "protocols/mime/decode.h"
#include "protocols/mime/header.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using namespace postern::mime;

constexpr std::size_t max_decoded_bytes = 1 << 20;

void require(bool holds) {
    if (!holds) std::abort();
}

void check_words(std::string_view value) {
    const std::string unfolded = unfold(value);
    require(unfolded.find_first_of("\r\n") == std::string::npos);
    const std::string text = decode_words(unfolded);
    require(is_utf8(text));
    const std::string encoded = encode_words(text);
    require(is_ascii(encoded));
    if (!is_ascii(text)) require(decode_words(encoded) == text);
}

void check_parameters(std::string_view value) {
    const auto raw = raw_parameters(value);
    require(raw.size() <= max_parameters);
    const auto joined = join_parameters(raw);
    require(joined.size() <= raw.size());
    for (const Parameter& parameter : joined) {
        require(is_utf8(parameter.value));
        require(find_parameter(joined, parameter.name) != nullptr);
    }
}

void check_addresses(std::string_view value) {
    const auto addresses = parse_addresses(value);
    require(addresses.size() <= max_addresses);
    bool in_group = false;
    for (const Address& address : addresses) {
        if (address.kind == Address::Kind::mailbox) continue;
        require(in_group == (address.kind == Address::Kind::group_end));
        in_group = !in_group;
    }
    if (addresses.size() < max_addresses) require(!in_group);
}

void check_dates(std::string_view value) {
    if (const auto date = parse_date(value)) {
        require(parse_date(format_rfc5322(*date)) == date);
        require(parse_imap_date(format_imap(*date)) == date);
    }
    if (const auto date = parse_imap_date(value)) {
        require(parse_imap_date(format_imap(*date)) == date);
    }
}

void check_decoder(std::string_view bytes, Encoding encoding, std::size_t step) {
    const std::string whole = decode_content(bytes, encoding, max_decoded_bytes);
    std::string pieces;
    ContentDecoder decoder(encoding);
    for (std::size_t at = 0; at < bytes.size(); at += step) {
        decoder.feed(bytes.substr(at, step), pieces, max_decoded_bytes);
    }
    decoder.finish(pieces, max_decoded_bytes);
    require(whole == pieces);
    require(decode_content(bytes, encoding, step) == whole.substr(0, step));
}

void check_charset(std::string_view value) {
    const std::size_t end = value.find('\n');
    if (end == std::string_view::npos) return;
    require(is_utf8(to_utf8(value.substr(end + 1), value.substr(0, end))));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view value(reinterpret_cast<const char*>(data), size);
    const std::size_t step = size == 0 ? 1 : 1 + data[0] % 16;
    check_words(value);
    check_parameters(value);
    check_addresses(value);
    check_dates(value);
    check_decoder(value, Encoding::base64, step);
    check_decoder(value, Encoding::quoted_printable, step);
    check_charset(value);
    return 0;
}

#include "protocols/mime/summary_view.h"

#include <limits>
#include <utility>

namespace postern::mime {
namespace {

constexpr char version = 2;
constexpr std::size_t texts_before_sent = 8;
constexpr unsigned embedded_bit = 1, own_header_bit = 2, own_text_bit = 4, encoding_shift = 3;
constexpr unsigned highest_encoding = static_cast<unsigned>(Encoding::unknown);

void put_number(std::string& out, std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
    out += static_cast<char>(value);
}

// Small negative numbers stay short.
void put_signed(std::string& out, std::int64_t value) {
    const auto bits = static_cast<std::uint64_t>(value);
    put_number(out, (bits << 1) ^ (value < 0 ? ~0ULL : 0ULL));
}

void put_text(std::string& out, std::string_view text) {
    put_number(out, text.size());
    out += text;
}

void put_range(std::string& out, const Range& range) {
    put_number(out, range.begin);
    put_number(out, range.size());
}

void put_part(std::string& out, const PartOffsets& part) {
    const bool own_header = part.header != part.mime_header;
    const bool own_text = part.text != part.body;
    out += static_cast<char>((part.embedded_message ? embedded_bit : 0) |
                             (own_header ? own_header_bit : 0) | (own_text ? own_text_bit : 0) |
                             static_cast<unsigned>(part.encoding) << encoding_shift);
    put_text(out, part.number);
    put_range(out, part.mime_header);
    put_range(out, part.body);
    if (own_header) put_range(out, part.header);
    if (own_text) put_range(out, part.text);
}

// Every read fails for good once one has failed, so that only the end needs a check.
class Reader {
public:
    explicit Reader(std::string_view bytes) : bytes_(bytes) {}

    bool ok() const { return ok_; }
    bool at_end() const { return bytes_.empty(); }

    unsigned byte() {
        if (bytes_.empty()) return fail();
        const auto value = static_cast<unsigned char>(bytes_.front());
        bytes_.remove_prefix(1);
        return value;
    }

    std::uint64_t number() {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            const std::uint64_t bits = byte();
            if (shift == 63 && bits > 1) break;
            value |= (bits & 0x7F) << shift;
            if ((bits & 0x80) == 0) return value;
        }
        return fail();
    }

    std::int64_t signed_number() {
        const std::uint64_t bits = number();
        return static_cast<std::int64_t>((bits >> 1) ^ ((bits & 1) != 0 ? ~0ULL : 0ULL));
    }

    std::string_view view() {
        const std::uint64_t size = number();
        if (size > bytes_.size()) {
            fail();
            return {};
        }
        const std::string_view value = bytes_.substr(0, size);
        bytes_.remove_prefix(size);
        return value;
    }
    std::string text() { return std::string(view()); }

    Range range() {
        const std::uint64_t begin = number();
        const std::uint64_t size = number();
        if (size > std::numeric_limits<std::uint64_t>::max() - begin) fail();
        return ok_ ? Range{begin, begin + size} : Range{};
    }

    PartOffsets part() {
        PartOffsets part;
        const unsigned bits = byte();
        if (bits >> encoding_shift > highest_encoding) fail();
        part.embedded_message = (bits & embedded_bit) != 0;
        part.encoding = static_cast<Encoding>(bits >> encoding_shift & 3);
        part.number = text();
        part.mime_header = range();
        part.body = range();
        part.header = (bits & own_header_bit) != 0 ? range() : part.mime_header;
        part.text = (bits & own_text_bit) != 0 ? range() : part.body;
        return part;
    }

private:
    unsigned fail() {
        ok_ = false;
        bytes_ = {};
        return 0;
    }

    std::string_view bytes_;
    bool ok_ = true;
};

}  // namespace

std::string encode_summary(const Summary& summary) {
    std::string out;
    out.reserve(summary.envelope.size() + summary.body.size() + summary.body_structure.size() +
                summary.subject.size() + summary.from.size() + summary.preview.size() +
                summary.references.size() + summary.parts.size() * 24 + 128);
    out += version;
    for (const std::string* text :
         {&summary.envelope, &summary.body, &summary.body_structure, &summary.preview,
          &summary.message_id, &summary.subject, &summary.from}) {
        put_text(out, *text);
    }
    put_text(out, summary.references);
    put_signed(out, summary.sent_unix_ms);
    put_signed(out, summary.sent_zone_minutes);
    put_number(out, summary.parts.size());
    for (const PartOffsets& part : summary.parts) put_part(out, part);
    return out;
}

std::optional<Summary> decode_summary(std::string_view bytes) {
    return decode_summary_for(SummaryUse::all, bytes);
}

std::optional<Summary> decode_summary_for(SummaryUse use, std::string_view bytes) {
    Reader reader(bytes);
    if (reader.byte() != static_cast<unsigned>(version)) return std::nullopt;
    std::optional<Summary> out(std::in_place);
    Summary& summary = *out;
    summary.envelope = reader.view();
    if (use == SummaryUse::envelope) return reader.ok() ? std::move(out) : std::nullopt;
    const bool sorting = use == SummaryUse::sorting;
    for (std::string* text :
         {&summary.body, &summary.body_structure, &summary.preview, &summary.message_id,
          &summary.subject, &summary.from, &summary.references}) {
        const std::string_view read = reader.view();
        const bool sorts =
            text == &summary.message_id || text == &summary.subject || text == &summary.references;
        if (sorts || !sorting) *text = read;
    }
    summary.sent_unix_ms = reader.signed_number();
    const std::int64_t zone = reader.signed_number();
    if (zone < -24L * 60 || zone > 24L * 60) return std::nullopt;
    summary.sent_zone_minutes = static_cast<std::int16_t>(zone);
    if (sorting) return reader.ok() ? std::move(out) : std::nullopt;
    for (std::uint64_t left = reader.number(); left > 0 && reader.ok(); --left) {
        summary.parts.push_back(reader.part());
    }
    if (!reader.ok() || !reader.at_end()) return std::nullopt;
    return out;
}

std::optional<std::int64_t> sent_in_summary(std::string_view bytes) {
    Reader reader(bytes);
    if (reader.byte() != static_cast<unsigned>(version)) return std::nullopt;
    for (std::size_t i = 0; i < texts_before_sent; ++i) reader.view();
    const std::int64_t sent = reader.signed_number();
    return reader.ok() ? std::optional(sent) : std::nullopt;
}

}  // namespace postern::mime

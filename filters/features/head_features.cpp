#include "filters/features/ascii.h"
#include "filters/features/feature_sources.h"
#include "filters/features/seen_table.h"
#include "protocols/base/hash.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace postern::filters {

namespace {

constexpr std::size_t max_gram_header_bytes = 2500;
constexpr std::size_t max_gram_field_bytes = 160;
constexpr std::size_t max_gram_source_bytes = 2500;
constexpr std::uint32_t gram_multiplier = 0x9E3779B1u;
constexpr std::size_t max_shape_bytes = 40;

static_assert(max_gram_header_bytes + max_gram_source_bytes <= SeenTable::max_numbers);

// White space is one blank: folds and the line ends of an encoding leave no trace. What has only
// blanks is copied in runs; elsewhere there is no branch on what a character is, since nobody can
// foretell where words end.
void append_collapsed(std::string_view text, std::size_t room, std::string& out) {
    const std::size_t begin = out.size();
    const std::size_t limit = begin + room;
    std::size_t at = 0;
    while (at < text.size() && is_space(text[at])) ++at;
    bool blank = at > 0 && begin > 0 && out.back() != '\n';
    // What would be over by the blank counts as room, as it does for a single character.
    out.resize(begin + std::min(room, text.size()) + 2);
    const char* from = text.data();
    char* to = out.data();
    std::size_t size = begin;
    while (at < text.size() && size < limit) {
        if (!blank && at + plain_run < text.size() && size + plain_run + 2 <= limit &&
            is_plain_run(from + at)) {
            std::memcpy(to + size, from + at, plain_run);
            at += plain_run;
            size += plain_run;
            continue;
        }
        for (const std::size_t end = std::min(at + plain_run, text.size());
             at < end && size < limit; ++at) {
            const bool space = is_space(from[at]);
            to[size] = ' ';
            size += static_cast<std::size_t>(blank & !space);
            to[size] = from[at];
            size += static_cast<std::size_t>(!space);
            blank = space;
        }
    }
    out.resize(size);
}

void read_head_text(const Content& content, std::string& head) {
    head.clear();
    head.reserve(max_gram_header_bytes + max_gram_source_bytes + max_gram_field_bytes);
    for (const HeaderText& field : content.headers) {
        if (head.size() >= max_gram_header_bytes) break;
        if (!field.is_feature) continue;
        append_lower(field.name.substr(0, max_gram_field_bytes), head);
        head += ':';
        append_collapsed(field.value, max_gram_field_bytes, head);
        head += '\n';
    }
    head.resize(std::min(head.size(), max_gram_header_bytes));
    head += '\n';
    append_collapsed(content.source, max_gram_source_bytes, head);
}

bool is_own_received(const HeaderText& field) {
    return equals_nocase(field.name, "received") &&
           field.value.find(" (Postern) with ") != std::string::npos;
}

}  // namespace

bool is_feature_field(const HeaderText& field) {
    return !is_delivery_field(field.name) && !is_own_received(field) &&
           !equals_nocase(field.name, "content-transfer-encoding");
}

void head_grams(const Content& content, std::vector<std::uint32_t>& grams,
                const ModelPlaces& places) {
    thread_local std::string head;  // its memory is for the next one
    read_head_text(content, head);
    std::array<std::uint32_t, max_grams + 1> found;
    std::size_t count = 0;
    SeenTable seen;
    for (std::size_t i = 0; i + 4 <= head.size() && count < max_grams; ++i) {
        std::uint32_t gram = 0;
        std::memcpy(&gram, head.data() + i, 4);
        const std::uint32_t key = gram == 0 ? 1 : gram;  // 0: a free place
        places.fetch_gram(key);
        found.data()[count] = key;  // stays where it is new
        count += seen.insert(key, key * gram_multiplier >> 18) ? 1 : 0;
    }
    grams.assign(found.data(), found.data() + count);
}

Id128 content_digest(const Content& content) {
    std::uint64_t low = 0x243F6A8885A308D3ull;
    std::uint64_t high = 0x13198A2E03707344ull;
    const auto take = [&](std::string_view text) {
        low = hash64(text, low);
        high = hash64(text, high);
    };
    thread_local std::string value;  // its memory is for the next one
    for (const HeaderText& field : content.headers) {
        if (!field.is_feature) continue;
        value.clear();
        append_lower(field.name, value);
        take(value);
        value.clear();
        append_collapsed(field.value, max_header_value_bytes, value);
        take(value);
    }
    value.clear();
    append_collapsed(content.text, max_content_text_bytes, value);
    take(value);
    for (const std::string& type : content.types) take(type);
    for (const Attachment& each : content.attachments) take(each.name);
    Id128 digest;
    for (std::size_t i = 0; i < 8; ++i) {
        digest.bytes[i] = static_cast<std::uint8_t>(low >> (8 * i));
        digest.bytes[8 + i] = static_cast<std::uint8_t>(high >> (8 * i));
    }
    return digest;
}

std::string shape_of(std::string_view text) {
    std::string shape;
    for (const char c : text) {
        const char kind = is_digit(c)                             ? '0'
                          : c >= 'A' && c <= 'Z'                  ? 'A'
                          : is_alpha(c)                           ? 'a'
                          : static_cast<unsigned char>(c) >= 0x80 ? '~'
                          : is_space(c)                           ? ' '
                                                                  : c;
        if (shape.empty() || shape.back() != kind) shape += kind;
        if (shape.size() >= max_shape_bytes) break;
    }
    return shape;
}

std::string step_of(std::size_t count) {
    std::size_t step = 1;
    if (count == 0) return "0";
    while (step * 2 <= count) step *= 2;
    return std::to_string(step);
}

}  // namespace postern::filters

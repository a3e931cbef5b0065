#include "gateway/imap_service/search_message.h"

#include "gateway/imap_service/search.h"
#include "protocols/mime/date.h"
#include "protocols/mime/decode.h"
#include "protocols/mime/fold_case.h"
#include "protocols/mime/header.h"
#include "protocols/mime/html.h"

#include <algorithm>
#include <utility>

namespace postern::imap_service {

namespace {

constexpr std::uint64_t first_header_read_bytes = 64 * 1024;

bool contains(std::string_view text, std::string_view needle) {
    return text.find(needle) != std::string_view::npos;
}

std::string decoded_value(const mime::HeaderField& field, std::string_view whole) {
    return mime::fold_case(mime::decode_words(mime::unfold(field.value.of(whole))));
}

// The date is the envelope's first element; nullopt: it is not a plain quoted string.
std::optional<std::string> envelope_date(std::string_view envelope) {
    if (!envelope.starts_with("(\"")) return std::nullopt;
    std::string date;
    for (std::size_t i = 2; i < envelope.size(); ++i) {
        if (envelope[i] == '"') return date;
        if (envelope[i] == '\\' && ++i == envelope.size()) break;
        date.push_back(envelope[i]);
    }
    return std::nullopt;
}

void add_text(const mime::Part& part, std::string_view whole, std::size_t& room,
              std::vector<std::string>& out) {
    const auto text = mime::decoded_text(part, whole, room);
    room -= std::min(room, text.size());
    if (part.subtype == "html") {
        // A phrase that a reader sees unbroken may be cut by tags in the source, and a link's
        // address is only there: both are searched.
        out.push_back(mime::fold_case(mime::extract_html(text, max_search_text_bytes).text));
    }
    out.push_back(mime::fold_case(text));
}

}  // namespace

bool SearchMessage::read(std::uint64_t length) {
    length = std::min({length, row_.size, max_search_read_bytes});
    if (failed_) return false;
    if (bytes_.size() >= length) return true;
    auto got = store_.read(row_.blob, bytes_.size(), length - bytes_.size());
    if (!got) {
        failed_ = got.error();
        return false;
    }
    if (bytes_.empty()) {
        bytes_ = std::move(*got);
    } else {
        bytes_ += *got;
    }
    return true;
}

const std::optional<mime::Summary>& SearchMessage::summary() {
    if (!std::exchange(summary_known_, true)) summary_ = mime::decode_summary(row_.summary);
    return summary_;
}

std::optional<std::int64_t> SearchMessage::sent_day() {
    std::optional<std::string> date;
    if (summary()) {
        if (summary_->sent_unix_ms == 0) return std::nullopt;
        date = envelope_date(summary_->envelope);
    }
    if (!date) {
        const auto& fields = header();
        const auto field = std::find_if(fields.begin(), fields.end(),
                                        [](const Field& each) { return each.name == "date"; });
        if (field == fields.end()) return std::nullopt;
        date = field->value;
    }
    const auto parsed = mime::parse_date(*date);
    if (!parsed) return std::nullopt;
    return parsed->written_day();
}

const std::vector<SearchMessage::Field>& SearchMessage::header() {
    if (header_) return *header_;
    header_.emplace();
    std::uint64_t length = first_header_read_bytes;
    if (summary() && !summary_->parts.empty()) length = summary_->parts.front().header.end;
    if (!read(length)) return *header_;
    auto parsed = mime::parse(bytes_);
    if (parsed.parts.front().header.end == bytes_.size() && bytes_.size() < row_.size &&
        read(mime::max_header_bytes)) {
        parsed = mime::parse(bytes_);
    }
    for (const auto& field : parsed.parts.front().fields) {
        header_->push_back({mime::fold_case(field.name.of(bytes_)), decoded_value(field, bytes_)});
    }
    return *header_;
}

const std::vector<std::string>& SearchMessage::body() {
    if (body_) return *body_;
    body_.emplace();
    if (!read(row_.size)) return *body_;
    const auto parsed = mime::parse(bytes_);
    std::size_t room = max_search_text_bytes;
    for (std::size_t i = 0; i < parsed.parts.size() && room > 0; ++i) {
        const auto& part = parsed.parts[i];
        // Headers of inner parts are the message's body: attachments are found by their names.
        for (const auto& field : part.fields) {
            if (i == 0) break;
            body_->push_back(mime::fold_case(field.name.of(bytes_)) + ": " +
                             decoded_value(field, bytes_));
        }
        const bool text = part.type == "text" || part.is_message();
        if (part.children.empty() && text) add_text(part, bytes_, room, *body_);
    }
    return *body_;
}

bool SearchMessage::header_contains(std::string_view name, std::string_view needle) {
    const auto& fields = header();
    return std::any_of(fields.begin(), fields.end(), [&](const Field& field) {
        return field.name == name && contains(field.value, needle);
    });
}

bool SearchMessage::any_header_contains(std::string_view needle) {
    const auto& fields = header();
    return std::any_of(fields.begin(), fields.end(), [&](const Field& field) {
        return contains(field.name + ": " + field.value, needle);
    });
}

bool SearchMessage::body_contains(std::string_view needle) {
    const auto& texts = body();
    return std::any_of(texts.begin(), texts.end(),
                       [&](const std::string& text) { return contains(text, needle); });
}

}  // namespace postern::imap_service

#include "gateway/imap_service/search_message.h"

#include "gateway/search_index/message_text.h"
#include "protocols/mime/date.h"

#include <algorithm>
#include <utility>

namespace postern::imap_service {

namespace {

constexpr std::uint64_t first_header_read_bytes = 64 * 1024;

bool contains(std::string_view text, std::string_view needle) {
    return text.find(needle) != std::string_view::npos;
}

std::size_t occurrences(std::string_view text, std::string_view needle) {
    std::size_t count = 0;
    for (auto at = text.find(needle); at != std::string_view::npos;
         at = text.find(needle, at + needle.size())) {
        ++count;
    }
    return count;
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

}  // namespace

bool SearchMessage::read(std::uint64_t length) {
    length = std::min({length, row_.size, search_index::max_read_bytes});
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
                                        [](const auto& each) { return each.name == "date"; });
        if (field == fields.end()) return std::nullopt;
        date = field->value;
    }
    const auto parsed = mime::parse_date(*date);
    if (!parsed) return std::nullopt;
    return parsed->written_day();
}

const std::vector<fulltext::HeaderField>& SearchMessage::header() {
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
    header_ = search_index::header_text(parsed, bytes_);
    return *header_;
}

const std::vector<std::string>& SearchMessage::body() {
    if (body_) return *body_;
    body_.emplace();
    if (!read(row_.size)) return *body_;
    body_ = search_index::body_text(mime::parse(bytes_), bytes_);
    return *body_;
}

bool SearchMessage::header_contains(std::string_view name, std::string_view needle) {
    const auto& fields = header();
    return std::any_of(fields.begin(), fields.end(), [&](const fulltext::HeaderField& field) {
        return field.name == name && contains(field.value, needle);
    });
}

bool SearchMessage::any_header_contains(std::string_view needle) {
    const auto& fields = header();
    return std::any_of(fields.begin(), fields.end(), [&](const fulltext::HeaderField& field) {
        return contains(field.name + ": " + field.value, needle);
    });
}

std::size_t SearchMessage::count_in_body(std::string_view needle) {
    std::size_t count = 0;
    for (const auto& text : body()) count += occurrences(text, needle);
    return count;
}

std::size_t SearchMessage::count_in_header(std::string_view name, std::string_view needle) {
    std::size_t count = 0;
    for (const auto& field : header()) {
        if (field.name == name) count += occurrences(field.value, needle);
    }
    return count;
}

bool SearchMessage::body_contains(std::string_view needle) {
    const auto& texts = body();
    return std::any_of(texts.begin(), texts.end(),
                       [&](const std::string& text) { return contains(text, needle); });
}

}  // namespace postern::imap_service

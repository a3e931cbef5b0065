#include "filters/checks/check.h"
#include "filters/features/ascii.h"
#include "protocols/mime/date.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

namespace postern::filters {

namespace {

constexpr std::int64_t hour_seconds = 3600;
constexpr std::int64_t max_early_seconds = 12 * hour_seconds;     // Date after the first hop
constexpr std::int64_t max_late_seconds = 7 * 24 * hour_seconds;  // Date before the first hop
constexpr std::size_t min_shouted_subject_letters = 8;
constexpr unsigned min_gap_spaces = 6;

Finding missing(const CheckInput& input, std::string_view field) {
    const HeaderText* found = input.content.find(field);
    if (found != nullptr && !trim(found->value).empty()) return std::nullopt;
    return found == nullptr ? "no such field" : "the field is empty";
}

Finding missing_date(const CheckInput& input) {
    return missing(input, "Date");
}
Finding missing_from(const CheckInput& input) {
    return missing(input, "From");
}
Finding missing_subject(const CheckInput& input) {
    return missing(input, "Subject");
}
Finding missing_message_id(const CheckInput& input) {
    return missing(input, "Message-ID");
}

Finding missing_recipients(const CheckInput& input) {
    for (const char* field : {"To", "Cc", "Resent-To", "Newsgroups", "Apparently-To"}) {
        if (!missing(input, field)) return std::nullopt;
    }
    return "neither To nor Cc";
}

Finding bad_message_id(const CheckInput& input) {
    const std::string_view id = trim(input.content.value("Message-ID"));
    if (id.empty()) return std::nullopt;
    const std::size_t at = id.find('@');
    const bool good = id.front() == '<' && id.back() == '>' && at != std::string_view::npos &&
                      at > 1 && at + 2 < id.size();
    return good ? Finding() : std::string(id);
}

Finding invalid_date(const CheckInput& input) {
    const std::string_view date = trim(input.content.value("Date"));
    if (date.empty() || mime::parse_date(date)) return std::nullopt;
    return std::string(date);
}

// The first hop's stamp: the last Received field's, so that old mail is not old news.
std::optional<std::int64_t> first_hop_seconds(const Content& content) {
    for (auto field = content.headers.rbegin(); field != content.headers.rend(); ++field) {
        if (!equals_nocase(field->name, "Received")) continue;
        const std::size_t semicolon = field->value.rfind(';');
        if (semicolon == std::string::npos) return std::nullopt;
        const auto date = mime::parse_date(std::string_view(field->value).substr(semicolon + 1));
        if (!date) return std::nullopt;
        return date->unix_seconds;
    }
    return std::nullopt;
}

// How long before its first hop a message says it was written.
std::optional<std::int64_t> age_at_first_hop(const CheckInput& input) {
    const auto hop = first_hop_seconds(input.content);
    const auto date = mime::parse_date(input.content.value("Date"));
    if (!hop || !date) return std::nullopt;
    return *hop - date->unix_seconds;
}

Finding date_in_future(const CheckInput& input) {
    const auto age = age_at_first_hop(input);
    if (!age || *age >= -max_early_seconds) return std::nullopt;
    return std::to_string(-*age / hour_seconds) + " hours after it was received";
}

Finding date_in_past(const CheckInput& input) {
    const auto age = age_at_first_hop(input);
    if (!age || *age <= max_late_seconds) return std::nullopt;
    return std::to_string(*age / hour_seconds) + " hours before it was received";
}

Finding subject_all_caps(const CheckInput& input) {
    const std::string_view subject = input.content.value("Subject");
    const auto letters = std::count_if(subject.begin(), subject.end(), is_alpha);
    const auto capitals = std::count_if(subject.begin(), subject.end(), is_upper);
    if (letters < static_cast<long>(min_shouted_subject_letters) || capitals != letters)
        return std::nullopt;
    if (subject.find(' ') == std::string_view::npos) return std::nullopt;
    return std::string(subject);
}

// "Cheap loans      qzxvk": a tail that makes each copy differ, pushed out of sight.
Finding subject_gap(const CheckInput& input) {
    const std::string_view subject = trim(input.content.value("Subject"));
    const std::string gap(min_gap_spaces, ' ');
    const std::size_t at = subject.find(gap);
    return at == std::string_view::npos ? Finding() : std::string(subject);
}

Finding duplicate_field(const CheckInput& input) {
    for (const char* field : {"From", "Subject", "Date", "To", "Message-ID"}) {
        const std::size_t count = input.content.count(field);
        if (count > 1) return std::string(field) + " stands " + std::to_string(count) + " times";
    }
    return std::nullopt;
}

Finding raw_8bit_header(const CheckInput& input) {
    if (!input.scan.parsed.has(mime::Defect::raw_8bit_header)) return std::nullopt;
    return "8-bit bytes in a header field";
}

}  // namespace

std::vector<Check> header_checks() {
    return {
        {"MISSING_DATE", "headers", "No Date field", 1.2, missing_date},
        {"MISSING_FROM", "headers", "No From field", 1.5, missing_from},
        {"MISSING_SUBJECT", "headers", "No Subject, or an empty one", 0.6, missing_subject},
        {"MISSING_MESSAGE_ID", "headers", "No Message-ID field", 0.8, missing_message_id},
        {"MISSING_RECIPIENTS", "headers", "Addressed to nobody", 0.8, missing_recipients},
        {"BAD_MESSAGE_ID", "headers", "Message-ID is not <left@right>", 0.8, bad_message_id},
        {"INVALID_DATE", "headers", "The Date field is no date", 1.0, invalid_date},
        {"DATE_IN_FUTURE", "headers", "Dated long after its first hop received it", 1.5,
         date_in_future},
        {"DATE_IN_PAST", "headers", "Dated a week or more before its first hop", 0.8, date_in_past},
        {"SUBJECT_ALL_CAPS", "headers", "The subject is all capitals", 0.8, subject_all_caps},
        {"SUBJECT_GAP", "headers", "A wide gap in the subject, before a tail", 1.5, subject_gap},
        {"DUPLICATE_FIELD", "headers", "A field that may stand only once stands twice", 0.8,
         duplicate_field},
        {"RAW_8BIT_HEADER", "headers", "8-bit bytes in the header without an encoding", 0.4,
         raw_8bit_header},
    };
}

}  // namespace postern::filters

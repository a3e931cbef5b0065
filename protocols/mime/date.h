// Dates of mail: RFC 5322 section 3.3 with obsolete forms, and IMAP's (RFC 9051 date-time).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::mime {

struct DateTime {
    std::int64_t unix_seconds = 0;
    int zone_minutes = 0;  // east of UTC; unix_seconds is UTC already
    bool operator==(const DateTime&) const = default;
    // Days since 1970-01-01 of the date as written, its zone disregarded.
    std::int64_t written_day() const;
};

// Tolerant: day name, seconds and zone may miss, two-digit years, zone names, comments, ISO 8601
// and asctime order. Years 1900 to 9999.
std::optional<DateTime> parse_date(std::string_view text);
// "17-Jul-1996 02:44:25 -0700" exactly, without quotes; a one-digit day may have a leading space.
std::optional<DateTime> parse_imap_date(std::string_view text);

std::string format_rfc5322(const DateTime& date);  // "Wed, 17 Jul 1996 02:44:25 -0700"
std::string format_imap(const DateTime& date);     // "17-Jul-1996 02:44:25 -0700"

}  // namespace postern::mime

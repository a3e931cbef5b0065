#include "protocols/imap/dates.h"

#include "protocols/wire/text.h"

#include <algorithm>
#include <chrono>

namespace postern::imap {
namespace {

constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

std::optional<int> fixed_number(std::string_view text, std::size_t at, std::size_t digits) {
    if (at + digits > text.size()) return std::nullopt;
    int value = 0;
    for (const char c : text.substr(at, digits)) {
        if (!wire::is_digit(c)) return std::nullopt;
        value = value * 10 + (c - '0');
    }
    return value;
}

// "-Feb-1994" and a day.
std::optional<std::chrono::sys_days> make_day(int day, std::string_view month_and_year) {
    if (month_and_year.size() != 9 || month_and_year[0] != '-' || month_and_year[4] != '-') {
        return std::nullopt;
    }
    const auto year = fixed_number(month_and_year, 5, 4);
    if (!year) return std::nullopt;
    for (unsigned month = 1; month <= 12; ++month) {
        if (!wire::equals_ignoring_case(month_and_year.substr(1, 3), months[month - 1])) continue;
        const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(month),
                                               std::chrono::day(static_cast<unsigned>(day))};
        if (!date.ok()) return std::nullopt;
        return std::chrono::sys_days(date);
    }
    return std::nullopt;
}

// "hh:mm:ss" within a day; a leap second counts as the one before it.
std::optional<std::chrono::seconds> parse_clock(std::string_view text) {
    const auto hour = fixed_number(text, 0, 2);
    const auto minute = fixed_number(text, 3, 2);
    const auto second = fixed_number(text, 6, 2);
    if (!hour || !minute || !second || text[2] != ':' || text[5] != ':') return std::nullopt;
    if (*hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
    return std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
           std::chrono::seconds(*second == 60 ? 59 : *second);
}

}  // namespace

std::optional<std::int64_t> parse_date(Lexer& lexer) {
    Lexer ahead = lexer;
    const bool quoted = ahead.skip('"');
    const std::string_view text = ahead.rest();
    const std::size_t digits = text.size() > 1 && wire::is_digit(text[1]) ? 2 : 1;
    const auto day = fixed_number(text, 0, digits);
    if (!day || text.size() < digits + 9) return std::nullopt;
    const auto date = make_day(*day, text.substr(digits, 9));
    if (!date) return std::nullopt;
    for (std::size_t i = 0; i < digits + 9; ++i) ahead.skip(text[i]);
    if (quoted && !ahead.skip('"')) return std::nullopt;
    lexer = ahead;
    return date->time_since_epoch().count();
}

std::optional<Time> parse_date_time(std::string_view text) {
    if (text.size() != 26 || text[11] != ' ' || text[20] != ' ') return std::nullopt;
    const auto day = text[0] == ' ' ? fixed_number(text, 1, 1) : fixed_number(text, 0, 2);
    if (!day) return std::nullopt;
    const auto date = make_day(*day, text.substr(2, 9));
    const auto clock = parse_clock(text.substr(12, 8));
    const auto zone_hours = fixed_number(text, 22, 2);
    const auto zone_minutes = fixed_number(text, 24, 2);
    if (!date || !clock || !zone_hours || !zone_minutes || *zone_minutes > 59) return std::nullopt;
    if (text[21] != '+' && text[21] != '-') return std::nullopt;
    const auto zone = std::chrono::hours(*zone_hours) + std::chrono::minutes(*zone_minutes);
    return Time(*date) + *clock - (text[21] == '+' ? zone : -zone);
}

std::string format_date_time(Time time) {
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss clock{std::chrono::floor<std::chrono::seconds>(time - day)};
    // Lists ask for it of each message, so it is put together by hand.
    std::string text = "\"dd-Mon-yyyy hh:mm:ss +0000\"";
    const auto put = [&](std::size_t at, std::size_t digits, std::int64_t value) {
        for (; digits > 0; value /= 10) {
            text[at + --digits] = static_cast<char>('0' + value % 10);
        }
    };
    const auto day_of_month = static_cast<unsigned>(date.day());
    put(1, 2, day_of_month);
    if (day_of_month < 10) text[1] = ' ';
    text.replace(4, 3, months[static_cast<unsigned>(date.month()) - 1]);
    put(8, 4, std::clamp(static_cast<int>(date.year()), 0, 9999));
    put(13, 2, clock.hours().count());
    put(16, 2, clock.minutes().count());
    put(19, 2, clock.seconds().count());
    return text;
}

}  // namespace postern::imap

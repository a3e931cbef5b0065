#include "protocols/mime/date.h"

#include "protocols/mime/lexer.h"

#include <array>
#include <chrono>
#include <cstdio>

namespace postern::mime {
namespace {

constexpr std::int64_t seconds_per_day = 86'400;
constexpr int max_zone_minutes = 24 * 60 - 1;

constexpr std::array<std::string_view, 12> months = {"jan", "feb", "mar", "apr", "may", "jun",
                                                     "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> week_days = {"Sun", "Mon", "Tue", "Wed",
                                                       "Thu", "Fri", "Sat"};

struct ZoneName {
    std::string_view name;
    int minutes;
};
// RFC 5322 section 4.3, and those that mail is full of. Any other name counts as UTC.
constexpr ZoneName zones[] = {
    {"est", -300}, {"edt", -240}, {"cst", -360}, {"cdt", -300}, {"mst", -420}, {"mdt", -360},
    {"pst", -480}, {"pdt", -420}, {"bst", 60},   {"cet", 60},   {"met", 60},   {"mez", 60},
    {"cest", 120}, {"mest", 120}, {"eet", 120},  {"eest", 180}, {"msk", 180},  {"ist", 330},
    {"jst", 540},  {"kst", 540},  {"aest", 600}, {"aedt", 660}, {"nzst", 720},
};

struct Fields {
    int year = -1, month = -1, day = -1, hour = -1, minute = 0, second = 0;
    std::optional<int> zone;
};

std::optional<DateTime> assemble(const Fields& f) {
    using namespace std::chrono;
    const year_month_day date{year(f.year), month(static_cast<unsigned>(f.month)),
                              day(static_cast<unsigned>(f.day))};
    const bool time_ok = f.hour >= 0 && f.hour < 24 && f.minute >= 0 && f.minute < 60 &&
                         f.second >= 0 && f.second <= 60;
    if (f.year < 1900 || f.year > 9999 || !date.ok() || !time_ok) return std::nullopt;
    const std::int64_t days = sys_days(date).time_since_epoch().count();
    const int zone = f.zone.value_or(0);
    const std::int64_t local =
        days * seconds_per_day + f.hour * 3600LL + f.minute * 60LL + f.second;
    return DateTime{local - zone * 60LL, zone};
}

int month_of(std::string_view word) {
    if (word.size() < 3) return -1;
    const std::string start = lower_case(word.substr(0, 3));
    for (std::size_t i = 0; i < months.size(); ++i) {
        if (months[i] == start) return static_cast<int>(i) + 1;
    }
    return -1;
}

int expand_year(int year, std::size_t digits) {
    if (digits == 2) return year < 50 ? year + 2000 : year + 1900;
    // "102" and "0102" are 2002 of a clock that counts from 1900.
    return digits == 3 || (year >= 100 && year < 200) ? year + 1900 : year;
}

int zone_minutes(int hours, int minutes, bool negative) {
    const int total = hours * 60 + minutes;
    if (total > max_zone_minutes || minutes > 59) return 0;
    return negative ? -total : total;
}

class DateParser {
public:
    explicit DateParser(std::string_view text) : text_(text) {}

    std::optional<DateTime> run() {
        while (at_ < text_.size()) {
            at_ = skip_cfws(text_, at_);
            if (at_ >= text_.size()) break;
            const char c = text_[at_];
            if (is_digit(c)) {
                if (!take_number()) return std::nullopt;
            } else if (is_alpha(c)) {
                take_word();
            } else if ((c == '+' || c == '-') && has_time() && peek_digit(1)) {
                take_offset();
            } else {
                ++at_;
            }
        }
        if (!has_time()) fields_.hour = 0;
        return assemble(fields_);
    }

private:
    bool has_time() const { return fields_.hour >= 0; }
    bool peek_digit(std::size_t ahead) const {
        return at_ + ahead < text_.size() && is_digit(text_[at_ + ahead]);
    }
    bool peek(char c) const { return at_ < text_.size() && text_[at_] == c; }

    // -1: none, or too long to be part of a date.
    int number(std::size_t& digits) {
        int value = 0;
        for (digits = 0; peek_digit(0); ++digits, ++at_) {
            if (digits < 6) value = value * 10 + (text_[at_] - '0');
        }
        return digits == 0 || digits > 6 ? -1 : value;
    }

    bool take_number() {
        std::size_t digits = 0;
        const int value = number(digits);
        if (value < 0) return false;
        if (!has_time() && (peek(':') || (peek('.') && peek_digit(1) && fields_.day > 0))) {
            take_time(value, text_[at_]);
        } else if (digits == 4 && fields_.year < 0 && fields_.month < 0 && peek('-')) {
            return take_iso_date(value);
        } else if (fields_.day < 0 && digits <= 2) {
            fields_.day = value;
        } else if (fields_.year < 0 && digits >= 2 && digits <= 4) {
            fields_.year = expand_year(value, digits);
        }
        return true;
    }

    void take_time(int hour, char separator) {
        std::size_t digits = 0;
        fields_.hour = hour;
        ++at_;
        fields_.minute = number(digits);
        if (peek(separator) && peek_digit(1)) {
            ++at_;
            fields_.second = number(digits);
        }
        if (peek('.') && peek_digit(1)) {
            ++at_;
            number(digits);
        }
    }

    bool take_iso_date(int year) {
        std::size_t digits = 0;
        fields_.year = year;
        ++at_;
        fields_.month = number(digits);
        if (!peek('-')) return false;
        ++at_;
        fields_.day = number(digits);
        if (peek('T') || peek('t')) ++at_;
        return true;
    }

    void take_word() {
        const std::size_t start = at_;
        while (at_ < text_.size() && is_alpha(text_[at_])) ++at_;
        const std::string_view word = text_.substr(start, at_ - start);
        const int month = month_of(word);
        if (!has_time()) {
            if (fields_.month < 0) fields_.month = month;
            return;
        }
        if (fields_.month < 0 && month > 0) {
            fields_.month = month;
        } else if (equals_ignoring_case(word, "pm") && fields_.hour < 12) {
            fields_.hour += 12;
        } else if (equals_ignoring_case(word, "am") && fields_.hour == 12) {
            fields_.hour = 0;
        } else if (!fields_.zone) {
            take_zone_name(word);
        }
    }

    void take_zone_name(std::string_view word) {
        for (const ZoneName& zone : zones) {
            if (equals_ignoring_case(zone.name, word)) fields_.zone = zone.minutes;
        }
    }

    void take_offset() {
        const bool negative = text_[at_++] == '-';
        std::size_t digits = 0;
        int value = number(digits);
        if (value < 0) return;
        int zone = 0;
        if (digits <= 2) {
            std::size_t minute_digits = 0;
            const bool colon = peek(':') && peek_digit(1);
            if (colon) ++at_;
            zone = zone_minutes(value, colon ? number(minute_digits) : 0, negative);
        } else {
            zone = zone_minutes(value / 100, value % 100, negative);
        }
        if (!fields_.zone) fields_.zone = zone;
    }

    std::string_view text_;
    std::size_t at_ = 0;
    Fields fields_;
};

struct Civil {
    std::chrono::year_month_day date;
    int week_day, hour, minute, second;
    char zone_sign;
    int zone_hour, zone_minute;
};

Civil to_civil(const DateTime& d) {
    using namespace std::chrono;
    const std::int64_t local = d.unix_seconds + d.zone_minutes * 60LL;
    const std::int64_t day = d.written_day();
    const int second = static_cast<int>(local - day * seconds_per_day);
    const sys_days date{days(day)};
    const int zone = d.zone_minutes < 0 ? -d.zone_minutes : d.zone_minutes;
    return {year_month_day(date),
            static_cast<int>(weekday(date).c_encoding()),
            second / 3600,
            second / 60 % 60,
            second % 60,
            d.zone_minutes < 0 ? '-' : '+',
            zone / 60,
            zone % 60};
}

std::string month_name(const Civil& civil) {
    std::string name(months[static_cast<unsigned>(civil.date.month()) - 1]);
    name[0] = static_cast<char>(name[0] - 32);
    return name;
}

bool digits_at(std::string_view text, std::size_t at, std::size_t count, int& value) {
    value = 0;
    for (std::size_t i = at; i < at + count; ++i) {
        if (!is_digit(text[i])) return false;
        value = value * 10 + (text[i] - '0');
    }
    return true;
}

}  // namespace

std::int64_t DateTime::written_day() const {
    const std::int64_t local = unix_seconds + zone_minutes * 60LL;
    return local >= 0 ? local / seconds_per_day
                      : -((-local + seconds_per_day - 1) / seconds_per_day);
}

std::optional<DateTime> parse_date(std::string_view text) {
    return DateParser(text).run();
}

std::optional<DateTime> parse_imap_date(std::string_view text) {
    constexpr std::string_view form = "dd-Mon-yyyy hh:mm:ss +zzzz";
    if (text.size() != form.size()) return std::nullopt;
    for (std::size_t i = 0; i < form.size(); ++i) {
        if (std::string_view("- :").find(form[i]) != std::string_view::npos && text[i] != form[i]) {
            return std::nullopt;
        }
    }
    Fields f;
    int zone = 0;
    const bool day_ok =
        text[0] == ' ' ? digits_at(text, 1, 1, f.day) : digits_at(text, 0, 2, f.day);
    f.month = month_of(text.substr(3, 3));
    if (!day_ok || f.month < 0 || !digits_at(text, 7, 4, f.year) ||
        !digits_at(text, 12, 2, f.hour) || !digits_at(text, 15, 2, f.minute) ||
        !digits_at(text, 18, 2, f.second) || !digits_at(text, 22, 4, zone) ||
        (text[21] != '+' && text[21] != '-')) {
        return std::nullopt;
    }
    if (zone % 100 > 59 || zone > 2359) return std::nullopt;
    f.zone = zone_minutes(zone / 100, zone % 100, text[21] == '-');
    return assemble(f);
}

std::string format_rfc5322(const DateTime& date) {
    const Civil c = to_civil(date);
    char out[64];
    const int size = std::snprintf(out, sizeof out, "%s, %u %s %04d %02d:%02d:%02d %c%02d%02d",
                                   week_days[static_cast<std::size_t>(c.week_day)].data(),
                                   static_cast<unsigned>(c.date.day()), month_name(c).c_str(),
                                   static_cast<int>(c.date.year()), c.hour, c.minute, c.second,
                                   c.zone_sign, c.zone_hour, c.zone_minute);
    return {out, static_cast<std::size_t>(size)};
}

std::string format_imap(const DateTime& date) {
    const Civil c = to_civil(date);
    char out[64];
    const int size = std::snprintf(out, sizeof out, "%2u-%s-%04d %02d:%02d:%02d %c%02d%02d",
                                   static_cast<unsigned>(c.date.day()), month_name(c).c_str(),
                                   static_cast<int>(c.date.year()), c.hour, c.minute, c.second,
                                   c.zone_sign, c.zone_hour, c.zone_minute);
    return {out, static_cast<std::size_t>(size)};
}

}  // namespace postern::mime

// The lines of a log that belong to some messages: first look_at() all of it, then gather().
#pragma once

#include "gateway/log/read.h"

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace postern::cli {

inline constexpr std::size_t max_traced_messages = 1000;
inline constexpr std::size_t max_traced_lines = 100'000;

class LogTrace {
public:
    // An id of 32 hex digits, a Message-ID with or without angle brackets, or an address; any case.
    explicit LogTrace(std::string_view what);

    void look_at(std::string_view line);
    void gather(std::string_view line);

    const std::vector<logging::Line>& lines() const { return lines_; }
    bool too_many() const { return too_many_; }

private:
    bool matches(const logging::Line& line) const;
    bool names(std::string_view list) const;

    std::string what_;
    std::set<std::string, std::less<>> ids_;
    std::set<std::string, std::less<>> sessions_;
    std::vector<logging::Line> lines_;
    bool too_many_ = false;
};

}  // namespace postern::cli

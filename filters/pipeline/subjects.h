// The pieces of a message that regex rules look at; what no rule looks at is not made.
#pragma once

#include "filters/features/content.h"
#include "filters/input.h"
#include "filters/patterns/matcher.h"

#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace postern::filters {

inline constexpr std::size_t max_part_fields = 400;  // of all parts together
inline constexpr std::size_t max_envelope_recipients = 100;

// Valid as long as all three arguments are.
class Subjects {
public:
    Subjects(const ScanInput& input, const Content& content, const Matcher& matcher);
    Subjects(const Subjects&) = delete;
    Subjects& operator=(const Subjects&) = delete;

    const std::vector<Subject>& all() const { return all_; }

private:
    void add_headers(const Content& content, const Matcher& matcher);
    void add_header(const HeaderText& header, Forms forms);
    void add_parts(const ScanInput& input, const Matcher& matcher);
    void add_envelope(const Connection& connection, const Matcher& matcher);
    std::string_view keep(std::string text);

    std::vector<Subject> all_;
    std::deque<std::string> owned_;
};

// A reader's text for patterns: the subject, then each paragraph on a line of its own. Runs of
// white space are one blank, so that a phrase is found however its lines are broken.
std::string paragraphs(std::string_view subject, std::string_view text);

}  // namespace postern::filters

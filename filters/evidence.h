// Short, printable quotations of a message, for the reasons of a report.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace postern::filters {

inline constexpr std::size_t max_evidence_bytes = 80;

// Valid UTF-8 without control characters: runs of white space and controls are one space, bytes
// that are no UTF-8 are U+FFFD, and what is longer than max_bytes is cut between characters and
// ends in "...".
std::string quote_evidence(std::string_view text, std::size_t max_bytes = max_evidence_bytes);

}  // namespace postern::filters

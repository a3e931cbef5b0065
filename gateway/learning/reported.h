// Which messages a user's report names: mail to filter.report_spam or filter.report_ham.
//
// Those attached to it (message/rfc822, message/global, or a file *.eml), at any depth but not
// within each other; without an attached one the report itself, when it was redirected (RFC 5322
// section 3.6.6). A text that only quotes a message is none: it is the user's own. Pure.
#pragma once

#include "gateway/learning/learn_log.h"
#include "protocols/base/result.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace postern::learning {

inline constexpr std::size_t max_reported_messages = 100;  // of one report

// The bytes of each, as far as the filter looks. Errors: not_found (none), limit (too many).
Result<std::vector<std::string>> reported_messages(std::string_view report);

// The same as jobs to learn. Computes, about a millisecond a message.
Result<std::vector<LearnJob>> jobs_of_report(std::string_view report, LearnAction action,
                                             const std::string& who, Time when);

}  // namespace postern::learning

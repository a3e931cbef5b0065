#include "protocols/imap/mailbox_name.h"

#include "protocols/mime/net_unicode.h"
#include "protocols/wire/text.h"

#include <algorithm>
#include <vector>

namespace postern::imap {
namespace {

constexpr std::string_view inbox = "INBOX";

bool is_inbox_or_below(std::string_view name) {
    return wire::starts_with_ignoring_case(name, inbox) &&
           (name.size() == inbox.size() || name[inbox.size()] == hierarchy_separator);
}

// Wildcards next to each other mean what the widest of them means.
std::string merged_wildcards(std::string_view pattern) {
    std::string out;
    for (const char c : pattern) {
        const bool after_wildcard = !out.empty() && (out.back() == '*' || out.back() == '%');
        if (after_wildcard && (c == '*' || c == '%')) {
            if (c == '*') out.back() = c;
        } else {
            out += c;
        }
    }
    return out;
}

}  // namespace

std::string canonical_name(std::string_view text) {
    std::string name = mime::compose(text);
    if (is_inbox_or_below(name)) std::copy(inbox.begin(), inbox.end(), name.begin());
    return name;
}

bool is_valid_new_name(std::string_view name) {
    if (name.empty() || name.front() == hierarchy_separator) return false;
    if (name.back() == hierarchy_separator) return false;
    if (name.find("//") != std::string_view::npos) return false;
    return name.find_first_of("*%") == std::string_view::npos && mime::is_net_unicode_line(name);
}

// One row of the classic table: reached[i] says whether the name so far can end before pattern[i].
bool matches_pattern(std::string_view name, std::string_view raw_pattern) {
    const std::string pattern = merged_wildcards(raw_pattern);
    const std::size_t folded = is_inbox_or_below(name) ? inbox.size() : 0;
    std::vector<char> reached(pattern.size() + 1, 0);
    const auto is_wildcard = [&](std::size_t i) {
        return i < pattern.size() && (pattern[i] == '*' || pattern[i] == '%');
    };
    reached[0] = 1;
    if (is_wildcard(0)) reached[1] = 1;
    for (std::size_t n = 0; n < name.size(); ++n) {
        const char c = name[n];
        std::vector<char> now(pattern.size() + 1, 0);
        for (std::size_t i = 0; i < pattern.size(); ++i) {
            if (!reached[i]) continue;
            if (is_wildcard(i)) {
                if (pattern[i] == '*' || c != hierarchy_separator) now[i] = now[i + 1] = 1;
            } else if (pattern[i] == c || (n < folded && wire::to_upper(pattern[i]) == c)) {
                now[i + 1] = 1;
                if (is_wildcard(i + 1)) now[i + 2] = 1;
            }
        }
        reached.swap(now);
    }
    return reached[pattern.size()] != 0;
}

}  // namespace postern::imap

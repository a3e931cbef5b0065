// Reverse-path and forward-path of MAIL and RCPT (RFC 5321 section 4.1.2, RFC 6531 section 3.3).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace postern::smtp {

// RFC 5321 section 4.5.3.1 asks for at least 64 and 255 and against limits where none are needed:
// bounce addresses of mailing lists go over 64.
inline constexpr std::size_t max_local_part_bytes = 255;
inline constexpr std::size_t max_domain_bytes = 255;
inline constexpr std::size_t max_domain_label_bytes = 63;

enum class PathError : std::uint8_t {
    syntax,
    non_ascii,  // needs SMTPUTF8, which was not asked for
    too_long,
};

struct Path {
    // "local@domain", "" for <>, "Postmaster" for <Postmaster>. A quoted local part is written
    // without quotes where it can be, so that one mailbox has one spelling; case is kept. A source
    // route is dropped.
    std::string address;
    std::string_view
        rest;  // what follows '>' (into the text given): empty or starting with a space
};

enum class PathKind : std::uint8_t { reverse, forward };

// text: what follows "FROM:" or "TO:"; spaces before '<' are taken, as peers do.
// Local parts with dots at odd places are taken as well: such mailboxes exist.
std::variant<Path, PathError> parse_path(std::string_view text, PathKind kind, bool utf8_allowed);

// A domain, or an address literal in brackets.
bool is_domain(std::string_view domain);

}  // namespace postern::smtp

// The grammar of RFC 3501 section 9: one whole command in, a command value or the reason why not
// out.
#pragma once

#include "protocols/imap/command.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace postern::imap {

// The states of RFC 3501 section 3, each of which allows what the ones before it allow, except that
// commands marked `not_authenticated` in the grammar are for that state alone.
enum class Phase : std::uint8_t { any, not_authenticated, authenticated, selected };

struct Rejection {
    bool bad = true;  // else NO
    std::string code;
    std::string text;
};

struct Command {
    std::string tag;  // "*": the line had none
    Phase needs = Phase::any;
    bool uid = false;  // a UID command: FETCH lines carry the UID
    // EXPUNGE may be told while it runs (RFC 3501 section 7.4.1).
    bool may_expunge = true;
    std::variant<Rejection, command::Any> what;
};

// text: as Framer gives it. Never fails: a bad command is a Rejection. Cost linear in text.
Command parse_command(std::string_view text);

// The tag alone, of any text; "*" when it has none.
std::string tag_of(std::string_view text);

// text: a command up to a literal. nullopt: this literal is not an APPEND's message.
struct AppendCommand {
    std::string tag;
    std::variant<Rejection, command::Append> what;
};
std::optional<AppendCommand> parse_append(std::string_view text);

}  // namespace postern::imap

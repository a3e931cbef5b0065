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

// What ENABLE changed about how commands are read.
struct Dialect {
    bool utf8 = false;       // mailbox names are UTF-8 (RFC 9755, RFC 9051), else modified UTF-7
    bool uid_only = false;   // no sequence numbers (RFC 9586)
    bool only_utf8 = false;  // SEARCH names no charset (RFC 9755)
};

struct Rejection {
    bool bad = true;  // else NO
    std::string code;
    std::string text;
    bool forgets_saved = false;  // a SEARCH RETURN (SAVE): "$" is empty now (RFC 5182 section 2.1)
};

struct Command {
    std::string tag;  // "*": the line had none
    Phase needs = Phase::any;
    bool uid = false;  // a UID command: FETCH lines carry the UID
    // EXPUNGE may be told while it runs (RFC 3501 section 7.4.1).
    bool may_expunge = true;
    // The last mailbox's name as it was given, where it is kept in another spelling.
    std::string respelled;
    std::variant<Rejection, command::Any> what;
};

// text: as Framer gives it. Never fails: a bad command is a Rejection. Cost linear in text.
Command parse_command(std::string_view text, const Dialect& dialect = {});

// The tag alone, of any text; "*" when it has none.
std::string tag_of(std::string_view text);

// text: APPEND or REPLACE up to its first literal or, with CATENATE, up to what follows the opening
// parenthesis, which is then left in `rest`. nullopt: this literal is not a message's.
struct AppendCommand {
    std::string tag;
    std::variant<Rejection, command::Append> what;
    std::string rest;
};
std::optional<AppendCommand> parse_append(std::string_view text, const Dialect& dialect = {});
// The same for a further message of one APPEND: text begins after the literal before. The tag and
// the mailbox's name are those of the first.
AppendCommand parse_append_next(std::string_view text);

// One step in the list of CATENATE (RFC 4469).
struct CatenateStep {
    enum class Kind : std::uint8_t { url, text, end, bad };
    Kind kind = Kind::bad;
    std::string url;
    bool literal8 = false;  // text: as one
    bool utf8 = false;      // text: a parenthesis closes it (RFC 9755)
    std::string_view rest;
};
// text: what follows the opening parenthesis or the part before. `text`: a literal was announced.
CatenateStep parse_catenate_step(std::string_view text, bool first);

// An IMAP URL relative to this server (RFC 5092): what CATENATE may name.
struct MessageUrl {
    std::string mailbox;  // UTF-8
    std::uint32_t uid_validity = 0;
    Uid uid = 0;
    FetchItem section;  // kind section, whole when no section is named
};
std::optional<MessageUrl> parse_message_url(std::string_view url);

}  // namespace postern::imap

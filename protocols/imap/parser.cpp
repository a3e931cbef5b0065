#include "protocols/imap/parser.h"

#include "protocols/imap/flag_text.h"
#include "protocols/imap/mailbox_name.h"
#include "protocols/wire/text.h"

#include <algorithm>
#include <limits>

namespace postern::imap {
namespace {

constexpr std::size_t max_flags_in_list = 1000;

}  // namespace

std::optional<std::string> Parser::space_astring(const char* what) {
    if (!space()) return std::nullopt;
    auto value = lexer.astring();
    if (!value) return fail(std::string(what) + " was expected");
    return value;
}

std::optional<std::string> Parser::mailbox_name(const std::string& raw) {
    const auto text = dialect.utf8 ? std::optional(raw) : decode_utf7(raw);
    if (!text) return refuse("CANNOT", "The mailbox name is not valid modified UTF-7");
    if (!wire::is_utf8(*text)) return refuse("CANNOT", "The mailbox name is not valid UTF-8");
    std::string name = canonical_name(*text);
    respelled = name == *text ? "" : *text;
    return name;
}

std::optional<std::string> Parser::space_mailbox() {
    const auto raw = space_astring("A mailbox name");
    if (!raw) return std::nullopt;
    return mailbox_name(*raw);
}

std::optional<ModSeq> Parser::space_modseq(const char* what) {
    if (!space()) return std::nullopt;
    const auto value = lexer.number64();
    // RFC 7162 section 7: a mod-sequence has 63 bits.
    if (!value || *value > std::numeric_limits<std::int64_t>::max()) {
        return fail(std::string(what) + " needs a mod-sequence");
    }
    return *value;
}

std::optional<std::string> Parser::space_new_mailbox() {
    auto name = space_mailbox();
    if (!name) return std::nullopt;
    // RFC 3501 section 6.3.3: a separator at the end only declares that there will be names below.
    if (name->size() > 1 && name->back() == hierarchy_separator) name->pop_back();
    if (!is_valid_new_name(*name)) return refuse("CANNOT", "No mailbox can have that name");
    return name;
}

std::optional<SequenceSet> Parser::space_sequence_set() {
    if (!space()) return std::nullopt;
    auto set = parse_sequence_set(lexer);
    if (!set) return fail("A sequence set of bounded length was expected");
    return set;
}

std::optional<Flags> Parser::flag_list() {
    Flags flags;
    if (!lexer.skip('(')) return fail("A flag list was expected");
    if (lexer.skip(')')) return flags;
    for (std::size_t count = 0; count < max_flags_in_list; ++count) {
        if (!parse_flag(lexer, flags)) return fail("This flag is not known");
        if (lexer.skip(')')) return flags;
        if (!space()) return std::nullopt;
    }
    return fail("There are too many flags");
}

std::optional<Flags> Parser::space_flags() {
    if (!space()) return std::nullopt;
    if (lexer.peek() == '(') return flag_list();
    Flags flags;
    for (std::size_t count = 0; count < max_flags_in_list; ++count) {
        if (!parse_flag(lexer, flags)) return fail("This flag is not known");
        if (!lexer.skip_space()) return flags;
    }
    return fail("There are too many flags");
}

std::optional<PartialRange> parse_partial_range(Parser& parser) {
    Lexer& lexer = parser.lexer;
    const bool from_end = lexer.skip('-');
    const auto first = lexer.nz_number();
    const bool colon = first && lexer.skip(':');
    const bool same_side = colon && lexer.skip('-') == from_end;
    const auto last = same_side ? lexer.nz_number() : std::nullopt;
    if (!last) return parser.fail("A range like 1:100 or -1:-100 was expected");
    const std::int64_t sign = from_end ? -1 : 1;
    return PartialRange{sign * std::min(*first, *last), sign * std::max(*first, *last)};
}

}  // namespace postern::imap

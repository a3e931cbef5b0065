#include "protocols/imap/parser.h"
#include "protocols/wire/text.h"

#include <algorithm>
#include <limits>

namespace postern::imap {
namespace {

using Kind = FetchItem::Kind;
using Text = FetchItem::Text;

constexpr std::size_t max_section_bytes = 400;  // room for the deepest part that mime keeps

struct PlainItem {
    std::string_view name;
    FetchItem::Kind kind;
};
constexpr PlainItem plain_items[] = {
    {"FLAGS", Kind::flags},      {"INTERNALDATE", Kind::internal_date},
    {"RFC822.SIZE", Kind::size}, {"ENVELOPE", Kind::envelope},
    {"UID", Kind::uid},          {"BODYSTRUCTURE", Kind::body_structure},
    {"MODSEQ", Kind::mod_seq},   {"SAVEDATE", Kind::save_date},
    {"EMAILID", Kind::email_id}, {"THREADID", Kind::thread_id},
};

struct SectionText {
    std::string_view name;
    FetchItem::Text text;
};
constexpr SectionText section_texts[] = {{"HEADER", Text::header},
                                         {"HEADER.FIELDS", Text::fields},
                                         {"HEADER.FIELDS.NOT", Text::fields_not},
                                         {"TEXT", Text::text},
                                         {"MIME", Text::mime}};

FetchItem plain(std::string label, Kind kind) {
    FetchItem item;
    item.kind = kind;
    item.label = std::move(label);
    return item;
}

FetchItem section(std::string label, Text text, bool peek) {
    FetchItem item = plain(std::move(label), Kind::section);
    item.text = text;
    item.peek = peek;
    return item;
}

bool expand_macro(Lexer& lexer, std::vector<FetchItem>& items) {
    const bool full = lexer.skip_word("FULL");
    const bool all = full || lexer.skip_word("ALL");
    if (!all && !lexer.skip_word("FAST")) return false;
    items = {plain("FLAGS", Kind::flags), plain("INTERNALDATE", Kind::internal_date),
             plain("RFC822.SIZE", Kind::size)};
    if (all) items.push_back(plain("ENVELOPE", Kind::envelope));
    if (full) items.push_back(plain("BODY", Kind::body));
    return true;
}

// The leading "1.2" of "1.2.HEADER"; what is left in rest. False: not a part number.
bool split_part(std::string_view& rest, std::string& part) {
    std::size_t at = 0;
    while (at < rest.size() && wire::is_digit(rest[at])) {
        std::size_t end = at;
        while (end < rest.size() && wire::is_digit(rest[end])) ++end;
        if (rest[at] == '0' || end - at > 9) return false;
        part = rest.substr(0, end);
        if (end == rest.size()) {
            at = end;
            break;
        }
        if (rest[end] != '.' || end + 1 == rest.size()) return false;
        at = end + 1;
    }
    rest.remove_prefix(at);
    return true;
}

// SP "(" field *(SP field) ")"
bool parse_field_names(Parser& parser, FetchItem& item) {
    if (!parser.space()) return false;
    if (!parser.lexer.skip('(')) {
        parser.fail("A list of header fields was expected");
        return false;
    }
    item.label += " (";
    do {
        const std::size_t before = parser.lexer.rest().size();
        const std::string_view raw = parser.lexer.rest();
        auto name = parser.lexer.astring();
        if (!name) {
            parser.fail("A header field name was expected");
            return false;
        }
        if (!item.fields.empty()) item.label += ' ';
        item.label += raw.substr(0, before - parser.lexer.rest().size());
        item.fields.push_back(std::move(*name));
    } while (parser.lexer.skip_space());
    item.label += ')';
    if (parser.lexer.skip(')')) return true;
    parser.fail("A closing parenthesis was expected");
    return false;
}

bool parse_partial(Parser& parser, FetchItem& item) {
    if (!parser.lexer.skip('<')) return true;
    const auto origin = parser.lexer.number();
    const bool dot = origin && parser.lexer.skip('.');
    // Some clients mean the rest by an origin alone.
    const auto all = std::optional(std::numeric_limits<std::uint32_t>::max());
    const auto size = dot ? parser.lexer.nz_number() : origin ? all : std::nullopt;
    if (!size || !parser.lexer.skip('>')) {
        parser.fail("<origin.size> was expected");
        return false;
    }
    item.partial = FetchItem::Partial{*origin, *size};
    item.label += '<' + std::to_string(*origin) + '>';
    return true;
}

// PREVIEW [SP "(" LAZY ")"] (RFC 8970). What is computed at delivery is never late.
std::optional<FetchItem> parse_preview(Parser& parser) {
    Lexer ahead = parser.lexer;
    if (ahead.skip_space() && ahead.skip('(')) {
        if (!ahead.skip_word("LAZY") || !ahead.skip(')')) {
            return parser.fail("This PREVIEW modifier is not known");
        }
        parser.lexer = ahead;
    }
    return plain("PREVIEW", Kind::preview);
}

std::optional<FetchItem> parse_binary(Parser& parser, std::string_view name) {
    const bool sizes = name == "BINARY.SIZE";
    FetchItem item = section(sizes ? "BINARY.SIZE[" : "BINARY[", Text::whole, name != "BINARY");
    item.kind = sizes ? Kind::binary_size : Kind::binary;
    if (!parser.lexer.skip('[')) return parser.fail("A section was expected");
    if (!parse_section(parser, item)) return std::nullopt;
    if (!sizes && !parse_partial(parser, item)) return std::nullopt;
    return item;
}

std::optional<FetchItem> parse_item(Parser& parser) {
    const std::string name = wire::upper_case(parser.lexer.dotted_word());
    for (const PlainItem& known : plain_items) {
        if (name == known.name) return plain(name, known.kind);
    }
    if (name == "RFC822") return section(name, Text::whole, false);
    if (name == "RFC822.HEADER") return section(name, Text::header, true);
    if (name == "RFC822.TEXT") return section(name, Text::text, false);
    if (name == "PREVIEW") return parse_preview(parser);
    if (name == "BINARY" || name == "BINARY.PEEK" || name == "BINARY.SIZE") {
        return parse_binary(parser, name);
    }
    if (name == "BODY" || name == "BODY.PEEK") {
        if (!parser.lexer.skip('[')) {
            if (name == "BODY") return plain(name, Kind::body);
            return parser.fail("BODY.PEEK needs a section");
        }
        FetchItem item = section("BODY[", Text::whole, name == "BODY.PEEK");
        if (!parse_section(parser, item) || !parse_partial(parser, item)) return std::nullopt;
        return item;
    }
    return parser.fail("This FETCH item is not known");
}

bool add_item(Parser& parser, std::vector<FetchItem>& items) {
    auto item = parse_item(parser);
    if (!item) return false;
    if (items.size() == max_fetch_items) {
        parser.fail("There are too many items");
        return false;
    }
    items.push_back(std::move(*item));
    return true;
}

// SP "(" modifiers ")" (RFC 4466, 7162, 9394).
bool parse_fetch_modifiers(Parser& parser, command::Fetch& out) {
    return parse_options(parser, [&](std::string_view word) {
        if (wire::equals_ignoring_case(word, "CHANGEDSINCE")) {
            out.changed_since = parser.space_modseq("CHANGEDSINCE");
            return out.changed_since.has_value();
        }
        if (wire::equals_ignoring_case(word, "VANISHED")) return out.vanished = true;
        if (!wire::equals_ignoring_case(word, "PARTIAL") || !parser.space()) return false;
        out.partial = parse_partial_range(parser);
        return out.partial.has_value();
    });
}

}  // namespace

bool parse_section(Parser& parser, FetchItem& item) {
    std::string_view rest = parser.lexer.dotted_word();
    const std::string whole = wire::upper_case(rest);
    bool known = rest.size() <= max_section_bytes && split_part(rest, item.part);
    if (known && !rest.empty()) {
        const auto* found = std::find_if(
            std::begin(section_texts), std::end(section_texts),
            [&](const SectionText& text) { return wire::equals_ignoring_case(text.name, rest); });
        known = found != std::end(section_texts);
        if (known) item.text = found->text;
        if (item.text == Text::mime && item.part.empty()) known = false;
    }
    if (!known) {
        parser.fail("This section is not known");
        return false;
    }
    item.label += whole;
    const bool decoded = item.kind != FetchItem::Kind::section;
    if (decoded && (!rest.empty() || item.text != Text::whole)) {
        parser.fail("BINARY takes a part number");
        return false;
    }
    const bool listed = item.text == Text::fields || item.text == Text::fields_not;
    if (listed && !parse_field_names(parser, item)) return false;
    item.label += ']';
    if (parser.lexer.skip(']')) return true;
    parser.fail("A closing bracket was expected");
    return false;
}

bool parse_fetch_list(Parser& parser, std::vector<FetchItem>& items) {
    if (!parser.lexer.skip('(')) {
        parser.fail("A list of FETCH items was expected");
        return false;
    }
    do {
        if (!add_item(parser, items)) return false;
    } while (parser.lexer.skip_space());
    if (parser.lexer.skip(')')) return true;
    parser.fail("A closing parenthesis was expected");
    return false;
}

MaybeCommand parse_fetch(Parser& parser, bool uid) {
    auto set = parser.space_sequence_set();
    if (!set || !parser.space()) return std::nullopt;
    command::Fetch out{std::move(*set), uid, {}, {}, false, {}};
    if (!expand_macro(parser.lexer, out.items)) {
        const bool known = parser.lexer.peek() == '(' ? parse_fetch_list(parser, out.items)
                                                      : add_item(parser, out.items);
        if (!known) return std::nullopt;
    }
    if (parser.lexer.skip_space() && !parse_fetch_modifiers(parser, out)) return std::nullopt;
    if (out.vanished && (!uid || !out.changed_since)) {
        return parser.fail("VANISHED needs UID FETCH and CHANGEDSINCE");
    }
    if (out.partial && !uid) return parser.fail("PARTIAL needs UID FETCH");
    return out;
}

MaybeCommand parse_store(Parser& parser, bool uid) {
    auto set = parser.space_sequence_set();
    if (!set || !parser.space()) return std::nullopt;
    command::Store out{std::move(*set), uid, FlagMode::replace, false, {}, {}};
    if (parser.lexer.peek() == '(') {
        const bool known = parse_options(parser, [&](std::string_view word) {
            if (!wire::equals_ignoring_case(word, "UNCHANGEDSINCE")) return false;
            out.unchanged_since = parser.space_modseq("UNCHANGEDSINCE");
            return out.unchanged_since.has_value();
        });
        if (!known || !parser.space()) return std::nullopt;
    }
    if (parser.lexer.skip('+')) {
        out.mode = FlagMode::add;
    } else if (parser.lexer.skip('-')) {
        out.mode = FlagMode::remove;
    }
    const std::string_view name = parser.lexer.dotted_word();
    out.silent = wire::equals_ignoring_case(name, "FLAGS.SILENT");
    if (!out.silent && !wire::equals_ignoring_case(name, "FLAGS")) {
        return parser.fail("FLAGS was expected");
    }
    auto flags = parser.space_flags();
    if (!flags) return std::nullopt;
    out.flags = std::move(*flags);
    return out;
}

MaybeCommand parse_copy(Parser& parser, bool uid) {
    auto set = parser.space_sequence_set();
    if (!set) return std::nullopt;
    auto to = parser.space_mailbox();
    if (!to) return std::nullopt;
    return command::Copy{std::move(*set), uid, std::move(*to), false};
}

MaybeCommand parse_move(Parser& parser, bool uid) {
    auto out = parse_copy(parser, uid);
    if (out) std::get<command::Copy>(*out).move = true;
    return out;
}

}  // namespace postern::imap

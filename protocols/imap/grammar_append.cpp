#include "protocols/imap/dates.h"
#include "protocols/imap/mailbox_name.h"
#include "protocols/imap/parser.h"
#include "protocols/wire/text.h"

#include <limits>

namespace postern::imap {
namespace {

// [flags SP] [date-time SP], then the literal, UTF8 or CATENATE.
bool parse_message_head(Parser& parser, command::Append& append) {
    Lexer& lexer = parser.lexer;
    if (lexer.peek() == '(') {
        auto flags = parser.flag_list();
        if (!flags || !parser.space()) return false;
        append.flags = std::move(*flags);
    }
    if (lexer.peek() == '"') {
        const auto date = lexer.string();
        append.internal_date = date ? parse_date_time(*date) : std::nullopt;
        if (!append.internal_date) parser.fail("The date is not valid");
        if (!append.internal_date || !parser.space()) return false;
    }
    if (lexer.skip_word("CATENATE")) {
        append.catenate = true;
        if (!parser.space()) return false;
        if (!lexer.skip('(')) parser.fail("A list of parts was expected");
        return parser.rejection.text.empty();
    }
    if (lexer.skip_word("UTF8")) {
        append.utf8 = true;
        if (!parser.space()) return false;
        if (!lexer.skip('(')) parser.fail("A parenthesis was expected");
        if (lexer.peek() != '~') parser.fail("A literal8 was expected");
    }
    append.literal8 = lexer.skip('~');
    if (!lexer.at_end()) parser.fail("A message literal was expected");
    return lexer.at_end() && parser.rejection.text.empty();
}

bool parse_replaced(Parser& parser, command::Append& append) {
    auto set = parser.space_sequence_set();
    if (!set) return false;
    if (!set->saved && (set->ranges.size() != 1 || set->ranges[0].first != set->ranges[0].second)) {
        parser.fail("REPLACE takes one message");
        return false;
    }
    append.replaces = std::move(set);
    return true;
}

// Cuts ";NAME=value" off the end; false: it is not there.
bool cut_parameter(std::string_view& text, std::string_view name, std::string& value) {
    const std::size_t at = text.rfind(';');
    if (at == std::string_view::npos) return false;
    const std::string_view parameter = text.substr(at + 1);
    if (!wire::starts_with_ignoring_case(parameter, name)) return false;
    value = parameter.substr(name.size());
    text = text.substr(0, at);
    if (!text.empty() && text.back() == '/') text.remove_suffix(1);
    return true;
}

// "1024" or "1024.500" (RFC 5092): all from an origin on, or so many bytes of it.
std::optional<FetchItem::Partial> parse_url_partial(std::string_view text) {
    constexpr std::uint32_t everything = std::numeric_limits<std::uint32_t>::max();
    const std::size_t dot = text.find('.');
    const auto origin = wire::parse_number(text.substr(0, dot));
    const auto size = dot == std::string_view::npos ? std::optional<std::uint64_t>(everything)
                                                    : wire::parse_number(text.substr(dot + 1));
    if (!origin || !size || *size == 0) return std::nullopt;
    if (*origin > everything || *size > everything) return std::nullopt;
    return FetchItem::Partial{static_cast<std::uint32_t>(*origin),
                              static_cast<std::uint32_t>(*size)};
}

}  // namespace

std::optional<AppendCommand> parse_append(std::string_view text, const Dialect& dialect) {
    Parser parser(text, dialect);
    const auto tag = parser.lexer.tag();
    if (!tag || !parser.lexer.skip_space()) return std::nullopt;
    command::Append append;
    append.uid = parser.lexer.skip_word("UID") && parser.lexer.skip_space();
    const bool replaces = parser.lexer.skip_word("REPLACE");
    if (!replaces && (append.uid || !parser.lexer.skip_word("APPEND"))) return std::nullopt;
    AppendCommand out{std::string(*tag), {}, ""};
    const bool parsed = [&] { return (!replaces || parse_replaced(parser, append)); }();
    // The announced literal is still the mailbox name.
    if (parsed && parser.lexer.rest() == " ") return std::nullopt;
    const bool whole = parsed && [&] {
        auto name = parser.space_mailbox();
        if (!name || !parser.space()) return false;
        append.name = std::move(*name);
        return parse_message_head(parser, append);
    }();
    if (whole) {
        out.what = std::move(append);
        out.rest = std::string(parser.lexer.rest());
    } else {
        out.what = std::move(parser.rejection);
    }
    return out;
}

AppendCommand parse_append_next(std::string_view text) {
    Parser parser(text);
    AppendCommand out;
    command::Append append;
    if (parser.space() && parse_message_head(parser, append)) {
        out.what = std::move(append);
        out.rest = std::string(parser.lexer.rest());
    } else {
        out.what = std::move(parser.rejection);
    }
    return out;
}

CatenateStep parse_catenate_step(std::string_view text, bool first) {
    Parser parser(text);
    Lexer& lexer = parser.lexer;
    CatenateStep out;
    if (!first && lexer.skip(')')) {
        out.kind = CatenateStep::Kind::end;
    } else if (!first && !lexer.skip_space()) {
        return out;
    } else if (lexer.skip_word("URL")) {
        if (!lexer.skip_space()) return out;
        auto url = lexer.astring();
        if (!url) return out;
        out.kind = CatenateStep::Kind::url;
        out.url = std::move(*url);
    } else if (lexer.skip_word("TEXT")) {
        if (!lexer.skip_space()) return out;
        out.literal8 = lexer.skip('~');
        if (lexer.at_end()) out.kind = CatenateStep::Kind::text;
    } else if (lexer.skip_word("UTF8")) {
        if (!lexer.skip_space() || !lexer.skip('(') || !lexer.skip('~')) return out;
        out.utf8 = out.literal8 = true;
        if (lexer.at_end()) out.kind = CatenateStep::Kind::text;
    }
    out.rest = lexer.rest();
    return out;
}

// "/box;UIDVALIDITY=1/;UID=2/;SECTION=1.2/;PARTIAL=0.9": from the end, since a name may hold what
// it likes.
std::optional<MessageUrl> parse_message_url(std::string_view url) {
    MessageUrl out;
    std::string section, uid, validity, partial;
    if (url.empty() || url.front() != '/' || url.starts_with("//")) return std::nullopt;
    url.remove_prefix(1);
    if (cut_parameter(url, "PARTIAL=", partial)) {
        out.section.partial = parse_url_partial(partial);
        if (!out.section.partial) return std::nullopt;
    }
    cut_parameter(url, "SECTION=", section);
    if (!cut_parameter(url, "UID=", uid)) return std::nullopt;
    cut_parameter(url, "UIDVALIDITY=", validity);
    const auto name = wire::decode_percent(url);
    const auto part = wire::decode_percent(section);
    const auto number = wire::parse_number(uid);
    const auto valid =
        validity.empty() ? std::optional<std::uint64_t>(0) : wire::parse_number(validity);
    if (!name || name->empty() || !wire::is_utf8(*name) || !part || !number || !valid) {
        return std::nullopt;
    }
    if (*number == 0 || *number > 0xffffffff || *valid > 0xffffffff) return std::nullopt;
    out.mailbox = canonical_name(*name);
    out.uid = static_cast<Uid>(*number);
    out.uid_validity = static_cast<std::uint32_t>(*valid);
    out.section.kind = FetchItem::Kind::section;
    const std::string bracket = *part + "]";
    Parser parser(bracket);
    if (!parse_section(parser, out.section) || !parser.lexer.at_end()) return std::nullopt;
    return out;
}

}  // namespace postern::imap

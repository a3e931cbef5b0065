// QUOTA (RFC 9208) and METADATA (RFC 5464).
#include "protocols/imap/parser.h"
#include "protocols/wire/text.h"

#include <limits>

namespace postern::imap {
namespace {

constexpr std::size_t max_entries = 100;  // in one GETMETADATA or SETMETADATA

// A list that begins with a word, and so not with an entry.
bool has_options(const Parser& parser) {
    const std::string_view rest = parser.lexer.rest();
    return rest.size() > 1 && rest[0] == '(' && rest[1] != '/' && rest[1] != '"' && rest[1] != '{';
}

// MAXSIZE n and DEPTH 0, 1 or infinity.
bool parse_metadata_options(Parser& parser, command::GetMetadata& out) {
    return parse_options(parser, [&](std::string_view word) {
        if (!parser.space()) return false;
        if (wire::equals_ignoring_case(word, "MAXSIZE")) {
            out.max_size = parser.lexer.number64();
            return out.max_size.has_value();
        }
        if (!wire::equals_ignoring_case(word, "DEPTH")) return false;
        if (parser.lexer.skip_word("infinity")) {
            out.depth = std::numeric_limits<unsigned>::max();
            return true;
        }
        const auto depth = parser.lexer.number();
        if (!depth || *depth > 1) return false;
        out.depth = *depth;
        return true;
    });
}

// Also the root of all private or all shared entries, for what DEPTH reaches below it.
std::optional<std::string> parse_asked_entry(Parser& parser) {
    Lexer ahead = parser.lexer;
    const auto entry = ahead.astring();
    for (const char* root : {"/private", "/shared"}) {
        if (!entry || !wire::equals_ignoring_case(*entry, root)) continue;
        parser.lexer = ahead;
        return root;
    }
    return parse_metadata_entry(parser);
}

}  // namespace

std::optional<std::string> parse_metadata_entry(Parser& parser) {
    auto entry = parser.lexer.astring();
    if (!entry) return parser.fail("An entry name was expected");
    const bool good = (wire::starts_with_ignoring_case(*entry, "/private/") ||
                       wire::starts_with_ignoring_case(*entry, "/shared/")) &&
                      entry->back() != '/' && entry->find("//") == std::string::npos &&
                      entry->find_first_of("*%") == std::string::npos && wire::is_ascii(*entry);
    if (!good) return parser.fail("An entry name begins with /private/ or /shared/");
    for (char& c : *entry) c = wire::to_lower(c);
    return entry;
}

MaybeCommand parse_get_quota(Parser& parser) {
    auto root = parser.space_astring("A quota root");
    if (!root) return std::nullopt;
    return command::GetQuota{std::move(*root), false};
}

MaybeCommand parse_get_quota_root(Parser& parser) {
    auto mailbox = parser.space_mailbox();
    if (!mailbox) return std::nullopt;
    return command::GetQuota{std::move(*mailbox), true};
}

MaybeCommand parse_set_quota(Parser& parser) {
    return parser.refuse("NOPERM", "Quotas are the administrator's to set");
}

MaybeCommand parse_get_metadata(Parser& parser) {
    command::GetMetadata out;
    if (!parser.space()) return std::nullopt;
    if (has_options(parser) && (!parse_metadata_options(parser, out) || !parser.space())) {
        return std::nullopt;
    }
    const auto raw = parser.lexer.astring();
    if (!raw) return parser.fail("A mailbox name was expected");
    auto name = raw->empty() ? std::optional(*raw) : parser.mailbox_name(*raw);
    if (!name || !parser.space()) return std::nullopt;
    out.name = std::move(*name);
    // Some clients put the options behind the name, as the RFC's examples do (erratum 2785).
    if (has_options(parser) && (!parse_metadata_options(parser, out) || !parser.space())) {
        return std::nullopt;
    }
    const bool list = parser.lexer.skip('(');
    do {
        auto entry = parse_asked_entry(parser);
        if (!entry) return std::nullopt;
        if (out.entries.size() == max_entries) return parser.fail("There are too many entries");
        out.entries.push_back(std::move(*entry));
    } while (list && parser.lexer.skip_space());
    if (list && !parser.lexer.skip(')')) return parser.fail("A closing parenthesis was expected");
    return out;
}

MaybeCommand parse_set_metadata(Parser& parser) {
    const auto raw = parser.space_astring("A mailbox name");
    if (!raw) return std::nullopt;
    auto name = raw->empty() ? std::optional(*raw) : parser.mailbox_name(*raw);
    if (!name || !parser.space()) return std::nullopt;
    command::SetMetadata out{std::move(*name), {}};
    if (!parser.lexer.skip('(')) return parser.fail("A list of entries was expected");
    do {
        auto entry = parse_metadata_entry(parser);
        if (!entry || !parser.space()) return std::nullopt;
        std::optional<std::string> value;
        if (!parser.lexer.skip_word("NIL")) {
            value = parser.lexer.any_bytes();
            if (!value) return parser.fail("A value was expected");
        }
        if (out.changes.size() == max_entries) return parser.fail("There are too many entries");
        out.changes.emplace_back(std::move(*entry), std::move(value));
    } while (parser.lexer.skip_space());
    if (!parser.lexer.skip(')')) return parser.fail("A closing parenthesis was expected");
    return out;
}

}  // namespace postern::imap

#include "protocols/imap/dates.h"
#include "protocols/imap/mailbox_name.h"
#include "protocols/imap/parser.h"
#include "protocols/mime/net_unicode.h"
#include "protocols/wire/text.h"

namespace postern::imap {
namespace {

constexpr std::size_t max_patterns = 100;
constexpr std::size_t max_status_items = 20;
constexpr std::size_t max_listed_entries = 100;  // of METADATA

template <class What>
MaybeCommand parse_named(Parser& parser, What what) {
    auto name = parser.space_mailbox();
    if (!name) return std::nullopt;
    what.name = std::move(*name);
    return what;
}

// RFC 6154 section 3: SP "(" "USE" SP "(" [use-attr *(SP use-attr)] ")" ")". One use is enough.
bool parse_create_use(Parser& parser, std::string& use) {
    Lexer& lexer = parser.lexer;
    if (!lexer.skip('(') || !lexer.skip_word("USE") || !lexer.skip_space() || !lexer.skip('(')) {
        parser.fail("(USE (...)) was expected");
        return false;
    }
    if (!lexer.skip(')')) {
        const auto name = lexer.skip('\\') ? lexer.atom() : std::nullopt;
        if (!name) {
            parser.fail("A special use was expected");
            return false;
        }
        use = '\\' + std::string(*name);
        if (!lexer.skip(')')) {
            parser.refuse("USEATTR", "A mailbox can have one special use");
            return false;
        }
    }
    if (lexer.skip(')')) return true;
    parser.fail("A closing parenthesis was expected");
    return false;
}

// Options that only name the server's own defaults are known and change nothing.
bool parse_list_selection(Parser& parser, command::List& out) {
    out.extended = true;
    const bool found = parse_options(parser, [&](std::string_view word) {
        if (wire::equals_ignoring_case(word, "SPECIAL-USE")) {
            return out.only_special_use = out.return_special_use = true;
        }
        if (wire::equals_ignoring_case(word, "SUBSCRIBED")) {
            return out.only_subscribed = out.return_subscribed = true;
        }
        if (wire::equals_ignoring_case(word, "RECURSIVEMATCH")) return out.recursive_match = true;
        return wire::equals_ignoring_case(word, "REMOTE");
    });
    if (!found) return false;
    // RFC 5258 section 3: it needs another option whose matches it can look for below.
    if (out.recursive_match && !out.only_subscribed && !out.only_special_use) {
        parser.fail("RECURSIVEMATCH cannot stand alone");
        return false;
    }
    return parser.space();
}

// RFC 9590: SP "(" entries ")"
bool parse_list_metadata(Parser& parser, std::vector<std::string>& entries) {
    if (!parser.space() || !parser.lexer.skip('(')) return false;
    do {
        auto entry = parse_metadata_entry(parser);
        if (!entry || entries.size() == max_listed_entries) return false;
        entries.push_back(std::move(*entry));
    } while (parser.lexer.skip_space());
    return parser.lexer.skip(')');
}

bool parse_list_return(Parser& parser, command::List& out) {
    if (!parser.lexer.skip_word("RETURN")) {
        parser.fail("RETURN was expected");
        return false;
    }
    out.extended = true;
    return parser.space() && parse_options(parser, [&](std::string_view word) {
               if (wire::equals_ignoring_case(word, "SUBSCRIBED")) {
                   return out.return_subscribed = true;
               }
               if (wire::equals_ignoring_case(word, "SPECIAL-USE")) {
                   return out.return_special_use = true;
               }
               if (wire::equals_ignoring_case(word, "STATUS")) {
                   return parser.space() && parse_status_items(parser, out.status);
               }
               if (wire::equals_ignoring_case(word, "MYRIGHTS")) return out.return_rights = true;
               if (wire::equals_ignoring_case(word, "METADATA")) {
                   return parse_list_metadata(parser, out.metadata);
               }
               return wire::equals_ignoring_case(word, "CHILDREN");
           });
}

// One pattern with the reference in front. False: refused.
bool parse_pattern(Parser& parser, const std::string& reference, command::List& out) {
    const auto pattern = parser.lexer.list_mailbox();
    if (!pattern) {
        parser.fail("A mailbox pattern was expected");
        return false;
    }
    if (pattern->empty()) {
        out.patterns.emplace_back();
        return true;
    }
    const std::string both = reference + *pattern;
    const auto whole = parser.dialect.utf8 ? std::optional(both) : decode_utf7(both);
    if (!whole || !wire::is_utf8(*whole)) {
        parser.refuse("CANNOT", "The pattern is not valid modified UTF-7");
        return false;
    }
    out.patterns.push_back(mime::compose(*whole));
    if (out.patterns.back().size() > max_pattern_bytes) {
        parser.refuse("LIMIT", "The pattern is too long");
        return false;
    }
    return true;
}

// reference SP pattern, or with RFC 5258 a list of them
MaybeCommand parse_list_names(Parser& parser, command::List out) {
    const auto reference = parser.lexer.astring();
    if (!reference) return parser.fail("A reference name was expected");
    if (!parser.space()) return std::nullopt;
    if (!parser.lexer.skip('(')) {
        if (!parse_pattern(parser, *reference, out)) return std::nullopt;
        return out;
    }
    out.extended = true;
    do {
        if (out.patterns.size() == max_patterns) {
            return parser.refuse("LIMIT", "There are too many patterns");
        }
        if (!parse_pattern(parser, *reference, out)) return std::nullopt;
    } while (parser.lexer.skip_space());
    if (!parser.lexer.skip(')')) return parser.fail("A closing parenthesis was expected");
    return out;
}

// RFC 4466 section 2.1 and RFC 7162: SP "(" parameters ")" of SELECT.
bool parse_select_parameters(Parser& parser, command::Select& out) {
    return parse_options(parser, [&](std::string_view word) {
        if (wire::equals_ignoring_case(word, "CONDSTORE")) return out.condstore = true;
        if (!wire::equals_ignoring_case(word, "QRESYNC")) return false;
        if (!parser.space() || !parser.lexer.skip('(')) return false;
        command::Select::Qresync known;
        const auto validity = parser.lexer.nz_number();
        const auto modseq = validity ? parser.space_modseq("QRESYNC") : std::nullopt;
        if (!modseq) return false;
        known.uid_validity = *validity;
        known.modseq = *modseq;
        if (parser.lexer.skip_space() && parser.lexer.peek() != '(') {
            known.known = parse_sequence_set(parser.lexer);
            if (!known.known || known.known->saved) return false;
            parser.lexer.skip_space();
        }
        // Which UIDs the client's sequence numbers had: we know what vanished without it.
        if (parser.lexer.skip('(')) {
            if (!parse_sequence_set(parser.lexer) || !parser.lexer.skip_space() ||
                !parse_sequence_set(parser.lexer) || !parser.lexer.skip(')')) {
                return false;
            }
        }
        out.qresync = std::move(known);
        return parser.lexer.skip(')');
    });
}

MaybeCommand parse_open(Parser& parser, bool read_only) {
    auto name = parser.space_mailbox();
    if (!name) return std::nullopt;
    command::Select out;
    out.name = std::move(*name);
    out.read_only = read_only;
    if (parser.lexer.skip_space() && !parse_select_parameters(parser, out)) return std::nullopt;
    return out;
}

}  // namespace

MaybeCommand parse_select(Parser& parser) {
    return parse_open(parser, false);
}

MaybeCommand parse_examine(Parser& parser) {
    return parse_open(parser, true);
}

MaybeCommand parse_create(Parser& parser) {
    auto name = parser.space_new_mailbox();
    if (!name) return std::nullopt;
    command::Create out{std::move(*name), ""};
    if (parser.lexer.skip_space() && !parse_create_use(parser, out.special_use)) {
        return std::nullopt;
    }
    return out;
}

MaybeCommand parse_delete(Parser& parser) {
    return parse_named(parser, command::Delete{});
}

MaybeCommand parse_rename(Parser& parser) {
    auto from = parser.space_mailbox();
    if (!from) return std::nullopt;
    auto to = parser.space_new_mailbox();
    if (!to) return std::nullopt;
    return command::Rename{std::move(*from), std::move(*to)};
}

MaybeCommand parse_subscribe(Parser& parser) {
    return parse_named(parser, command::Subscribe{"", true});
}

MaybeCommand parse_unsubscribe(Parser& parser) {
    return parse_named(parser, command::Subscribe{"", false});
}

MaybeCommand parse_list(Parser& parser) {
    command::List out;
    if (!parser.space()) return std::nullopt;
    if (parser.lexer.peek() == '(' && !parse_list_selection(parser, out)) return std::nullopt;
    auto names = parse_list_names(parser, std::move(out));
    if (!names || !parser.lexer.skip_space()) return names;
    if (!parse_list_return(parser, std::get<command::List>(*names))) return std::nullopt;
    return names;
}

MaybeCommand parse_lsub(Parser& parser) {
    if (!parser.space()) return std::nullopt;
    command::List out;
    out.form = command::List::Form::lsub;
    return parse_list_names(parser, std::move(out));
}

MaybeCommand parse_xlist(Parser& parser) {
    if (!parser.space()) return std::nullopt;
    command::List out;
    out.form = command::List::Form::xlist;
    out.return_special_use = true;
    return parse_list_names(parser, std::move(out));
}

bool parse_status_items(Parser& parser, std::vector<command::Status::Item>& items) {
    using Item = command::Status::Item;
    static constexpr std::pair<const char*, Item> names[] = {
        {"MESSAGES", Item::messages},
        {"RECENT", Item::recent},
        {"UIDNEXT", Item::uid_next},
        {"UIDVALIDITY", Item::uid_validity},
        {"UNSEEN", Item::unseen},
        {"DELETED", Item::deleted},
        {"DELETED-STORAGE", Item::deleted_storage},
        {"SIZE", Item::size},
        {"HIGHESTMODSEQ", Item::highest_modseq},
        {"APPENDLIMIT", Item::append_limit},
        {"MAILBOXID", Item::mailbox_id}};
    const bool found = parse_options(parser, [&](std::string_view word) {
        if (items.size() == max_status_items) return false;
        for (const auto& [text, item] : names) {
            if (!wire::equals_ignoring_case(word, text)) continue;
            items.push_back(item);
            return true;
        }
        return false;
    });
    if (found && items.empty()) parser.fail("STATUS needs an item");
    return found && !items.empty();
}

MaybeCommand parse_status(Parser& parser) {
    auto name = parser.space_mailbox();
    if (!name || !parser.space()) return std::nullopt;
    command::Status out{std::move(*name), {}};
    if (!parse_status_items(parser, out.items)) return std::nullopt;
    return out;
}

}  // namespace postern::imap

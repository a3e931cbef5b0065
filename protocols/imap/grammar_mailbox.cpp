#include "protocols/imap/dates.h"
#include "protocols/imap/mailbox_name.h"
#include "protocols/imap/parser.h"
#include "protocols/wire/text.h"

namespace postern::imap {
namespace {

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

// Reads "(" [word *(SP word)] ")", giving each word to `take`, which says whether it is known.
template <class Take>
bool parse_options(Parser& parser, Take take) {
    if (!parser.lexer.skip('(')) {
        parser.fail("A parenthesis was expected");
        return false;
    }
    if (parser.lexer.skip(')')) return true;
    for (;;) {
        const auto word = parser.lexer.atom();
        if (!word || !take(*word)) {
            parser.fail("This option is not known");
            return false;
        }
        if (parser.lexer.skip(')')) return true;
        if (!parser.space()) return false;
    }
}

bool parse_list_selection(Parser& parser, command::List& out) {
    const bool found = parse_options(parser, [&](std::string_view word) {
        if (wire::equals_ignoring_case(word, "SPECIAL-USE")) return out.only_special_use = true;
        if (wire::equals_ignoring_case(word, "SUBSCRIBED")) {
            return out.only_subscribed = out.return_subscribed = true;
        }
        return wire::equals_ignoring_case(word, "REMOTE");
    });
    return found && parser.space();
}

bool parse_list_return(Parser& parser, command::List& out) {
    if (!parser.lexer.skip_word("RETURN")) {
        parser.fail("RETURN was expected");
        return false;
    }
    return parser.space() && parse_options(parser, [&](std::string_view word) {
               if (wire::equals_ignoring_case(word, "SUBSCRIBED"))
                   return out.return_subscribed = true;
               return wire::equals_ignoring_case(word, "SPECIAL-USE") ||
                      wire::equals_ignoring_case(word, "CHILDREN");
           });
}

// reference SP pattern
MaybeCommand parse_list_names(Parser& parser, command::List out) {
    const auto reference = parser.lexer.astring();
    if (!reference) return parser.fail("A reference name was expected");
    if (!parser.space()) return std::nullopt;
    const auto pattern = parser.lexer.list_mailbox();
    if (!pattern) return parser.fail("A mailbox pattern was expected");
    if (!pattern->empty()) {
        const auto whole = decode_utf7(*reference + *pattern);
        if (!whole) return parser.refuse("CANNOT", "The pattern is not valid modified UTF-7");
        if (whole->size() > max_pattern_bytes) {
            return parser.refuse("LIMIT", "The pattern is too long");
        }
        out.pattern = *whole;
    }
    return out;
}

}  // namespace

MaybeCommand parse_select(Parser& parser) {
    return parse_named(parser, command::Select{"", false});
}

MaybeCommand parse_examine(Parser& parser) {
    return parse_named(parser, command::Select{"", true});
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
    out.lsub = true;
    return parse_list_names(parser, std::move(out));
}

MaybeCommand parse_status(Parser& parser) {
    using Item = command::Status::Item;
    static constexpr std::pair<const char*, Item> items[] = {{"MESSAGES", Item::messages},
                                                             {"RECENT", Item::recent},
                                                             {"UIDNEXT", Item::uid_next},
                                                             {"UIDVALIDITY", Item::uid_validity},
                                                             {"UNSEEN", Item::unseen}};
    auto name = parser.space_mailbox();
    if (!name || !parser.space()) return std::nullopt;
    command::Status out{std::move(*name), {}};
    const bool found = parse_options(parser, [&](std::string_view word) {
        for (const auto& [text, item] : items) {
            if (!wire::equals_ignoring_case(word, text)) continue;
            out.items.push_back(item);
            return true;
        }
        return false;
    });
    if (!found) return std::nullopt;
    if (out.items.empty()) return parser.fail("STATUS needs an item");
    return out;
}

std::optional<AppendCommand> parse_append(std::string_view text) {
    Parser parser(text);
    const auto tag = parser.lexer.tag();
    if (!tag || !parser.lexer.skip_space() || !parser.lexer.skip_word("APPEND")) {
        return std::nullopt;
    }
    // The announced literal is still the mailbox name.
    if (parser.lexer.rest() == " ") return std::nullopt;
    AppendCommand out{std::string(*tag), {}};
    command::Append append;
    const bool parsed = [&] {
        auto name = parser.space_mailbox();
        if (!name || !parser.space()) return false;
        append.name = std::move(*name);
        if (parser.lexer.peek() == '(') {
            auto flags = parser.flag_list();
            if (!flags || !parser.space()) return false;
            append.flags = std::move(*flags);
        }
        if (parser.lexer.peek() == '"') {
            const auto date = parser.lexer.string();
            append.internal_date = date ? parse_date_time(*date) : std::nullopt;
            if (!append.internal_date) parser.fail("The date is not valid");
            if (!append.internal_date || !parser.space()) return false;
        }
        if (!parser.lexer.at_end()) parser.fail("A message literal was expected");
        return parser.lexer.at_end();
    }();
    if (parsed) {
        out.what = std::move(append);
    } else {
        out.what = std::move(parser.rejection);
    }
    return out;
}

}  // namespace postern::imap

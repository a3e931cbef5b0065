#include "protocols/imap/grammar.h"

#include "protocols/imap/parser.h"
#include "protocols/wire/text.h"

#include <utility>

namespace postern::imap {
namespace {

constexpr std::size_t max_enabled = 100;
constexpr std::size_t max_id_strings = 60;  // RFC 2971 section 3.3: 30 pairs

template <class What>
MaybeCommand parse_plain(Parser&) {
    return What{};
}

MaybeCommand parse_authenticate(Parser& parser) {
    if (!parser.space()) return std::nullopt;
    const auto mechanism = parser.lexer.atom();
    if (!mechanism) return parser.fail("A mechanism was expected");
    command::Authenticate out{std::string(*mechanism), std::nullopt};
    if (parser.lexer.skip_space()) {
        const auto initial = parser.lexer.atom();
        if (!initial) return parser.fail("An initial response was expected");
        out.initial_response = std::string(*initial);
    }
    return out;
}

MaybeCommand parse_login(Parser& parser) {
    auto user = parser.space_astring("A user name");
    if (!user) return std::nullopt;
    auto password = parser.space_astring("A password");
    if (!password) return std::nullopt;
    return command::Login{std::move(*user), std::move(*password)};
}

bool parse_nstring(Lexer& lexer) {
    return lexer.skip_word("NIL") || lexer.string().has_value();
}

// What the client says of itself, as it stands there, bounded for the log.
MaybeCommand parse_id(Parser& parser) {
    if (!parser.space()) return std::nullopt;
    if (parser.lexer.skip_word("NIL")) return command::Id{};
    if (!parser.lexer.skip('(')) return parser.fail("NIL or a list was expected");
    const std::string_view list = parser.lexer.rest();
    std::size_t strings = 0;
    while (!parser.lexer.skip(')')) {
        if (strings > 0 && !parser.space()) return std::nullopt;
        if (++strings > max_id_strings) return parser.fail("There are too many fields");
        const bool found =
            strings % 2 == 1 ? parser.lexer.string().has_value() : parse_nstring(parser.lexer);
        if (!found) return parser.fail("A string was expected");
    }
    if (strings % 2 != 0) return parser.fail("A field lacks its value");
    return command::Id{std::string(list.substr(0, list.size() - parser.lexer.rest().size() - 1))};
}

MaybeCommand parse_enable(Parser& parser) {
    command::Enable out;
    do {
        if (!parser.space()) return std::nullopt;
        const auto name = parser.lexer.atom();
        if (!name) return parser.fail("A capability was expected");
        if (out.capabilities.size() == max_enabled) return parser.fail("There are too many");
        out.capabilities.push_back(wire::upper_case(*name));
    } while (!parser.lexer.at_end());
    return out;
}

MaybeCommand parse_compress(Parser& parser) {
    if (!parser.space()) return std::nullopt;
    if (parser.lexer.skip_word("DEFLATE")) return command::Compress{};
    return parser.fail("DEFLATE is the only mechanism");
}

MaybeCommand parse_append_without_literal(Parser& parser) {
    return parser.fail("APPEND needs a mailbox and a message literal");
}

MaybeCommand parse_uid_expunge(Parser& parser) {
    auto set = parser.space_sequence_set();
    if (!set) return std::nullopt;
    return command::Expunge{std::move(*set)};
}

template <MaybeCommand (*Parse)(Parser&, bool)>
MaybeCommand parse_uid(Parser& parser) {
    return Parse(parser, true);
}

// Commands that speak in sequence numbers, of which a UIDONLY session has none.
template <MaybeCommand (*Parse)(Parser&, bool)>
MaybeCommand parse_numbered(Parser& parser) {
    if (parser.dialect.uid_only) {
        return parser.refuse_bad("UIDREQUIRED", "Sequence numbers are not used in this session");
    }
    return Parse(parser, false);
}

struct Entry {
    std::string_view name;
    Phase needs;
    MaybeCommand (*parse)(Parser&);
    bool may_expunge = true;
};

constexpr Entry commands[] = {
    {"CAPABILITY", Phase::any, parse_plain<command::Capability>},
    {"NOOP", Phase::any, parse_plain<command::Noop>},
    {"LOGOUT", Phase::any, parse_plain<command::Logout>},
    {"ID", Phase::any, parse_id},
    {"STARTTLS", Phase::not_authenticated, parse_plain<command::StartTls>},
    {"AUTHENTICATE", Phase::not_authenticated, parse_authenticate},
    {"LOGIN", Phase::not_authenticated, parse_login},
    {"SELECT", Phase::authenticated, parse_select},
    {"EXAMINE", Phase::authenticated, parse_examine},
    {"CREATE", Phase::authenticated, parse_create},
    {"DELETE", Phase::authenticated, parse_delete},
    {"RENAME", Phase::authenticated, parse_rename},
    {"SUBSCRIBE", Phase::authenticated, parse_subscribe},
    {"UNSUBSCRIBE", Phase::authenticated, parse_unsubscribe},
    {"LIST", Phase::authenticated, parse_list},
    {"LSUB", Phase::authenticated, parse_lsub},
    {"XLIST", Phase::authenticated, parse_xlist},
    {"COMPRESS", Phase::authenticated, parse_compress},
    {"UNAUTHENTICATE", Phase::authenticated, parse_plain<command::Unauthenticate>},
    {"REPLACE", Phase::selected, parse_append_without_literal},
    {"SORT", Phase::selected, parse_numbered<parse_sort>, false},
    {"THREAD", Phase::selected, parse_numbered<parse_thread>, false},
    {"STATUS", Phase::authenticated, parse_status},
    {"GETQUOTA", Phase::authenticated, parse_get_quota},
    {"GETQUOTAROOT", Phase::authenticated, parse_get_quota_root},
    {"SETQUOTA", Phase::authenticated, parse_set_quota},
    {"GETMETADATA", Phase::authenticated, parse_get_metadata},
    {"SETMETADATA", Phase::authenticated, parse_set_metadata},
    {"NOTIFY", Phase::authenticated, parse_notify},
    {"GETACL", Phase::authenticated, parse_get_acl},
    {"SETACL", Phase::authenticated, parse_set_acl},
    {"DELETEACL", Phase::authenticated, parse_delete_acl},
    {"LISTRIGHTS", Phase::authenticated, parse_list_rights},
    {"MYRIGHTS", Phase::authenticated, parse_my_rights},
    {"APPEND", Phase::authenticated, parse_append_without_literal},
    {"NAMESPACE", Phase::authenticated, parse_plain<command::Namespace>},
    {"ENABLE", Phase::authenticated, parse_enable},
    {"IDLE", Phase::authenticated, parse_plain<command::Idle>},
    {"CHECK", Phase::selected, parse_plain<command::Noop>},
    {"CLOSE", Phase::selected, parse_plain<command::Close>},
    {"UNSELECT", Phase::selected, parse_plain<command::Unselect>},
    {"EXPUNGE", Phase::selected, parse_plain<command::Expunge>},
    {"SEARCH", Phase::selected, parse_numbered<parse_search>, false},
    {"CANCELUPDATE", Phase::selected, parse_cancel_update},
    {"FETCH", Phase::selected, parse_numbered<parse_fetch>, false},
    {"STORE", Phase::selected, parse_numbered<parse_store>, false},
    {"COPY", Phase::selected, parse_numbered<parse_copy>},
    {"MOVE", Phase::selected, parse_numbered<parse_move>},
};

constexpr Entry uid_commands[] = {
    {"EXPUNGE", Phase::selected, parse_uid_expunge},
    {"SEARCH", Phase::selected, parse_uid<parse_search>},
    {"SORT", Phase::selected, parse_uid<parse_sort>},
    {"THREAD", Phase::selected, parse_uid<parse_thread>},
    {"REPLACE", Phase::selected, parse_append_without_literal},
    {"FETCH", Phase::selected, parse_uid<parse_fetch>},
    {"STORE", Phase::selected, parse_uid<parse_store>},
    {"COPY", Phase::selected, parse_uid<parse_copy>},
    {"MOVE", Phase::selected, parse_uid<parse_move>},
};

template <std::size_t Size>
const Entry* find_entry(const Entry (&entries)[Size], Lexer& lexer) {
    const auto word = lexer.atom();
    if (!word) return nullptr;
    for (const Entry& entry : entries) {
        if (wire::equals_ignoring_case(entry.name, *word)) return &entry;
    }
    return nullptr;
}

void parse_arguments(const Entry& entry, Parser& parser, Command& out) {
    out.needs = entry.needs;
    out.may_expunge = entry.may_expunge;
    auto what = entry.parse(parser);
    if (what && !parser.lexer.at_end()) {
        what.reset();
        parser.fail("Unexpected text after the command");
    }
    out.respelled = std::move(parser.respelled);
    if (what) {
        out.what = std::move(*what);
    } else {
        out.what = std::move(parser.rejection);
    }
}

}  // namespace

std::string tag_of(std::string_view text) {
    Lexer lexer(text);
    const auto tag = lexer.tag();
    return tag && (lexer.at_end() || lexer.peek() == ' ') ? std::string(*tag) : "*";
}

Command parse_command(std::string_view text, const Dialect& dialect) {
    Parser parser(text, dialect);
    Command out;
    out.tag = tag_of(text);
    if (out.tag == "*") {
        out.what = Rejection{true, "", "A command begins with a tag"};
        return out;
    }
    parser.lexer.tag();
    const Entry* entry = nullptr;
    if (parser.space()) {
        out.uid = parser.lexer.skip_word("UID");
        if (out.uid) {
            entry = parser.space() ? find_entry(uid_commands, parser.lexer) : nullptr;
        } else {
            entry = find_entry(commands, parser.lexer);
        }
    }
    if (entry != nullptr) {
        parse_arguments(*entry, parser, out);
    } else {
        out.what = Rejection{true, "", "Unknown command"};
    }
    return out;
}

}  // namespace postern::imap

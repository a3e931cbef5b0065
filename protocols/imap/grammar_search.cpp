#include "protocols/imap/dates.h"
#include "protocols/imap/parser.h"
#include "protocols/mime/charset.h"
#include "protocols/wire/text.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace postern::imap {
namespace {

constexpr const char* utf8_charset = "utf-8";

using KeyKind = SearchKey::Kind;
using Term = SearchProgram::Term;

enum class Argument : std::uint8_t { none, text, date, number, flag, after, before, special };

// RFC 9051 section 9, and RFC 7162 section 7 for mod-sequences: 63 bits.
constexpr std::uint64_t largest_number64 = std::numeric_limits<std::int64_t>::max();

struct KnownKey {
    std::string_view name;
    Argument argument;
    KeyKind kind;
    SystemFlag flag = SystemFlag::seen;
};

constexpr KnownKey known_keys[] = {
    {"ALL", Argument::none, KeyKind::all},
    {"ANSWERED", Argument::flag, KeyKind::system_flag, SystemFlag::answered},
    {"DELETED", Argument::flag, KeyKind::system_flag, SystemFlag::deleted},
    {"DRAFT", Argument::flag, KeyKind::system_flag, SystemFlag::draft},
    {"FLAGGED", Argument::flag, KeyKind::system_flag, SystemFlag::flagged},
    {"SEEN", Argument::flag, KeyKind::system_flag, SystemFlag::seen},
    {"UNANSWERED", Argument::flag, KeyKind::no_system_flag, SystemFlag::answered},
    {"UNDELETED", Argument::flag, KeyKind::no_system_flag, SystemFlag::deleted},
    {"UNDRAFT", Argument::flag, KeyKind::no_system_flag, SystemFlag::draft},
    {"UNFLAGGED", Argument::flag, KeyKind::no_system_flag, SystemFlag::flagged},
    {"UNSEEN", Argument::flag, KeyKind::no_system_flag, SystemFlag::seen},
    {"BCC", Argument::text, KeyKind::bcc},
    {"BODY", Argument::text, KeyKind::body},
    {"CC", Argument::text, KeyKind::cc},
    {"FROM", Argument::text, KeyKind::from},
    {"SUBJECT", Argument::text, KeyKind::subject},
    {"TEXT", Argument::text, KeyKind::text},
    {"TO", Argument::text, KeyKind::to},
    {"BEFORE", Argument::date, KeyKind::before},
    {"ON", Argument::date, KeyKind::on},
    {"SINCE", Argument::date, KeyKind::since},
    {"SENTBEFORE", Argument::date, KeyKind::sent_before},
    {"SENTON", Argument::date, KeyKind::sent_on},
    {"SENTSINCE", Argument::date, KeyKind::sent_since},
    {"LARGER", Argument::number, KeyKind::larger},
    {"SMALLER", Argument::number, KeyKind::smaller},
    {"OLDER", Argument::special, KeyKind::arrived_before},
    {"YOUNGER", Argument::special, KeyKind::arrived_since},
    {"SAVEDBEFORE", Argument::date, KeyKind::saved_before},
    {"SAVEDON", Argument::date, KeyKind::saved_on},
    {"SAVEDSINCE", Argument::date, KeyKind::saved_since},
    {"SAVEDATESUPPORTED", Argument::none, KeyKind::all},
    {"EMAILID", Argument::special, KeyKind::email_id},
    {"THREADID", Argument::special, KeyKind::thread_id},
    {"MODSEQ", Argument::special, KeyKind::modseq},
    {"FUZZY", Argument::special, KeyKind::fuzzy},
    {"KEYWORD", Argument::special, KeyKind::keyword},
    {"UNKEYWORD", Argument::special, KeyKind::no_keyword},
    {"HEADER", Argument::special, KeyKind::header},
    {"UID", Argument::special, KeyKind::uids},
    {"UIDAFTER", Argument::after, KeyKind::uids},
    {"UIDBEFORE", Argument::before, KeyKind::uids},
    {"NOT", Argument::special, KeyKind::not_},
    {"OR", Argument::special, KeyKind::or_},
};

SearchKey key_of(KeyKind kind) {
    SearchKey key;
    key.kind = kind;
    return key;
}

SearchKey flag_key(KeyKind kind, SystemFlag flag) {
    SearchKey key = key_of(kind);
    key.flag = static_cast<std::uint8_t>(flag);
    return key;
}

SearchKey joined(KeyKind kind, SearchKey first, SearchKey second) {
    SearchKey key = key_of(kind);
    key.children.push_back(std::move(first));
    key.children.push_back(std::move(second));
    return key;
}

class SearchParser {
public:
    SearchParser(Parser& parser, std::string charset)
        : parser_(parser), charset_(std::move(charset)) {}

    std::optional<SearchKey> keys(std::size_t depth);
    SearchProgram finish(SearchKey root) {
        return {std::move(root), std::move(terms_), tells_modseq_};
    }

private:
    std::optional<SearchKey> key(std::size_t depth);
    std::optional<SearchKey> group(std::size_t depth);
    std::optional<SearchKey> named(std::size_t depth);
    std::optional<SearchKey> recent_key(std::string_view word);
    std::optional<SearchKey> with_argument(const KnownKey& known, std::size_t depth);
    std::optional<SearchKey> special(SearchKey key, std::size_t depth);
    std::optional<SearchKey> beside_uid(bool after);
    bool operands(SearchKey& key, std::size_t count, std::size_t depth);
    bool text(std::string& out);
    SearchKey term(Term::Kind kind, SequenceSet set);

    Parser& parser_;
    const std::string charset_;
    std::size_t count_ = 0;
    std::optional<SearchKey> modseq_key();
    std::vector<Term> terms_;
    bool tells_modseq_ = false;
};

std::optional<SearchKey> SearchParser::keys(std::size_t depth) {
    SearchKey all = key_of(KeyKind::and_);
    do {
        auto next = key(depth);
        if (!next) return std::nullopt;
        all.children.push_back(std::move(*next));
    } while (parser_.lexer.skip_space());
    if (all.children.size() > 1) return all;
    SearchKey only = std::move(all.children.front());
    return only;
}

std::optional<SearchKey> SearchParser::key(std::size_t depth) {
    if (depth > max_search_depth) return parser_.fail("The search is nested too deeply");
    if (++count_ > max_search_keys) return parser_.fail("The search has too many keys");
    const char c = parser_.lexer.peek();
    if (c == '(') return group(depth);
    if (c != '*' && c != '$' && !wire::is_digit(c)) return named(depth);
    if (parser_.dialect.uid_only && c != '$') {
        return parser_.refuse_bad("UIDREQUIRED", "Sequence numbers are not used in this session");
    }
    auto set = parse_sequence_set(parser_.lexer);
    if (!set) return parser_.fail("A sequence set of bounded length was expected");
    return term(Term::Kind::positions, std::move(*set));
}

std::optional<SearchKey> SearchParser::group(std::size_t depth) {
    parser_.lexer.skip('(');
    auto inside = keys(depth + 1);
    if (inside && !parser_.lexer.skip(')')) {
        return parser_.fail("A closing parenthesis was expected");
    }
    return inside;
}

std::optional<SearchKey> SearchParser::named(std::size_t depth) {
    const std::string_view word = parser_.lexer.atom().value_or("");
    for (const KnownKey& known : known_keys) {
        if (wire::equals_ignoring_case(known.name, word)) return with_argument(known, depth);
    }
    return recent_key(word);
}

// These three ask what this session was told: they become sets of UIDs.
std::optional<SearchKey> SearchParser::recent_key(std::string_view word) {
    if (wire::equals_ignoring_case(word, "RECENT")) return term(Term::Kind::recent, {});
    if (wire::equals_ignoring_case(word, "OLD")) {
        SearchKey key = key_of(KeyKind::not_);
        key.children.push_back(term(Term::Kind::recent, {}));
        return key;
    }
    if (wire::equals_ignoring_case(word, "NEW")) {
        return joined(KeyKind::and_, term(Term::Kind::recent, {}),
                      flag_key(KeyKind::no_system_flag, SystemFlag::seen));
    }
    return parser_.fail("This search key is not known");
}

std::optional<SearchKey> SearchParser::with_argument(const KnownKey& known, std::size_t depth) {
    SearchKey key = key_of(known.kind);
    if (known.argument == Argument::none) return key;
    if (known.argument == Argument::flag) return flag_key(known.kind, known.flag);
    if (!parser_.space()) return std::nullopt;
    if (known.argument == Argument::special) return special(std::move(key), depth);
    if (known.argument == Argument::after) return beside_uid(true);
    if (known.argument == Argument::before) return beside_uid(false);
    if (known.argument == Argument::text) {
        if (!text(key.text)) return std::nullopt;
        return key;
    }
    if (known.argument == Argument::date) {
        const auto day = parse_date(parser_.lexer);
        if (!day) return parser_.fail("A date was expected");
        key.number = *day;
        return key;
    }
    const auto number = parser_.lexer.number64();
    if (!number || *number > largest_number64) return parser_.fail("A number was expected");
    key.number = static_cast<std::int64_t>(*number);
    return key;
}

// MODSEQ [SP "entry" SP type] SP number (RFC 7162 section 3.1.5): all entries share one
// mod-sequence.
std::optional<SearchKey> SearchParser::modseq_key() {
    if (parser_.lexer.peek() == '"') {
        if (!parser_.lexer.string() || !parser_.space())
            return parser_.fail("An entry was expected");
        if (!parser_.lexer.skip_word("all") && !parser_.lexer.skip_word("shared") &&
            !parser_.lexer.skip_word("priv")) {
            return parser_.fail("An entry type was expected");
        }
        if (!parser_.space()) return std::nullopt;
    }
    const auto number = parser_.lexer.number64();
    if (!number || *number > largest_number64) {
        return parser_.fail("A mod-sequence was expected");
    }
    SearchKey key = key_of(KeyKind::modseq);
    key.number = static_cast<std::int64_t>(*number);
    tells_modseq_ = true;
    return key;
}

std::optional<SearchKey> SearchParser::special(SearchKey key, std::size_t depth) {
    if (key.kind == KeyKind::modseq) return modseq_key();
    if (key.kind == KeyKind::arrived_before || key.kind == KeyKind::arrived_since) {
        const auto seconds = parser_.lexer.nz_number();
        if (!seconds) return parser_.fail("A number of seconds was expected");
        key.number = *seconds;
        return key;
    }
    if (key.kind == KeyKind::email_id || key.kind == KeyKind::thread_id) {
        auto id = parser_.lexer.astring();
        if (!id) return parser_.fail("An object id was expected");
        key.text = std::move(*id);
        return key;
    }
    if (key.kind == KeyKind::uids) {
        auto set = parse_sequence_set(parser_.lexer);
        if (!set) return parser_.fail("A set of UIDs of bounded length was expected");
        return term(Term::Kind::uids, std::move(*set));
    }
    if (key.kind == KeyKind::keyword || key.kind == KeyKind::no_keyword) {
        const auto name = parser_.lexer.atom();
        if (!name) return parser_.fail("A keyword was expected");
        key.name = std::string(*name);
        return key;
    }
    if (key.kind == KeyKind::header) {
        auto name = parser_.lexer.astring();
        if (!name) return parser_.fail("A header field name was expected");
        key.name = std::move(*name);
        if (!parser_.space() || !text(key.text)) return std::nullopt;
        return key;
    }
    if (!operands(key, key.kind == KeyKind::or_ ? 2 : 1, depth)) return std::nullopt;
    return key;
}

// UIDAFTER and UIDBEFORE (RFC 9738 section 3.2). Without "*", which always names a message.
std::optional<SearchKey> SearchParser::beside_uid(bool after) {
    constexpr Uid largest = std::numeric_limits<Uid>::max();
    const auto uid = parser_.lexer.nz_number();
    if (!uid) return parser_.fail("A UID was expected");
    SequenceSet set;
    if (after && *uid < largest) set.ranges.emplace_back(*uid + 1, largest);
    if (!after && *uid > 1) set.ranges.emplace_back(1, *uid - 1);
    return term(Term::Kind::uids, std::move(set));
}

bool SearchParser::operands(SearchKey& key, std::size_t count, std::size_t depth) {
    for (std::size_t i = 0; i < count; ++i) {
        if (i > 0 && !parser_.space()) return false;
        auto operand = this->key(depth + 1);
        if (!operand) return false;
        key.children.push_back(std::move(*operand));
    }
    return true;
}

bool SearchParser::text(std::string& out) {
    auto value = parser_.lexer.astring();
    if (!value) {
        parser_.fail("A string was expected");
    } else if (charset_ == "us-ascii" && !wire::is_ascii(*value)) {
        parser_.fail("The string is not US-ASCII");
    } else if (charset_ != utf8_charset) {
        out = mime::to_utf8(*value, charset_);
        return true;
    } else if (!wire::is_utf8(*value)) {
        parser_.fail("The string is not UTF-8");
    } else {
        out = std::move(*value);
        return true;
    }
    return false;
}

SearchKey SearchParser::term(Term::Kind kind, SequenceSet set) {
    SearchKey key = key_of(KeyKind::uids);
    key.number = static_cast<std::int64_t>(terms_.size());
    terms_.push_back({kind, std::move(set)});
    return key;
}

}  // namespace

namespace {

// In lower case. Mail has many; clients of the days before UTF-8 search in the one of their system.
bool parse_charset(Parser& parser, std::string& charset) {
    const auto name = parser.lexer.astring();
    if (!name) {
        parser.fail("A charset was expected");
        return false;
    }
    charset = wire::lower_case(*name);
    if (mime::is_known_charset(charset)) return parser.space();
    parser.refuse("BADCHARSET (US-ASCII UTF-8)", "This charset is not known");
    return false;
}

// UPDATE [SP "(" fetch-att *(SP fetch-att) ")"]
bool parse_update(Parser& parser, SearchReturn& out) {
    out.update = true;
    Lexer ahead = parser.lexer;
    if (!ahead.skip_space() || ahead.peek() != '(') return true;
    parser.lexer.skip_space();
    return parse_fetch_list(parser, out.update_items);
}

// RETURN "(" options ")" SP, when it stands there. A SORT has no contexts.
bool parse_return(Parser& parser, SearchReturn& out, bool contexts) {
    if (!parser.lexer.skip_word("RETURN")) return true;
    out.extended = true;
    const bool known = parser.space() && parse_options(parser, [&](std::string_view word) {
                           const auto is = [&](std::string_view name) {
                               return wire::equals_ignoring_case(word, name);
                           };
                           if (is("MIN")) return out.min = true;
                           if (is("MAX")) return out.max = true;
                           if (is("ALL")) return out.all = true;
                           if (is("COUNT")) return out.count = true;
                           if (is("SAVE")) return out.save = true;
                           if (is("RELEVANCY")) return out.relevancy = true;
                           // A hint that nothing here needs (RFC 5267 section 4.2).
                           if (contexts && is("CONTEXT")) return true;
                           if (contexts && is("UPDATE")) return parse_update(parser, out);
                           if (!is("PARTIAL") || out.partial || !parser.space()) return false;
                           out.partial = parse_partial_range(parser);
                           return out.partial.has_value();
                       });
    if (!known) return false;
    if (out.partial && out.all) {
        parser.fail("PARTIAL and ALL exclude each other");
        return false;
    }
    // RFC 4731 section 3.1: an empty list means ALL; SAVE alone shows nothing.
    if (!out.shows() && !out.save) out.all = true;
    return parser.space();
}

bool is_fuzzy(const SearchKey& key) {
    return key.kind == KeyKind::fuzzy ||
           std::any_of(key.children.begin(), key.children.end(), is_fuzzy);
}

MaybeCommand parse_program(Parser& parser, command::Search out, std::string charset) {
    SearchParser search(parser, std::move(charset));
    auto root = search.keys(1);
    if (!root) return std::nullopt;
    out.program = search.finish(std::move(*root));
    const bool ranked = std::any_of(out.sort.begin(), out.sort.end(), [](const SortKey& key) {
        return key.by == SortKey::By::relevancy;
    });
    // RFC 6203 sections 4 and 6.
    if ((ranked || out.returns.relevancy) && !is_fuzzy(out.program.root)) {
        return parser.fail("RELEVANCY needs a FUZZY search key");
    }
    return out;
}

std::optional<std::vector<SortKey>> parse_sort_keys(Parser& parser) {
    using By = SortKey::By;
    static constexpr std::pair<std::string_view, By> names[] = {{"ARRIVAL", By::arrival},
                                                                {"CC", By::cc},
                                                                {"DATE", By::date},
                                                                {"FROM", By::from},
                                                                {"SIZE", By::size},
                                                                {"SUBJECT", By::subject},
                                                                {"TO", By::to},
                                                                {"DISPLAYFROM", By::display_from},
                                                                {"DISPLAYTO", By::display_to},
                                                                {"RELEVANCY", By::relevancy}};
    std::vector<SortKey> out;
    bool reverse = false;
    const bool known = parse_options(parser, [&](std::string_view word) {
        if (wire::equals_ignoring_case(word, "REVERSE")) return !std::exchange(reverse, true);
        for (const auto& [name, by] : names) {
            if (!wire::equals_ignoring_case(word, name) || out.size() == max_sort_keys) continue;
            out.push_back({by, std::exchange(reverse, false)});
            return true;
        }
        return false;
    });
    if (!known) return std::nullopt;
    if (out.empty() || reverse) return parser.fail("A sort criterion was expected");
    return out;
}

}  // namespace

MaybeCommand parse_search(Parser& parser, bool uid) {
    if (!parser.space()) return std::nullopt;
    command::Search out;
    out.uid = uid;
    if (!parse_return(parser, out.returns, true)) return std::nullopt;
    std::string charset = utf8_charset;
    if (parser.lexer.skip_word("CHARSET")) {
        if (parser.dialect.only_utf8) {
            return parser.fail("After UTF8=ACCEPT a search names no charset");
        }
        if (!parser.space() || !parse_charset(parser, charset)) {
            parser.rejection.forgets_saved = out.returns.save && !parser.rejection.bad;
            return std::nullopt;
        }
    }
    return parse_program(parser, std::move(out), std::move(charset));
}

MaybeCommand parse_sort(Parser& parser, bool uid) {
    if (!parser.space()) return std::nullopt;
    command::Search out;
    out.uid = uid;
    if (!parse_return(parser, out.returns, false)) return std::nullopt;
    auto keys = parse_sort_keys(parser);
    std::string charset = utf8_charset;
    if (!keys || !parser.space() || !parse_charset(parser, charset)) {
        parser.rejection.forgets_saved = out.returns.save && !parser.rejection.bad;
        return std::nullopt;
    }
    out.sort = std::move(*keys);
    return parse_program(parser, std::move(out), std::move(charset));
}

MaybeCommand parse_cancel_update(Parser& parser) {
    command::CancelUpdate out;
    do {
        if (!parser.space()) return std::nullopt;
        auto tag = parser.lexer.string();
        if (!tag) return parser.fail("A tag in quotes was expected");
        if (out.tags.size() == max_search_contexts) return parser.fail("There are too many tags");
        out.tags.push_back(std::move(*tag));
    } while (!parser.lexer.at_end());
    return out;
}

MaybeCommand parse_thread(Parser& parser, bool uid) {
    if (!parser.space()) return std::nullopt;
    command::Search out;
    out.uid = uid;
    if (parser.lexer.skip_word("ORDEREDSUBJECT")) {
        out.thread = ThreadAlgorithm::ordered_subject;
    } else if (parser.lexer.skip_word("REFERENCES")) {
        out.thread = ThreadAlgorithm::references;
    } else {
        return parser.fail("This THREAD algorithm is not known");
    }
    std::string charset = utf8_charset;
    if (!parser.space() || !parse_charset(parser, charset)) return std::nullopt;
    return parse_program(parser, std::move(out), std::move(charset));
}

}  // namespace postern::imap

// What the parts of the grammar share: a lexer and the first error. Internal to the grammar.
#pragma once

#include "protocols/imap/command.h"
#include "protocols/imap/grammar.h"
#include "protocols/imap/lexer.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace postern::imap {

struct Parser {
    explicit Parser(std::string_view text, const Dialect& its_dialect = {})
        : lexer(text), dialect(its_dialect) {}

    Lexer lexer;
    Dialect dialect;
    Rejection rejection;
    std::string respelled;  // the last mailbox's name as it was given, where that is another

    std::nullopt_t fail(std::string text) {
        if (rejection.text.empty()) rejection.text = std::move(text);
        return std::nullopt;
    }
    std::nullopt_t refuse(std::string code, std::string text) {
        if (rejection.text.empty()) rejection = {false, std::move(code), std::move(text), false};
        return std::nullopt;
    }
    std::nullopt_t refuse_bad(std::string code, std::string text) {
        if (rejection.text.empty()) rejection = {true, std::move(code), std::move(text), false};
        return std::nullopt;
    }
    bool space() {
        if (lexer.skip_space()) return true;
        fail(lexer.at_end() ? "Arguments are missing" : "A space was expected");
        return false;
    }
    // SP and the argument.
    std::optional<std::string> space_astring(const char* what);
    std::optional<std::string> space_mailbox();      // UTF-8, INBOX in capitals
    std::optional<std::string> space_new_mailbox();  // fit to be created
    std::optional<SequenceSet> space_sequence_set();
    // nullopt: refused.
    std::optional<std::string> mailbox_name(const std::string& raw);
    std::optional<ModSeq> space_modseq(const char* what);  // SP number
    std::optional<Flags> flag_list();                      // with parentheses
    std::optional<Flags> space_flags();                    // with or without them (STORE)
};

// Reads "(" [word *(SP word)] ")", giving each word to `take`, which reads on when a word has
// arguments and says whether it is known.
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

// "1:500" or "-1:-100" (RFC 9394).
std::optional<PartialRange> parse_partial_range(Parser& parser);
// The bracket of BODY[ or BINARY[ onwards; `item` holds the kind and the label so far.
bool parse_section(Parser& parser, FetchItem& item);
// "(" item *(SP item) ")" of FETCH.
bool parse_fetch_list(Parser& parser, std::vector<FetchItem>& items);
// "(" item *(SP item) ")" of STATUS.
bool parse_status_items(Parser& parser, std::vector<command::Status::Item>& items);

// "/private/..." or "/shared/...", in lower case (RFC 5464).
std::optional<std::string> parse_metadata_entry(Parser& parser);

using MaybeCommand = std::optional<command::Any>;

MaybeCommand parse_create(Parser& parser);
MaybeCommand parse_delete(Parser& parser);
MaybeCommand parse_rename(Parser& parser);
MaybeCommand parse_subscribe(Parser& parser);
MaybeCommand parse_unsubscribe(Parser& parser);
MaybeCommand parse_list(Parser& parser);
MaybeCommand parse_lsub(Parser& parser);
MaybeCommand parse_xlist(Parser& parser);
MaybeCommand parse_status(Parser& parser);
MaybeCommand parse_get_quota(Parser& parser);
MaybeCommand parse_get_quota_root(Parser& parser);
MaybeCommand parse_set_quota(Parser& parser);
MaybeCommand parse_get_metadata(Parser& parser);
MaybeCommand parse_set_metadata(Parser& parser);
MaybeCommand parse_notify(Parser& parser);
MaybeCommand parse_get_acl(Parser& parser);
MaybeCommand parse_my_rights(Parser& parser);
MaybeCommand parse_list_rights(Parser& parser);
MaybeCommand parse_set_acl(Parser& parser);
MaybeCommand parse_delete_acl(Parser& parser);
MaybeCommand parse_select(Parser& parser);
MaybeCommand parse_examine(Parser& parser);
MaybeCommand parse_search(Parser& parser, bool uid);
MaybeCommand parse_cancel_update(Parser& parser);
MaybeCommand parse_sort(Parser& parser, bool uid);
MaybeCommand parse_thread(Parser& parser, bool uid);
MaybeCommand parse_fetch(Parser& parser, bool uid);
MaybeCommand parse_store(Parser& parser, bool uid);
MaybeCommand parse_copy(Parser& parser, bool uid);
MaybeCommand parse_move(Parser& parser, bool uid);

}  // namespace postern::imap

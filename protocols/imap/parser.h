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
    explicit Parser(std::string_view text) : lexer(text) {}

    Lexer lexer;
    Rejection rejection;

    std::nullopt_t fail(std::string text) {
        if (rejection.text.empty()) rejection.text = std::move(text);
        return std::nullopt;
    }
    std::nullopt_t refuse(std::string code, std::string text) {
        if (rejection.text.empty()) rejection = {false, std::move(code), std::move(text)};
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
    std::optional<Flags> flag_list();    // with parentheses
    std::optional<Flags> space_flags();  // with or without them (STORE)
};

using MaybeCommand = std::optional<command::Any>;

MaybeCommand parse_create(Parser& parser);
MaybeCommand parse_delete(Parser& parser);
MaybeCommand parse_rename(Parser& parser);
MaybeCommand parse_subscribe(Parser& parser);
MaybeCommand parse_unsubscribe(Parser& parser);
MaybeCommand parse_list(Parser& parser);
MaybeCommand parse_lsub(Parser& parser);
MaybeCommand parse_status(Parser& parser);
MaybeCommand parse_select(Parser& parser);
MaybeCommand parse_examine(Parser& parser);
MaybeCommand parse_search(Parser& parser, bool uid);
MaybeCommand parse_fetch(Parser& parser, bool uid);
MaybeCommand parse_store(Parser& parser, bool uid);
MaybeCommand parse_copy(Parser& parser, bool uid);
MaybeCommand parse_move(Parser& parser, bool uid);

}  // namespace postern::imap

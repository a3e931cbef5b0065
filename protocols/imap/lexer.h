// The tokens of RFC 3501 section 9, read from one whole command. Each function consumes what it
// names and returns it, or consumes nothing and returns nullopt (false).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::imap {

// ATOM-CHAR, and ASTRING-CHAR, which is that and ']'.
bool is_atom_char(char c);
bool is_astring_char(char c);

class Lexer {
public:
    // text: a command as Framer gives it, without its last CR LF. Must outlive the lexer.
    explicit Lexer(std::string_view text) : text_(text) {}

    bool at_end() const { return at_ == text_.size(); }
    std::string_view rest() const { return text_.substr(at_); }
    char peek() const { return at_end() ? '\0' : text_[at_]; }

    bool skip(char c);
    bool skip_space() { return skip(' '); }
    // A whole atom equal to word without regard to case.
    bool skip_word(std::string_view word);

    std::optional<std::string_view> atom();
    std::optional<std::string_view> tag();
    // Letters, digits and dots, as in the names of FETCH items and body sections; may be empty.
    std::string_view dotted_word();
    std::string_view letters();  // may be empty
    // Quoted or literal. 8-bit bytes are taken in both, NUL in none.
    std::optional<std::string> string();
    std::optional<std::string> astring();
    std::optional<std::string> any_bytes();  // as string, and NUL in a literal8 (RFC 3516)
    std::optional<std::string> list_mailbox();  // as astring, with the wildcards % and *
    std::optional<std::uint32_t> number();
    std::optional<std::uint32_t> nz_number();
    std::optional<std::uint64_t> number64();

private:
    std::optional<std::string> quoted();
    std::optional<std::string> literal(bool with_nul = false);
    template <class Is>
    std::string_view run(Is is);

    std::string_view text_;
    std::size_t at_ = 0;
};

}  // namespace postern::imap

#include "protocols/imap/lexer.h"

#include "protocols/wire/text.h"

#include <array>
#include <limits>

namespace postern::imap {

namespace {

constexpr std::array<bool, 256> make_atom_chars() {
    std::array<bool, 256> out{};
    for (std::size_t c = '!'; c < 0x7f; ++c) out[c] = true;
    for (const char c : {'(', ')', '{', '%', '*', '"', '\\', ']'}) {
        out[static_cast<std::size_t>(c)] = false;
    }
    return out;
}

constexpr std::array<bool, 256> atom_chars = make_atom_chars();

}  // namespace

bool is_atom_char(char c) {
    return atom_chars[static_cast<std::uint8_t>(c)];
}

bool is_astring_char(char c) {
    return is_atom_char(c) || c == ']';
}

template <class Is>
std::string_view Lexer::run(Is is) {
    const std::size_t begin = at_;
    while (at_ < text_.size() && is(text_[at_])) ++at_;
    return text_.substr(begin, at_ - begin);
}

bool Lexer::skip(char c) {
    if (peek() != c || at_end()) return false;
    ++at_;
    return true;
}

bool Lexer::skip_word(std::string_view word) {
    const std::size_t begin = at_;
    if (wire::equals_ignoring_case(run(is_atom_char), word)) return true;
    at_ = begin;
    return false;
}

std::optional<std::string_view> Lexer::atom() {
    const std::string_view found = run(is_atom_char);
    return found.empty() ? std::nullopt : std::optional(found);
}

std::optional<std::string_view> Lexer::tag() {
    const std::string_view found = run([](char c) { return is_astring_char(c) && c != '+'; });
    return found.empty() ? std::nullopt : std::optional(found);
}

std::string_view Lexer::dotted_word() {
    return run([](char c) { return wire::is_alpha(c) || wire::is_digit(c) || c == '.'; });
}

std::string_view Lexer::letters() {
    return run(wire::is_alpha);
}

std::optional<std::string> Lexer::quoted() {
    const std::size_t begin = at_;
    if (!skip('"')) return std::nullopt;
    std::string out;
    while (!at_end()) {
        char c = text_[at_++];
        if (c == '"') return out;
        if (c == '\\') {
            c = peek();
            if (at_end() || (c != '"' && c != '\\')) break;
            ++at_;
        } else if (c == '\0' || c == '\r' || c == '\n') {
            break;
        }
        out += c;
    }
    at_ = begin;
    return std::nullopt;
}

std::optional<std::string> Lexer::literal(bool with_nul) {
    const std::size_t begin = at_;
    const bool literal8 = skip('~');
    if (skip('{')) {
        const auto size = number64();
        if (size && skip('}') && skip('\r') && skip('\n') && *size <= text_.size() - at_) {
            const std::string_view bytes = text_.substr(at_, *size);
            if ((literal8 && with_nul) || bytes.find('\0') == std::string_view::npos) {
                at_ += *size;
                return std::string(bytes);
            }
        }
    }
    at_ = begin;
    return std::nullopt;
}

std::optional<std::string> Lexer::string() {
    return peek() == '"' ? quoted() : literal();
}

std::optional<std::string> Lexer::any_bytes() {
    return peek() == '"' ? quoted() : literal(true);
}

std::optional<std::string> Lexer::astring() {
    if (is_astring_char(peek())) return std::string(run(is_astring_char));
    return string();
}

std::optional<std::string> Lexer::list_mailbox() {
    const auto is_list_char = [](char c) { return is_astring_char(c) || c == '%' || c == '*'; };
    if (is_list_char(peek())) return std::string(run(is_list_char));
    return string();
}

std::optional<std::uint64_t> Lexer::number64() {
    const std::size_t begin = at_;
    const auto value = wire::parse_number(run(wire::is_digit));
    if (!value) at_ = begin;
    return value;
}

std::optional<std::uint32_t> Lexer::number() {
    const std::size_t begin = at_;
    const auto value = number64();
    if (value && *value <= std::numeric_limits<std::uint32_t>::max()) {
        return static_cast<std::uint32_t>(*value);
    }
    at_ = begin;
    return std::nullopt;
}

std::optional<std::uint32_t> Lexer::nz_number() {
    const std::size_t begin = at_;
    const auto value = number();
    if (value && *value != 0) return value;
    at_ = begin;
    return std::nullopt;
}

}  // namespace postern::imap

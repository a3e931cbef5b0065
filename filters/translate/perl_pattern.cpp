#include "filters/translate/perl_pattern.h"

#include "filters/patterns/vetting.h"

#include <cstdio>

namespace postern::filters {

namespace {

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

char closing(char open) {
    switch (open) {
        case '{':
            return '}';
        case '(':
            return ')';
        case '[':
            return ']';
        case '<':
            return '>';
        default:
            return open;
    }
}

std::string escaped_byte(char c) {
    char text[8];
    std::snprintf(text, sizeof text, "\\x%02x", static_cast<unsigned char>(c));
    return text;
}

std::string utf8_of(unsigned long code) {
    std::string out;
    if (code < 0x80) {
        out += static_cast<char>(code);
    } else if (code < 0x800) {
        out += static_cast<char>(0xC0 | code >> 6);
        out += static_cast<char>(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        out += static_cast<char>(0xE0 | code >> 12);
        out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
        out += static_cast<char>(0x80 | (code & 0x3F));
    } else {
        out += static_cast<char>(0xF0 | (code >> 18 & 0x07));
        out += static_cast<char>(0x80 | (code >> 12 & 0x3F));
        out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
        out += static_cast<char>(0x80 | (code & 0x3F));
    }
    return out;
}

// Copies a pattern piece by piece and writes anew what only Perl understands.
class Rewriter {
public:
    explicit Rewriter(std::string_view pattern) : pattern_(pattern) {}

    void run() {
        while (at_ < pattern_.size() && reason_.empty()) {
            const char c = pattern_[at_];
            if (c == '\\') {
                escape();
            } else if (in_class_) {
                class_character(c);
            } else if (c == '[') {
                begin_class();
            } else if (c == '(' && next() == '?') {
                group();
            } else if (c == '+' && after_repeat_) {
                ++at_;
                after_repeat_ = false;
                note("possessive repeats made plain");
            } else {
                plain(c);
            }
        }
    }

    std::string out() && { return std::move(out_); }
    const std::string& reason() const { return reason_; }
    const std::string& changes() const { return changes_; }

private:
    char next(std::size_t ahead = 1) const {
        return at_ + ahead < pattern_.size() ? pattern_[at_ + ahead] : '\0';
    }
    void note(std::string_view change) {
        if (changes_.find(change) != std::string::npos) return;
        if (!changes_.empty()) changes_ += ", ";
        changes_ += change;
    }

    void plain(char c) {
        if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7F) {
            out_ += escaped_byte(c);
        } else {
            out_ += c;
        }
        ++at_;
        const bool braces = c == '}' && out_.find('{') != std::string::npos;
        after_repeat_ = c == '*' || c == '+' || c == '?' || braces;
        if (c == '}' && !is_repeat_end()) after_repeat_ = false;
    }

    // Whether the text that ends in '}' is "{2}", "{2,}" or "{2,3}".
    bool is_repeat_end() const {
        const std::size_t open = out_.rfind('{');
        if (open == std::string::npos || open + 2 > out_.size()) return false;
        const auto inside = std::string_view(out_).substr(open + 1, out_.size() - open - 2);
        return !inside.empty() && inside.find_first_not_of("0123456789,") == inside.npos;
    }

    void begin_class() {
        in_class_ = true;
        after_repeat_ = false;
        out_ += '[';
        ++at_;
        if (at_ < pattern_.size() && pattern_[at_] == '^') out_ += pattern_[at_++];
        if (at_ < pattern_.size() && pattern_[at_] == ']') {
            out_ += "\\]";
            ++at_;
        }
    }

    void class_character(char c) {
        if (c == '[' && next() == ':') {
            const std::size_t end = pattern_.find(":]", at_ + 2);
            if (end != std::string_view::npos) {
                out_ += pattern_.substr(at_, end + 2 - at_);
                at_ = end + 2;
                return;
            }
        }
        if (c == '[') {
            out_ += "\\[";
            ++at_;
            return;
        }
        plain(c);
        after_repeat_ = false;
        if (c == ']') in_class_ = false;
    }

    void escape() {
        after_repeat_ = false;
        const char c = next();
        if (c == '\0') {
            reason_ = "it ends in a backslash";
        } else if (c >= '1' && c <= '9' && !in_class_) {
            reason_ = "back references are not in Hyperscan's subset";
        } else if (c == 'g' || c == 'k' || c == 'K' || c == 'G') {
            reason_ = std::string("\\") + c + " is not in Hyperscan's subset";
        } else if (c == 'x' && next(2) == '{') {
            code_point();
        } else if (is_letter(c) || (c >= '0' && c <= '9')) {
            out_ += '\\';
            out_ += c;
            at_ += 2;
        } else if (static_cast<unsigned char>(c) >= 0x7F || static_cast<unsigned char>(c) < 0x20) {
            ++at_;
            plain(c);
        } else {
            // Only where it is needed, so that what is written reads well.
            constexpr std::string_view special = "\\^$.[]|()?*+{}-#\" ";
            if (special.find(c) != std::string_view::npos) out_ += '\\';
            out_ += c;
            at_ += 2;
        }
    }

    void code_point() {
        const std::size_t end = pattern_.find('}', at_);
        unsigned long code = 0;
        const std::string digits(
            pattern_.substr(at_ + 3, end == std::string_view::npos ? 0 : end - at_ - 3));
        if (digits.empty() || digits.size() > 6 || std::sscanf(digits.c_str(), "%lx", &code) != 1) {
            reason_ = "an unreadable \\x{...}";
            return;
        }
        if (in_class_ && code >= 0x80) {
            reason_ = "a character beyond ASCII in a class";
            return;
        }
        if (code >= 0x80) out_ += "(?:";
        for (const char byte : utf8_of(code)) out_ += escaped_byte(byte);
        if (code >= 0x80) out_ += ')';
        at_ = end + 1;
    }

    void group() {
        after_repeat_ = false;
        const std::string_view rest = pattern_.substr(at_);
        if (rest.starts_with("(?=") || rest.starts_with("(?!") || rest.starts_with("(?<=") ||
            rest.starts_with("(?<!")) {
            reason_ = "look-around is not in Hyperscan's subset";
        } else if (rest.starts_with("(?(")) {
            reason_ = "conditions are not in Hyperscan's subset";
        } else if (rest.starts_with("(?{") || rest.starts_with("(??")) {
            reason_ = "it runs Perl code";
        } else if (rest.starts_with("(?#")) {
            const std::size_t end = pattern_.find(')', at_);
            at_ = end == std::string_view::npos ? pattern_.size() : end + 1;
        } else if (rest.starts_with("(?>")) {
            out_ += "(?:";
            at_ += 3;
            note("atomic groups made plain");
        } else if (rest.starts_with("(?|")) {
            out_ += "(?:";
            at_ += 3;
        } else if (rest.starts_with("(?P<") || rest.starts_with("(?<")) {
            const std::size_t end = pattern_.find('>', at_);
            out_ += "(?:";
            at_ = end == std::string_view::npos ? pattern_.size() : end + 1;
        } else {
            out_ += "(?";
            at_ += 2;
            // "(?^:" means: no modifiers of the surroundings; Perl prints patterns so.
            if (at_ < pattern_.size() && pattern_[at_] == '^') ++at_;
        }
    }

    std::string_view pattern_;
    std::size_t at_ = 0;
    bool in_class_ = false;
    bool after_repeat_ = false;
    std::string out_;
    std::string reason_;
    std::string changes_;
};

}  // namespace

Result<PerlPattern> read_perl_pattern(std::string_view text) {
    if (text.starts_with("m") && text.size() > 1 && !is_letter(text[1])) text.remove_prefix(1);
    const char close = text.empty() ? '\0' : closing(text[0]);
    const std::size_t end = text.rfind(close);
    if (text.size() < 2 || end == 0 || end == std::string_view::npos || is_letter(text[0])) {
        return Error{Errc::invalid, "the pattern is not written as /.../"};
    }
    PerlPattern perl{std::string(text.substr(1, end - 1)), std::string(text.substr(end + 1))};
    if (perl.flags.find_first_not_of("imsxogualn") != std::string::npos) {
        return Error{Errc::invalid, "the pattern ends in unknown flags \"" + perl.flags + "\""};
    }
    return perl;
}

Result<TranslatedPattern> translate_pattern(const PerlPattern& perl, Target target) {
    Rewriter rewriter(perl.body);
    rewriter.run();
    if (!rewriter.reason().empty()) return Error{Errc::unsupported, rewriter.reason()};
    TranslatedPattern result;
    result.changes = rewriter.changes();
    const std::string plain = std::move(rewriter).out();
    std::string bounded = bound_repeats(plain, target);
    if (bounded != plain) {
        if (!result.changes.empty()) result.changes += ", ";
        result.changes += "repeats got a bound";
    }
    std::string modifiers;
    for (const char flag : std::string_view("smx")) {
        if (perl.flags.find(flag) != std::string::npos) modifiers += flag;
    }
    const bool lines = is_long(target) && target != Target::body && target != Target::source;
    if (lines && perl.flags.find('m') == std::string::npos) modifiers += "-m";
    result.caseless = perl.flags.find('i') != std::string::npos;
    if (!modifiers.empty()) result.pattern = "(?" + modifiers + ")";
    result.pattern += bounded;
    return result;
}

}  // namespace postern::filters

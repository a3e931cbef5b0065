#include "filters/patterns/looser.h"

namespace postern::filters {

namespace {

bool take(std::string_view& text, std::string_view prefix) {
    if (!text.starts_with(prefix)) return false;
    text.remove_prefix(prefix.size());
    return true;
}

bool take_scheme(std::string_view& pattern) {
    take(pattern, "^");
    if (!take(pattern, "http")) return false;
    if (take(pattern, "s")) take(pattern, "?");
    return take(pattern, "://") || take(pattern, ":\\/\\/");
}

bool is_alnum(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_among(char c, std::string_view all) {
    return all.find(c) != std::string_view::npos;
}

// After the class that begins at `at`; npos: it has no end.
std::size_t after_class(std::string_view pattern, std::size_t at) {
    ++at;
    if (pattern.substr(at, 1) == "^") ++at;
    for (bool first = true; at < pattern.size(); first = false) {
        if (pattern[at] == ']' && !first) return at + 1;
        if (pattern[at] == '\\') {
            at += 2;
        } else if (pattern.substr(at, 2) == "[:") {
            const std::size_t end = pattern.find(":]", at + 2);
            if (end == std::string_view::npos) return end;
            at = end + 2;
        } else {
            ++at;
        }
    }
    return std::string_view::npos;
}

// Looks whether a match of a pattern is a match of each of its parts one after the other, of which
// one is a literal that is long enough, or a choice of such.
class LiteralReader {
public:
    explicit LiteralReader(std::string_view pattern) : pattern_(pattern) {}

    // Unsure: false.
    bool found() {
        const bool found = read_choice(0);
        return found && sure_ && at_ == pattern_.size();
    }

private:
    bool at(std::string_view signs) const {
        return at_ < pattern_.size() && is_among(pattern_[at_], signs);
    }

    // Up to the end or to the parenthesis that closes the group. Whether each of the choices has a
    // literal.
    bool read_choice(std::size_t depth) {
        bool all = true;
        bool found = false;
        std::size_t run = 0;
        while (sure_ && at_ < pattern_.size() && !at(")")) {
            if (at("|")) {
                sure_ = depth > 0;
                all = all && found;
                found = false;
                run = 0;
                ++at_;
                continue;
            }
            bool literal = false;
            const bool group = at("(") && read_group(depth);
            if (!group) literal = read_atom();
            // What may be left out is no part of a literal.
            const bool kept = !at("?*{");
            run = literal && kept ? run + 1 : 0;
            found = found || run >= min_looser_literal || (group && group_has_literal_ && kept);
        }
        return all && found;
    }

    // True: it was one.
    bool read_group(std::size_t depth) {
        ++at_;
        if (pattern_.substr(at_, 2) == "?:") {
            at_ += 2;
        } else if (at("?")) {
            sure_ = false;  // such as flags, which may change what signs mean
        }
        if (depth == max_depth) sure_ = false;
        const bool each = read_choice(depth + 1);
        if (!at(")")) sure_ = false;
        ++at_;
        group_has_literal_ = each;
        return true;
    }

    // Whether it stands for itself.
    bool read_atom() {
        const char c = pattern_[at_];
        if (c == '[') {
            at_ = after_class(pattern_, at_);
            sure_ = sure_ && at_ != std::string_view::npos;
            return false;
        }
        if (c == '{') {
            const std::size_t end = pattern_.find_first_not_of("0123456789,", at_ + 1);
            at_ = end != std::string_view::npos && pattern_[end] == '}' ? end + 1 : at_ + 1;
            return false;
        }
        if (c != '\\') {
            ++at_;
            return !is_among(c, ".^$?*+}");
        }
        const bool known = at_ + 1 < pattern_.size() && !is_among(pattern_[at_ + 1], "QEc");
        sure_ = sure_ && known;
        at_ += 2;
        return known && !is_alnum(pattern_[at_ - 1]);
    }

    static constexpr std::size_t max_depth = 20;
    std::string_view pattern_;
    std::size_t at_ = 0;
    bool sure_ = true;
    bool group_has_literal_ = false;  // of the group read last
};

}  // namespace

std::string_view looser(std::string_view pattern, Target target) {
    if (target != Target::url) return pattern;
    std::string_view rest = pattern;
    if (!take_scheme(rest) || rest.empty() || is_among(rest[0], "?*+{")) return pattern;
    return LiteralReader(rest).found() ? rest : pattern;
}

}  // namespace postern::filters

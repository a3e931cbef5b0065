#include "filters/patterns/vetting.h"

#include <algorithm>
#include <cmath>
#include <string_view>

namespace postern::filters {

namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

Error refused(const std::string& why) {
    return {Errc::invalid, why};
}

// Walks a pattern atom by atom, just deep enough to see what each repeat repeats. The pattern's
// syntax itself is the compiler's to judge.
class RepeatReader {
public:
    explicit RepeatReader(std::string_view pattern) : pattern_(pattern) {}

    // The first repeat that is not fit for long text; empty: none.
    std::string find_unfit(bool long_text) {
        while (at_ < pattern_.size()) {
            read_atom();
            const std::string reason = read_repeat(long_text);
            if (!reason.empty()) return reason;
        }
        return {};
    }

private:
    bool at(char c) const { return at_ < pattern_.size() && pattern_[at_] == c; }

    void read_atom() {
        atom_begin_ = at_;
        wide_ = false;
        const char c = pattern_[at_++];
        if (c == '.') {
            wide_ = true;
        } else if (c == ')') {
            wide_ = true;
            atom_begin_ = open_groups_.empty() ? at_ - 1 : open_groups_.back();
            if (!open_groups_.empty()) open_groups_.pop_back();
        } else if (c == '(') {
            open_groups_.push_back(at_ - 1);
        } else if (c == '\\' && at_ < pattern_.size()) {
            read_escape();
        } else if (c == '[') {
            read_class();
        }
    }

    void read_escape() {
        const char c = pattern_[at_++];
        wide_ = c == 'S' || c == 'D' || c == 'W' || c == 'N' || c == 'X' || c == 'C';
        if (c != 'Q') return;
        // \Q...\E: plain characters.
        const std::size_t end = pattern_.find("\\E", at_);
        at_ = end == std::string_view::npos ? pattern_.size() : end + 2;
    }

    void read_class() {
        wide_ = at('^');
        if (wide_) ++at_;
        if (at(']')) ++at_;
        while (at_ < pattern_.size() && pattern_[at_] != ']') {
            if (pattern_[at_] == '\\' && at_ + 1 < pattern_.size()) {
                const char c = pattern_[++at_];
                wide_ = wide_ || c == 'S' || c == 'D' || c == 'W';
            } else if (pattern_.substr(at_, 2) == "[:") {
                const std::size_t end = pattern_.find(":]", at_ + 2);
                if (end != std::string_view::npos) at_ = end + 1;
            }
            ++at_;
        }
        if (at_ < pattern_.size()) ++at_;
    }

    std::string read_repeat(bool long_text) {
        const std::size_t atom_end = at_;
        bool unbounded = false;
        std::size_t bound = 0;
        if (at('*') || at('+')) {
            unbounded = true;
            ++at_;
        } else if (!read_braces(unbounded, bound)) {
            return {};
        }
        if (at('?') || at('+')) ++at_;
        const std::string atom(pattern_.substr(atom_begin_, atom_end - atom_begin_));
        if (bound > max_repeat) {
            return "a repeat of \"" + atom + "\" up to " + std::to_string(bound) +
                   " times; at most " + std::to_string(max_repeat) + " are allowed";
        }
        if (unbounded && wide_ && long_text) {
            return "an unbounded repeat of \"" + atom + "\"; write a bound, as in " + atom +
                   "{0,200}";
        }
        if (wide_) total_ += bound;
        if (total_ > max_wide_repeat_total) return "its bounded repeats add up to too many";
        return {};
    }

    // {n}, {n,} or {n,m}; anything else is plain text.
    bool read_braces(bool& unbounded, std::size_t& bound) {
        if (!at('{')) return false;
        std::size_t i = at_ + 1;
        const auto number = [&] {
            std::size_t value = 0;
            for (; i < pattern_.size() && is_digit(pattern_[i]); ++i) {
                value = std::min<std::size_t>(value * 10 + (pattern_[i] - '0'), 1'000'000);
            }
            return value;
        };
        if (i >= pattern_.size() || !is_digit(pattern_[i])) return false;
        bound = number();
        if (i < pattern_.size() && pattern_[i] == ',') {
            ++i;
            unbounded = i < pattern_.size() && pattern_[i] == '}';
            if (!unbounded) bound = number();
        }
        if (i >= pattern_.size() || pattern_[i] != '}') return false;
        at_ = i + 1;
        return true;
    }

    std::string_view pattern_;
    std::size_t at_ = 0;
    std::size_t atom_begin_ = 0;
    bool wide_ = false;  // the last atom matches almost anything
    std::size_t total_ = 0;
    std::vector<std::size_t> open_groups_;
};

bool is_name(const std::string& name) {
    return !name.empty() && name.size() <= max_rule_name_bytes &&
           std::all_of(name.begin(), name.end(),
                       [](char c) { return is_digit(c) || (c >= 'A' && c <= 'Z') || c == '_'; });
}

}  // namespace

Result<ParsedTarget> parse_target(const std::string& text) {
    if (text == "body") return ParsedTarget{Target::body, ""};
    if (text == "raw") return ParsedTarget{Target::raw, ""};
    if (text == "url") return ParsedTarget{Target::url, ""};
    if (text == "header:*") return ParsedTarget{Target::all_headers, ""};
    constexpr std::string_view prefix = "header:";
    std::string header = text.starts_with(prefix) ? text.substr(prefix.size()) : "";
    if (header.empty() || header.size() > max_rule_name_bytes) {
        return refused("target \"" + text + "\" is none of header:NAME, header:*, body, raw, url");
    }
    for (char& c : header) {
        if (c <= ' ' || c > '~' || c == ':' || c == '*') {
            return refused("target \"" + text + "\" names no header field");
        }
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return ParsedTarget{Target::header, std::move(header)};
}

Result<void> check_rule(const Rule& rule) {
    if (!is_name(rule.name)) {
        return refused("the name must be 1 to " + std::to_string(max_rule_name_bytes) +
                       " of A-Z, 0-9 and _");
    }
    if (!(std::abs(rule.score) <= max_symbol_score)) {
        return refused("the score must lie between -100 and 100");
    }
    const auto target = parse_target(rule.target);
    if (!target) return target.error();
    if (rule.pattern.empty()) return refused("the pattern is empty");
    if (rule.pattern.size() > max_pattern_bytes) {
        return refused("the pattern is longer than " + std::to_string(max_pattern_bytes) +
                       " bytes");
    }
    if (rule.pattern.find('\0') != std::string::npos) return refused("the pattern holds a NUL");
    const bool long_text = target->target == Target::body || target->target == Target::raw;
    const std::string reason = RepeatReader(rule.pattern).find_unfit(long_text);
    if (!reason.empty()) return refused("the pattern has " + reason);
    return {};
}

}  // namespace postern::filters

#include "filters/patterns/vetting.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string_view>
#include <utility>

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

    std::size_t states() {
        constexpr std::size_t most = 1'000'000'000;
        std::vector<std::size_t> sums{0};  // of each open group, the whole pattern first
        while (at_ < pattern_.size()) {
            const char c = pattern_[at_];
            read_atom();
            const bool sign = std::string_view("(|^?").find(c) != std::string_view::npos ||
                              (c == ':' && at_ > 1 && pattern_[at_ - 2] == '?');
            std::size_t atom = sign ? 0 : 1;
            if (c == '(') sums.push_back(0);
            if (c == ')' && sums.size() > 1) {
                atom = sums.back();
                sums.pop_back();
            }
            const std::size_t begin = at_;
            read_repeat(false);
            const std::string_view repeat = pattern_.substr(begin, at_ - begin);
            if (repeat.starts_with('{')) {
                const std::size_t comma = repeat.find(',');
                const char* number = repeat.data() + (comma == repeat.npos ? 1 : comma + 1);
                const std::size_t times = std::strtoul(number, nullptr, 10);
                const std::size_t most_times = c == ')' ? max_repeat : cheap_repeat;
                atom *= std::clamp<std::size_t>(times, 1, most_times);
            }
            sums.back() = std::min(most, sums.back() + atom);
        }
        std::size_t total = 0;
        for (const std::size_t sum : sums) total = std::min(most, total + sum);
        return total;
    }

    // The whole pattern again, with bounds where there were none.
    std::string bounded(bool long_text) {
        std::string out;
        while (at_ < pattern_.size()) {
            const std::size_t begin = at_;
            read_atom();
            const std::size_t atom_end = at_;
            read_repeat(false);
            const std::string_view repeat = pattern_.substr(atom_end, at_ - atom_end);
            out += pattern_.substr(begin, atom_end - begin);
            const bool open = repeat.starts_with('*') || repeat.starts_with('+') ||
                              repeat.find(",}") != std::string_view::npos;
            if (!open || !wide_ || !long_text) {
                out += repeat;
                continue;
            }
            const bool group = pattern_[atom_end - 1] == ')';
            const std::size_t reach = group ? usual_group_bound : usual_repeat_bound;
            std::size_t least = repeat.starts_with('+') ? 1 : 0;
            if (repeat.starts_with('{')) least = std::strtoul(repeat.data() + 1, nullptr, 10);
            out += '{' + std::to_string(least) + ',' + std::to_string(least + reach) + '}';
            if (repeat.ends_with('?')) out += '?';
        }
        return out;
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

// "NAME" or, for header, "NAME:raw" and so on.
Result<ParsedTarget> parse_field(Target target, std::string name, const std::string& text) {
    ParsedTarget parsed{target, "", Form::value};
    const std::size_t colon = name.find(':');
    if (target == Target::header && colon != std::string::npos) {
        const std::string form = name.substr(colon + 1);
        parsed.form = form == "raw"    ? Form::raw
                      : form == "addr" ? Form::address
                      : form == "name" ? Form::name
                                       : Form::value;
        if (parsed.form == Form::value) {
            return refused("target \"" + text + "\" ends in none of :raw, :addr, :name");
        }
        name.resize(colon);
    }
    if (name.empty() || name.size() > max_rule_name_bytes) {
        return refused("target \"" + text + "\" names no header field");
    }
    for (char& c : name) {
        if (c <= ' ' || c > '~' || c == ':' || c == '*') {
            return refused("target \"" + text + "\" names no header field");
        }
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    parsed.name = std::move(name);
    return parsed;
}

}  // namespace

Result<ParsedTarget> parse_target(const std::string& text) {
    constexpr std::pair<const char*, Target> whole[] = {
        {"header:*", Target::all_headers}, {"head", Target::head}, {"body", Target::body},
        {"source", Target::source},        {"raw", Target::raw},   {"url", Target::url}};
    for (const auto& [name, target] : whole) {
        if (text == name) return ParsedTarget{target, "", Form::value};
    }
    constexpr std::pair<std::string_view, Target> fields[] = {
        {"header:", Target::header}, {"part:", Target::part}, {"envelope:", Target::envelope}};
    for (const auto& [prefix, target] : fields) {
        if (!text.starts_with(prefix)) continue;
        auto parsed = parse_field(target, text.substr(prefix.size()), text);
        if (!parsed || target != Target::envelope) return parsed;
        constexpr std::string_view facts[] = {"from", "to", "helo", "client"};
        if (std::find(std::begin(facts), std::end(facts), parsed->name) != std::end(facts)) {
            return parsed;
        }
        return refused("target \"" + text + "\" is none of envelope:from, to, helo, client");
    }
    return refused("target \"" + text +
                   "\" is none of header:NAME, header:*, head, part:NAME, envelope:WHAT, body, "
                   "source, raw, url");
}

std::string find_unfit_repeat(std::string_view pattern, Target target) {
    return RepeatReader(pattern).find_unfit(is_long(target));
}

std::size_t count_states(std::string_view pattern) {
    return RepeatReader(pattern).states();
}

std::string bound_repeats(std::string_view pattern, Target target) {
    return RepeatReader(pattern).bounded(is_long(target));
}

Result<void> check_rule(const Rule& rule) {
    if (!is_name(rule.name)) {
        return refused("the name must be 1 to " + std::to_string(max_rule_name_bytes) +
                       " of A-Z, 0-9 and _");
    }
    if (!(std::abs(rule.score) <= max_symbol_score)) {
        return refused("the score must lie between -100 and 100");
    }
    if (rule.is_hidden() && rule.score != 0) {
        return refused("a rule whose name begins with __ has no score");
    }
    if (rule.max_hits == 0 || rule.max_hits > max_counted_hits) {
        return refused("max_hits must be 1 to " + std::to_string(max_counted_hits));
    }
    if (rule.is_meta()) {
        if (!rule.target.empty() || !rule.pattern.empty()) {
            return refused("a rule has either meta, or target and pattern");
        }
        return {};
    }
    const auto target = parse_target(rule.target);
    if (!target) return target.error();
    if (rule.pattern.empty()) return refused("the pattern is empty");
    if (rule.pattern.size() > max_pattern_bytes) {
        return refused("the pattern is longer than " + std::to_string(max_pattern_bytes) +
                       " bytes");
    }
    if (rule.pattern.find('\0') != std::string::npos) return refused("the pattern holds a NUL");
    const std::string reason = find_unfit_repeat(rule.pattern, target->target);
    if (!reason.empty()) return refused("the pattern has " + reason);
    if (count_states(rule.pattern) > max_pattern_states) {
        return refused("the pattern is too large: what it repeats and lists adds up to over " +
                       std::to_string(max_pattern_states) + " states");
    }
    return {};
}

}  // namespace postern::filters

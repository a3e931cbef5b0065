#include "filters/translate/meta_text.h"

#include "filters/metas/expression.h"
#include "filters/metas/meta_set.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <unordered_map>
#include <unordered_set>

namespace postern::filters {

namespace {

constexpr std::size_t max_listed_names = 6;

bool is_name_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// The expression with each of its names as `rename` gives it.
std::string renamed(std::string_view expression,
                    const std::function<std::string(std::string_view)>& rename) {
    std::string out;
    for (std::size_t at = 0; at < expression.size();) {
        const std::size_t begin = at;
        while (at < expression.size() && is_name_character(expression[at])) ++at;
        const std::string_view word = expression.substr(begin, at - begin);
        if (word.empty()) {
            out += expression[at] == '\t' ? ' ' : expression[at];
            ++at;
        } else if (word[0] >= '0' && word[0] <= '9') {
            out += word;
        } else {
            out += rename(word);
        }
    }
    return out;
}

std::string listed(const std::vector<std::string>& names) {
    std::string text;
    for (std::size_t i = 0; i < names.size() && i < max_listed_names; ++i) {
        text += (i > 0 ? ", " : "") + names[i];
    }
    if (names.size() > max_listed_names) text += "...";
    return text;
}

class Settling {
public:
    Settling(const std::vector<std::string>& symbols, Translation& translation)
        : translation_(translation), present_(symbols.begin(), symbols.end()) {
        for (const Rule& rule : translation.rules) present_.insert(rule.name);
        for (std::size_t i = 0; i < translation.fates.size(); ++i) {
            fate_of_[translation.fates[i].name] = i;
        }
    }

    void run() {
        // Each that goes may take others with it.
        while (refuse_some()) {
        }
        refuse_circles();
        while (refuse_some()) {
        }
        for (Rule& rule : translation_.rules) {
            if (rule.is_meta()) drop_missing(rule);
        }
        while (remove_unused()) {
        }
    }

private:
    bool refuse_some() {
        return remove_if([&](const Rule& rule) { return rule.is_meta() ? why_not(rule) : ""; },
                         Fate::refused);
    }

    // Empty: it may stay.
    std::string why_not(const Rule& rule) const {
        const auto expression = Expression::parse(rule.meta);
        if (!expression) return "its expression is not understood: " + expression.error().text;
        std::vector<std::optional<double>> values;
        std::vector<std::string> missing;
        for (const std::string& name : expression->names()) {
            const bool there = present_.contains(name);
            values.push_back(there ? std::nullopt : std::optional<double>(0));
            if (!there) missing.push_back(name);
        }
        const auto constant = expression->constant(values);
        if (!constant) {
            // "!MISSING" alone must not make a rule fire on mail that nothing else speaks against.
            const std::vector<double> rest(values.size());
            const bool rests = !missing.empty() && expression->evaluate(rest) != 0;
            return rests ? "it would fire on most mail without " + listed(missing) : "";
        }
        if (*constant != 0) return "it would fire on every message";
        return missing.empty() ? "it never fires" : "it never fires without " + listed(missing);
    }

    // Rules that need each other in a circle: none of them can be worked out.
    void refuse_circles() {
        for (bool again = true; again;) {
            again = false;
            std::vector<std::string> names(present_.begin(), present_.end());
            std::vector<MetaRule> metas;
            for (const Rule& rule : translation_.rules) {
                if (!rule.is_meta()) continue;
                metas.push_back({rule.name, without_missing(rule.meta)});
                names.erase(std::find(names.begin(), names.end(), rule.name));
            }
            const auto made = MetaSet::make(names, metas);
            if (made) return;
            again = remove_if(
                [&](const Rule& rule) -> std::string {
                    const bool named = made.error().text.starts_with("rule " + rule.name + ": ");
                    return named ? made.error().text.substr(rule.name.size() + 7) : "";
                },
                Fate::refused);
        }
    }

    std::string without_missing(std::string_view expression) const {
        return renamed(expression, [&](std::string_view name) {
            return present_.contains(std::string(name)) ? std::string(name) : "0";
        });
    }

    void drop_missing(Rule& rule) {
        std::vector<std::string> missing;
        const auto expression = Expression::parse(rule.meta);
        for (const std::string& name : expression->names()) {
            if (!present_.contains(name)) missing.push_back(name);
        }
        if (missing.empty()) return;
        rule.meta = without_missing(rule.meta);
        const auto found = fate_of_.find(rule.name);
        if (found == fate_of_.end()) return;
        RuleFate& fate = translation_.fates[found->second];
        fate.fate = Fate::translated;
        fate.note = "without " + listed(missing);
    }

    bool remove_unused() {
        std::unordered_set<std::string> used;
        for (const Rule& rule : translation_.rules) {
            if (!rule.is_meta()) continue;
            const auto expression = Expression::parse(rule.meta);
            for (const std::string& name : expression->names()) {
                if (name != rule.name) used.insert(name);
            }
        }
        return remove_if(
            [&](const Rule& rule) {
                return rule.is_hidden() && !used.contains(rule.name)
                           ? std::string("no rule that was taken uses it")
                           : std::string();
            },
            Fate::unused);
    }

    // Takes out the rules that `reason` gives a reason for. Answers whether there were any.
    bool remove_if(const std::function<std::string(const Rule&)>& reason, Fate fate) {
        std::vector<Rule> kept;
        const std::size_t before = translation_.rules.size();
        std::vector<std::string> gone;
        for (Rule& rule : translation_.rules) {
            const std::string why = reason(rule);
            if (why.empty()) {
                kept.push_back(std::move(rule));
                continue;
            }
            gone.push_back(rule.name);
            const auto found = fate_of_.find(rule.name);
            if (found == fate_of_.end()) continue;
            translation_.fates[found->second].fate = fate;
            translation_.fates[found->second].note = why;
        }
        translation_.rules = std::move(kept);
        for (const std::string& name : gone) present_.erase(name);
        return translation_.rules.size() < before;
    }

    Translation& translation_;
    std::unordered_set<std::string> present_;
    std::unordered_map<std::string, std::size_t> fate_of_;
};

}  // namespace

std::string upper_names(std::string_view expression) {
    return renamed(expression, [](std::string_view name) {
        std::string upper(name);
        for (char& c : upper) {
            if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
        }
        return upper;
    });
}

void settle_metas(const std::vector<std::string>& symbols, Translation& translation) {
    Settling(symbols, translation).run();
}

}  // namespace postern::filters

#include "filters/translate/spamassassin.h"

#include "filters/patterns/matcher.h"
#include "filters/patterns/vetting.h"
#include "filters/translate/field_test.h"
#include "filters/translate/meta_text.h"
#include "filters/translate/perl_pattern.h"
#include "filters/translate/trimmed.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iterator>

namespace postern::filters {

namespace {

constexpr std::string_view kinds[] = {"header",   "body",       "rawbody",   "uri",
                                      "full",     "mimeheader", "meta",      "askdns",
                                      "uridnsbl", "urirhsbl",   "urirhssub", "uridnssub"};
constexpr std::string_view properties[] = {"score", "describe", "tflags", "lang", "replace_rules"};

std::string_view take_word(std::string_view& text) {
    text = trimmed(text);
    const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
    const std::string_view word = text.substr(0, end);
    text = trimmed(text.substr(end));
    return word;
}

bool is_name(std::string_view name) {
    return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_';
    });
}

// Latin-1 where it is no UTF-8; without control characters.
std::string readable(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        const auto follows = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0U;
        const bool starts = byte >= 0xC2 && byte < 0xF5 && (follows & 0xC0U) == 0x80U;
        const auto before = i > 0 ? static_cast<unsigned char>(text[i - 1]) : 0U;
        const bool continues = (byte & 0xC0U) == 0x80U && before >= 0x80U;
        if (byte < 0x20 || byte == 0x7F) {
            out += ' ';
        } else if (byte < 0x80 || starts || continues) {
            out += text[i];
        } else {
            out += static_cast<char>(0xC0U | byte >> 6);
            out += static_cast<char>(0x80U | (byte & 0x3FU));
        }
    }
    return out;
}

// Without a comment; "\#" is a plain "#".
std::string uncommented(std::string_view line) {
    std::string out;
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (line[i] == '\\' && i + 1 < line.size() && line[i + 1] == '#') continue;
        if (line[i] == '#' && (i == 0 || line[i - 1] != '\\')) break;
        out += line[i];
    }
    return out;
}

const char* group_of(std::string_view kind) {
    if (kind == "header") return "headers";
    if (kind == "uri") return "urls";
    if (kind == "mimeheader") return "mime";
    return kind == "meta" ? "meta" : "body";
}

const char* target_of(std::string_view kind) {
    if (kind == "rawbody") return "source";
    if (kind == "full") return "raw";
    return kind == "uri" ? "url" : "body";
}

std::uint32_t max_hits_in(const std::string& flags) {
    if ((' ' + flags + ' ').find(" multiple ") == std::string::npos) return 1;
    const std::size_t at = flags.find("maxhits=");
    if (at == std::string::npos) return max_counted_hits;
    const unsigned long hits = std::strtoul(flags.c_str() + at + 8, nullptr, 10);
    return static_cast<std::uint32_t>(
        std::clamp(hits, 1UL, static_cast<unsigned long>(max_counted_hits)));
}

// Whether the compiler takes it, and what it says if not.
Result<void> try_rule(const Rule& rule) {
    const auto made = make_matcher({rule});
    if (made) return {};
    const std::string prefix = "rule " + rule.name + ": ";
    std::string why = made.error().text;
    if (why.starts_with(prefix)) why.erase(0, prefix.size());
    return Error{Errc::unsupported, why};
}

bool matches(const Rule& rule, const std::string& text) {
    Rule plain = rule;
    plain.negated = false;
    const auto target = parse_target(plain.target);
    const auto matcher = make_matcher({plain});
    if (!matcher || !target) return false;
    return !(*matcher)->match({{target->target, target->name, text, target->form}}).empty();
}

}  // namespace

const char* to_string(Fate fate) {
    switch (fate) {
        case Fate::taken:
            return "taken";
        case Fate::translated:
            return "translated";
        case Fate::refused:
            return "refused";
        case Fate::unused:
            return "unused";
    }
    return "";
}

SpamAssassinRules::SpamAssassinRules(TranslateOptions options)
    : options_(std::move(options)), symbols_(options_.symbols.begin(), options_.symbols.end()) {}

void SpamAssassinRules::read(std::string_view file_name, std::string_view text) {
    branches_.clear();
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string line = uncommented(text.substr(0, std::min(end, max_foreign_line_bytes)));
        read_line(file_name, trimmed(line));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
}

bool SpamAssassinRules::read_condition(std::string_view key, std::string_view rest) {
    const bool outside = branches_.empty() || (branches_.back().outside && branches_.back().taken);
    if (key == "if" || key == "ifplugin") {
        const bool yes = key == "if" ? holds(rest) : is_known_plugin(rest);
        branches_.push_back({yes, outside, plugin_in(rest)});
    } else if (key == "else") {
        if (!branches_.empty()) branches_.back().taken = !branches_.back().taken;
    } else if (key == "endif") {
        if (!branches_.empty()) branches_.pop_back();
    } else {
        return false;
    }
    return true;
}

// Empty: this line counts.
std::string SpamAssassinRules::why_not_here() const {
    for (const Branch& branch : branches_) {
        if (branch.taken) continue;
        return branch.plugin.empty() ? "it is for another version"
                                     : "it needs the plugin " + branch.plugin;
    }
    return {};
}

SpamAssassinRules::Definition* SpamAssassinRules::find_or_add(std::string_view name) {
    std::string upper(name);
    for (char& c : upper) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    const auto found = index_.find(upper);
    if (found != index_.end()) return &definitions_[found->second];
    if (definitions_.size() >= max_foreign_rules || upper.size() > max_rule_name_bytes) {
        return nullptr;
    }
    index_.emplace(upper, definitions_.size());
    definitions_.emplace_back();
    definitions_.back().name = std::move(upper);
    return &definitions_.back();
}

void SpamAssassinRules::read_line(std::string_view file_name, std::string_view line) {
    if (line.empty()) return;
    std::string_view rest = line;
    const std::string_view key = take_word(rest);
    if (read_condition(key, rest)) return;
    const std::string why_not = why_not_here();
    if (std::find(std::begin(kinds), std::end(kinds), key) != std::end(kinds)) {
        const std::string_view name = take_word(rest);
        Definition* definition = is_name(name) ? find_or_add(name) : nullptr;
        if (definition == nullptr) {
            ++settings_;
        } else if (!why_not.empty()) {
            if (definition->kind.empty()) definition->why_skipped = why_not;
        } else {
            definition->kind = key;
            definition->text = rest;
            definition->file = file_name;
        }
        return;
    }
    if (!why_not.empty()) return;
    if (std::find(std::begin(properties), std::end(properties), key) != std::end(properties)) {
        const std::string_view name = take_word(rest);
        set_property(key, name, rest);
        return;
    }
    const std::string_view name = take_word(rest);
    if (!tags_.set(key, name, rest)) ++settings_;
}

void SpamAssassinRules::set_property(std::string_view key, std::string_view name,
                                     std::string_view text) {
    if (key == "lang") {
        if (name.substr(0, 2) != options_.language) return;
        const std::string_view what = take_word(text);
        const std::string_view rule = take_word(text);
        if (what == "describe" && is_name(rule)) set_property(what, rule, text);
        return;
    }
    if (key == "replace_rules") {
        for (std::string_view each = name; !each.empty(); each = take_word(text)) {
            Definition* definition = is_name(each) ? find_or_add(each) : nullptr;
            if (definition != nullptr) definition->replaces_tags = true;
        }
        return;
    }
    Definition* definition = is_name(name) ? find_or_add(name) : nullptr;
    if (definition == nullptr) return;
    if (key == "describe") definition->description = readable(text);
    if (key == "tflags") definition->flags = text;
    if (key != "score") return;
    std::vector<double> scores;
    while (!text.empty() && scores.size() < 4) {
        const std::string word(take_word(text));
        char* end = nullptr;
        const double score = std::strtod(word.c_str(), &end);
        if (end == word.c_str() || *end != '\0' || !std::isfinite(score)) break;
        scores.push_back(score);
    }
    if (!scores.empty()) definition->scores = std::move(scores);
}

// Of four scores the third is meant for a filter that learns and asks no network.
Rule SpamAssassinRules::rule_of(const Definition& definition) const {
    Rule rule;
    rule.name = definition.name;
    rule.group = group_of(definition.kind);
    rule.description = definition.description;
    if (rule.description.empty() && !rule.is_hidden()) {
        rule.description = "From " + readable(definition.file);
    }
    rule.max_hits = max_hits_in(definition.flags);
    if (rule.is_hidden()) return rule;
    const bool nice = definition.flags.find("nice") != std::string::npos;
    rule.score = definition.name.starts_with("T_") ? 0.01 : 1.0;
    if (nice) rule.score = -rule.score;
    const auto& scores = definition.scores;
    if (!scores.empty()) rule.score = scores.size() > 2 ? scores[2] : scores[0];
    for (std::size_t i = scores.size(); rule.score == 0 && i > 0; --i) rule.score = scores[i - 1];
    rule.score = std::clamp(rule.score, -max_symbol_score, max_symbol_score);
    return rule;
}

void SpamAssassinRules::translate(const Definition& definition, Translation& translation) const {
    const auto refuse = [&](std::string why) {
        translation.fates.push_back({definition.name, Fate::refused, std::move(why)});
    };
    const std::string_view text = definition.text;
    if (definition.kind.empty()) {
        if (!definition.why_skipped.empty()) refuse(definition.why_skipped);
        return;
    }
    if (symbols_.contains(definition.name)) return refuse("the filter has a symbol of that name");
    if (text.starts_with("eval:") || text.starts_with("rbleval:")) {
        return refuse("it calls Perl code (eval)");
    }
    if (definition.kind == "askdns" || definition.kind.starts_with("urir") ||
        definition.kind.starts_with("urid")) {
        return refuse("it asks the DNS");
    }
    Rule rule = rule_of(definition);
    if (!rule.is_hidden() && rule.score == 0) return refuse("its score is 0: it is switched off");
    if (definition.kind == "meta") {
        rule.meta = upper_names(text);
        translation.rules.push_back(std::move(rule));
        translation.fates.push_back({definition.name, Fate::taken, ""});
        return;
    }
    translate_plain(definition, std::move(rule), translation);
}

void SpamAssassinRules::translate_plain(const Definition& definition, Rule rule,
                                        Translation& translation) const {
    const auto refuse = [&](std::string why) {
        translation.fates.push_back({definition.name, Fate::refused, std::move(why)});
    };
    FieldTest test;
    const bool part = definition.kind == "mimeheader";
    if (definition.kind == "header" || part) {
        auto read = read_field_test(definition.text, part);
        if (!read) return refuse(read.error().text);
        test = std::move(*read);
    } else {
        test.targets = {target_of(definition.kind)};
        test.pattern = definition.text;
    }
    rule.target = test.targets.front();
    rule.negated = test.negated;
    std::string changes;
    if (test.exists) {
        rule.pattern = "^$|.";
    } else {
        auto perl = read_perl_pattern(test.pattern);
        if (!perl) return refuse(perl.error().text);
        if (definition.replaces_tags) {
            perl->body = tags_.apply(perl->body);
            if (perl->body.empty())
                return refuse("the pattern is too large with its tags replaced");
        }
        auto translated = translate_pattern(*perl, parse_target(rule.target)->target);
        if (!translated) return refuse(translated.error().text);
        rule.pattern = std::move(translated->pattern);
        rule.caseless = translated->caseless;
        changes = std::move(translated->changes);
    }
    if (const auto tried = try_rule(rule); !tried) return refuse(tried.error().text);
    const bool absent_counts = !test.if_unset.empty() && matches(rule, test.if_unset);
    if (absent_counts) return refuse("an absent field counts as \"" + test.if_unset + "\" there");
    if (test.targets.size() > 1) {
        // One of several fields: a part for each, and an expression over them.
        Rule whole = rule;
        whole.target.clear();
        whole.pattern.clear();
        whole.negated = false;
        whole.caseless = false;
        whole.max_hits = 1;
        for (std::size_t i = 0; i < test.targets.size(); ++i) {
            Rule one = rule;
            one.name =
                "__" + rule.name.substr(0, max_rule_name_bytes - 4) + static_cast<char>('A' + i);
            one.target = test.targets[i];
            one.score = 0;
            one.description.clear();
            whole.meta += (i > 0 ? rule.negated ? " && " : " || " : "") + one.name;
            translation.rules.push_back(std::move(one));
        }
        rule = std::move(whole);
    }
    translation.rules.push_back(std::move(rule));
    translation.fates.push_back(
        {definition.name, changes.empty() ? Fate::taken : Fate::translated, changes});
}

Translation SpamAssassinRules::finish(void (*progress)(std::size_t, std::size_t, void*),
                                      void* context) {
    Translation translation;
    translation.settings = settings_;
    for (std::size_t i = 0; i < definitions_.size(); ++i) {
        if (progress != nullptr) progress(i, definitions_.size(), context);
        translate(definitions_[i], translation);
    }
    settle_metas(options_.symbols, translation);
    return translation;
}

}  // namespace postern::filters

#include "gateway/config/rules_file.h"

#include <algorithm>
#include <cstdio>

namespace postern::config {

namespace {

// In single quotes nothing but the quote itself means anything.
std::string in_quotes(std::string_view text) {
    std::string out = "'";
    for (const char c : text) {
        if (c == '\'') out += '\'';
        out += c;
    }
    return out + '\'';
}

std::string number(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.6g", value);
    return text;
}

void append_rule(const filters::Rule& rule, std::string& yaml) {
    const auto line = [&](const char* key, const std::string& value) {
        yaml += std::string("    ") + key + ": " + value + "\n";
    };
    yaml += "  - name: " + rule.name + "\n";
    line("group", in_quotes(rule.group));
    if (!rule.description.empty()) line("description", in_quotes(rule.description));
    if (!rule.is_hidden()) line("score", number(rule.score));
    if (rule.is_meta()) {
        line("meta", in_quotes(rule.meta));
        return;
    }
    line("target", in_quotes(rule.target));
    line("pattern", in_quotes(rule.pattern));
    if (rule.caseless) line("caseless", "true");
    if (rule.negated) line("negated", "true");
    if (rule.max_hits > 1) line("max_hits", std::to_string(rule.max_hits));
}

}  // namespace

std::string rules_to_yaml(const std::vector<filters::Rule>& rules, std::string_view comment) {
    std::string yaml;
    while (!comment.empty()) {
        const std::size_t end = std::min(comment.find('\n'), comment.size());
        yaml.append("# ").append(comment.substr(0, end)) += '\n';
        comment.remove_prefix(std::min(end + 1, comment.size()));
    }
    yaml += rules.empty() ? "rules: []\n" : "rules:\n";
    for (const filters::Rule& rule : rules) append_rule(rule, yaml);
    return yaml;
}

}  // namespace postern::config

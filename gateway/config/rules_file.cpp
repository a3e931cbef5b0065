#include "gateway/config/rules_file.h"

#include "filters/metas/expression.h"
#include "filters/patterns/vetting.h"
#include "gateway/config/shipped.h"
#include "gateway/config/yaml_reader.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

namespace postern::config {

namespace {

namespace fs = std::filesystem;

bool is_symbol_name(const std::string& name) {
    if (name.empty() || name.size() > filters::max_rule_name_bytes) return false;
    return std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    });
}

filters::Rule read_rule(ReadState& state, const YAML::Node& node) {
    filters::Rule rule;
    rule.group = "body";
    Section section(state, node, "rules");
    section.text("name", rule.name);
    section.text("group", rule.group);
    section.text("description", rule.description);
    section.real("score", rule.score, -filters::max_symbol_score, filters::max_symbol_score);
    section.text("target", rule.target);
    section.text("pattern", rule.pattern);
    section.flag("caseless", rule.caseless);
    section.flag("negated", rule.negated);
    std::uint64_t max_hits = rule.max_hits;
    section.number("max_hits", max_hits, 1, filters::max_counted_hits);
    rule.max_hits = static_cast<std::uint32_t>(max_hits);
    section.text("meta", rule.meta);
    section.check(is_symbol_name(rule.name), "name", "a name of A-Z, 0-9 and _, at most 64 long");
    section.check(!rule.description.empty() || rule.is_hidden(), "description",
                  "one line that says what it looks for");
    section.check(rule.score == 0 || !rule.is_hidden(), "score",
                  "none, since the name begins with __");
    if (rule.is_meta()) {
        section.check(rule.target.empty() && rule.pattern.empty() && !rule.negated, "meta",
                      "either meta, or target and pattern");
        section.check(
            rule.meta.size() <= filters::max_expression_bytes, "meta",
            "an expression of at most " + std::to_string(filters::max_expression_bytes) + " bytes");
    } else {
        const auto target = filters::parse_target(rule.target);
        section.check(target.has_value(), "target",
                      "header:NAME, header:*, head, part:NAME, envelope:WHAT, body, source, raw or "
                      "url");
        section.check(!rule.pattern.empty() && rule.pattern.size() <= filters::max_pattern_bytes,
                      "pattern",
                      "a pattern of 1 to " + std::to_string(filters::max_pattern_bytes) + " bytes");
    }
    section.finish();
    return rule;
}

void read_rules(ReadState& state, const YAML::Node& root, std::vector<filters::Rule>& rules) {
    if (!root.IsMap() || !root["rules"] || root.size() != 1 || !root["rules"].IsSequence()) {
        return state.fail(root.Mark(), "rules", "a list of rules, and no other key");
    }
    std::set<std::string> names;
    for (const YAML::Node& node : root["rules"]) {
        if (!node.IsMap())
            return state.fail(node.Mark(), "rules", "a mapping with name and pattern");
        rules.push_back(read_rule(state, node));
        if (!names.insert(rules.back().name).second) {
            state.fail(node.Mark(), "rules.name", "a name that is not used twice");
        }
        if (!state.error.empty()) return;
    }
}

Result<std::vector<std::string>> files_of(const std::string& path) {
    std::error_code problem;
    if (!fs::is_directory(path, problem)) return std::vector<std::string>{path};
    std::vector<std::string> files;
    for (const auto& entry : fs::directory_iterator(path, problem)) {
        if (entry.path().extension() == ".yaml") files.push_back(entry.path().string());
    }
    if (problem) return Error{Errc::unavailable, path + ": cannot be listed"};
    std::sort(files.begin(), files.end());
    return files;
}

}  // namespace

Result<std::vector<filters::Rule>> load_rules_file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) return Error{Errc::not_found, path + ": cannot be opened"};
    std::ostringstream text;
    text << in.rdbuf();
    if (in.bad() || text.bad()) return Error{Errc::unavailable, path + ": cannot be read"};
    return parse_rules(text.str(), path);
}

Result<std::vector<filters::Rule>> parse_rules(const std::string& yaml, const std::string& file) {
    if (yaml.size() > max_rules_file_bytes) {
        return Error{Errc::invalid, file + ":1: expected at most " +
                                        std::to_string(max_rules_file_bytes) + " bytes"};
    }
    ReadState state;
    state.file = file;
    std::vector<filters::Rule> rules;
    try {
        read_rules(state, YAML::Load(yaml), rules);
    } catch (const YAML::Exception& problem) {
        state.fail(problem.mark, "", "expected YAML: " + problem.msg);
    }
    if (!state.error.empty()) return Error{Errc::invalid, state.error};
    return rules;
}

Result<std::vector<filters::Rule>> load_rules(const std::vector<std::string>& paths) {
    const std::vector<std::string> wanted =
        paths.empty() ? std::vector<std::string>{shipped_rules()} : paths;
    std::vector<filters::Rule> all;
    for (const std::string& path : wanted) {
        const auto files = files_of(path);
        if (!files) return files.error();
        for (const std::string& file : *files) {
            auto rules = load_rules_file(file);
            if (!rules) return rules.error();
            all.insert(all.end(), std::make_move_iterator(rules->begin()),
                       std::make_move_iterator(rules->end()));
            if (all.size() > filters::max_rules) {
                return Error{Errc::invalid, file + ":1: expected at most " +
                                                std::to_string(filters::max_rules) +
                                                " rules in all"};
            }
        }
    }
    return all;
}

}  // namespace postern::config

#include "filters/translate/condition.h"

#include "filters/metas/expression.h"
#include "filters/translate/trimmed.h"

#include <algorithm>
#include <iterator>
#include <vector>

namespace postern::filters {

namespace {

constexpr std::string_view spoken_version = "4.000001";
constexpr std::string_view spoken_perl = "5.036000";
constexpr std::string_view plugin_prefix = "Mail::SpamAssassin::Plugin::";
constexpr std::string_view known_plugins[] = {"ReplaceTags", "MIMEHeader", "Check"};

bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == ':';
}

// "Mail::SpamAssassin::Conf::feature_x": what version 4 can do; of plugins only the known ones.
bool can(std::string_view what) {
    if (what.starts_with(plugin_prefix)) {
        what.remove_prefix(plugin_prefix.size());
        return is_known_plugin(what.substr(0, what.find("::")));
    }
    const std::size_t name = what.rfind("::");
    what = name == std::string_view::npos ? what : what.substr(name + 2);
    return what.starts_with("feature_") || what.starts_with("perl_min_version_");
}

}  // namespace

bool is_known_plugin(std::string_view name) {
    if (name.starts_with(plugin_prefix)) name.remove_prefix(plugin_prefix.size());
    return std::find(std::begin(known_plugins), std::end(known_plugins), name) !=
           std::end(known_plugins);
}

bool holds(std::string_view condition) {
    // Calls and variables become numbers; what is left is an expression.
    std::string text;
    for (std::size_t at = 0; at < condition.size();) {
        const char c = condition[at];
        if (!is_word(c) || (c >= '0' && c <= '9')) {
            const bool number = c >= '0' && c <= '9';
            do {
                text += condition[at++];
            } while (number && at < condition.size() && is_word(condition[at]));
            continue;
        }
        const std::size_t begin = at;
        while (at < condition.size() && is_word(condition[at])) ++at;
        const std::string_view word = condition.substr(begin, at - begin);
        std::size_t open = at;
        while (open < condition.size() && condition[open] == ' ') ++open;
        if (word == "version") {
            text += spoken_version;
        } else if (word == "perl_version") {
            text += spoken_perl;
        } else if (open < condition.size() && condition[open] == '(') {
            const std::size_t close = std::min(condition.find(')', open), condition.size() - 1);
            const auto argument = trimmed(condition.substr(open + 1, close - open - 1));
            const bool yes = word == "plugin"                 ? is_known_plugin(argument)
                             : word == "can" || word == "has" ? can(argument)
                                                              : false;
            text += yes ? '1' : '0';
            at = close + 1;
        } else {
            text += '0';
        }
    }
    const auto expression = Expression::parse(text);
    if (!expression) return false;
    return expression->evaluate(std::vector<double>(expression->names().size())) != 0;
}

std::string plugin_in(std::string_view condition) {
    const std::size_t at = condition.find(plugin_prefix);
    if (at == std::string_view::npos) return {};
    const std::string_view rest = condition.substr(at + plugin_prefix.size());
    const auto end =
        std::find_if(rest.begin(), rest.end(), [](char c) { return !is_word(c) || c == ':'; });
    return {rest.begin(), end};
}

}  // namespace postern::filters

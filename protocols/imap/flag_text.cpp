#include "protocols/imap/flag_text.h"

#include "protocols/wire/text.h"

#include <algorithm>

namespace postern::imap {
namespace {

struct NamedFlag {
    SystemFlag flag;
    const char* name;
};
constexpr NamedFlag system_flags[] = {{SystemFlag::answered, "Answered"},
                                      {SystemFlag::flagged, "Flagged"},
                                      {SystemFlag::deleted, "Deleted"},
                                      {SystemFlag::seen, "Seen"},
                                      {SystemFlag::draft, "Draft"}};

void append_flag(std::string& out, std::string_view prefix, std::string_view name) {
    if (out.back() != '(') out += ' ';
    out += prefix;
    out += name;
}

}  // namespace

bool parse_flag(Lexer& lexer, Flags& flags) {
    Lexer ahead = lexer;
    const bool system = ahead.skip('\\');
    const auto name = ahead.atom();
    if (!name) return false;
    if (!system) {
        add_keyword(flags, *name);
    } else {
        const auto* found = std::find_if(
            std::begin(system_flags), std::end(system_flags),
            [&](const NamedFlag& known) { return wire::equals_ignoring_case(known.name, *name); });
        if (found != std::end(system_flags)) flags.set(found->flag);
    }
    lexer = ahead;
    return true;
}

void add_keyword(Flags& flags, std::string_view keyword) {
    const auto before = [](std::string_view a, std::string_view b) {
        return std::lexicographical_compare(
            a.begin(), a.end(), b.begin(), b.end(),
            [](char x, char y) { return wire::to_lower(x) < wire::to_lower(y); });
    };
    auto& keywords = flags.keywords;
    const auto at = std::lower_bound(keywords.begin(), keywords.end(), keyword, before);
    if (at != keywords.end() && wire::equals_ignoring_case(*at, keyword)) return;
    keywords.emplace(at, keyword);
}

void append_flags(std::string& out, const Flags& flags, bool recent) {
    out += '(';
    for (const NamedFlag& known : system_flags) {
        if (flags.has(known.flag)) append_flag(out, "\\", known.name);
    }
    if (recent) append_flag(out, "\\", "Recent");
    for (const std::string& keyword : flags.keywords) append_flag(out, "", keyword);
    out += ')';
}

std::string format_flags(const Flags& flags, bool recent) {
    std::string out;
    append_flags(out, flags, recent);
    return out;
}

std::string format_flag_names(const std::vector<std::string>& keywords, std::string_view more) {
    std::string out = "(";
    for (const NamedFlag& known : system_flags) append_flag(out, "\\", known.name);
    for (const std::string& keyword : keywords) append_flag(out, "", keyword);
    if (!more.empty()) append_flag(out, "", more);
    return out + ')';
}

}  // namespace postern::imap

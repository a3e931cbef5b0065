#include "store/directory/rewrites.h"

namespace postern::directory {

namespace {

constexpr char wildcard = '*';
constexpr char reference = '$';

// Fits one side of the '@' and adds what each '*' stood for. A '*' takes as little as it can, the
// last one the rest, so that no step is ever taken back: the time is that of a few searches.
bool fit(std::string_view pattern, std::string_view text, std::vector<std::string_view>& parts) {
    const auto first = pattern.find(wildcard);
    if (first == std::string_view::npos) return pattern == text;
    if (!text.starts_with(pattern.substr(0, first))) return false;
    text.remove_prefix(first);
    pattern.remove_prefix(first + 1);
    for (;;) {
        const auto star = pattern.find(wildcard);
        if (star == std::string_view::npos) {
            if (!text.ends_with(pattern)) return false;
            parts.push_back(text.substr(0, text.size() - pattern.size()));
            return true;
        }
        const auto at = text.find(pattern.substr(0, star));
        if (at == std::string_view::npos) return false;
        parts.push_back(text.substr(0, at));
        text.remove_prefix(at + star);
        pattern.remove_prefix(star + 1);
    }
}

}  // namespace

std::optional<std::string> rewrite_by_pattern(std::string_view pattern, std::string_view to,
                                              std::string_view address) {
    const auto middle = pattern.rfind('@');
    const auto at = address.rfind('@');
    if (middle == std::string_view::npos || at == std::string_view::npos) return std::nullopt;
    std::vector<std::string_view> parts;
    if (!fit(pattern.substr(0, middle), address.substr(0, at), parts) ||
        !fit(pattern.substr(middle + 1), address.substr(at + 1), parts)) {
        return std::nullopt;
    }
    std::string out;
    for (std::size_t i = 0; i < to.size(); ++i) {
        const bool refers = to[i] == reference && i + 1 < to.size() && to[i + 1] >= '1' &&
                            static_cast<std::size_t>(to[i + 1] - '0') <= parts.size();
        if (refers)
            out += parts[static_cast<std::size_t>(to[++i] - '1')];
        else
            out += to[i];
    }
    return out;
}

}  // namespace postern::directory

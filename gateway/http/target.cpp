#include "gateway/http/http.h"
#include "protocols/wire/text.h"

#include <algorithm>

namespace postern::http {

std::optional<Target> parse_target(std::string_view text) {
    if (!text.starts_with('/')) return std::nullopt;
    const auto mark = text.find('?');
    auto path = wire::decode_percent(text.substr(0, mark));
    if (!path) return std::nullopt;
    Target target{std::move(*path), {}};
    if (mark == std::string_view::npos) return target;
    auto rest = text.substr(mark + 1);
    while (!rest.empty()) {
        const auto end = std::min(rest.find('&'), rest.size());
        const auto field = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        const auto equals = std::min(field.find('='), field.size());
        // A plus is legal in an address, and clients do not encode it: here it is no blank.
        auto name = wire::decode_percent(field.substr(0, equals));
        auto value = wire::decode_percent(field.substr(std::min(equals + 1, field.size())));
        if (!name || !value) return std::nullopt;
        if (!name->empty()) target.query.emplace_back(std::move(*name), std::move(*value));
    }
    return target;
}

std::string Request::value(std::string_view name) const {
    for (const auto& [key, value] : query) {
        if (wire::equals_ignoring_case(key, name)) return value;
    }
    return {};
}

}  // namespace postern::http

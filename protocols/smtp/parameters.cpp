#include "protocols/smtp/parameters.h"

#include "protocols/wire/text.h"

#include <algorithm>
#include <optional>
#include <vector>

namespace postern::smtp {
namespace {

constexpr std::size_t max_size_digits = 20;  // RFC 1870 section 5

struct Parameter {
    std::string_view keyword;
    std::optional<std::string_view> value;
};

std::optional<Parameter> take_parameter(std::string_view& text) {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    if (text.empty()) return std::nullopt;
    const std::size_t size = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, size);
    text.remove_prefix(size);
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos) return Parameter{word, std::nullopt};
    return Parameter{word.substr(0, equals), word.substr(equals + 1)};
}

bool take_size(const Parameter& parameter, MailParameters& parameters) {
    if (!parameter.value || parameter.value->size() > max_size_digits) return false;
    parameters.size = wire::parse_number(*parameter.value);
    return parameters.size.has_value();
}

bool take_body(const Parameter& parameter, MailParameters& parameters) {
    if (!parameter.value) return false;
    parameters.body_8bit = wire::equals_ignoring_case(*parameter.value, "8BITMIME");
    return parameters.body_8bit || wire::equals_ignoring_case(*parameter.value, "7BIT");
}

Reply refusal(int code, std::string_view what, std::string_view keyword) {
    return {code, "5.5.4", std::string(what) + " " + wire::printable(keyword)};
}

}  // namespace

std::variant<MailParameters, Reply> parse_mail_parameters(std::string_view text, bool auth_known) {
    MailParameters parameters;
    std::vector<std::string> seen;
    while (const auto parameter = take_parameter(text)) {
        const std::string keyword = wire::upper_case(parameter->keyword);
        if (std::find(seen.begin(), seen.end(), keyword) != seen.end()) {
            return refusal(501, "Parameter given twice:", keyword);
        }
        seen.push_back(keyword);
        bool good = false;
        if (keyword == "SIZE") {
            good = take_size(*parameter, parameters);
        } else if (keyword == "BODY") {
            good = take_body(*parameter, parameters);
        } else if (keyword == "SMTPUTF8") {
            good = !parameter->value;
            parameters.smtputf8 = true;
        } else if (keyword == "AUTH" && auth_known) {
            good = parameter->value.has_value();
        } else {
            return refusal(555, "Unknown parameter", keyword);
        }
        if (!good) return refusal(501, "Bad value of parameter", keyword);
    }
    return parameters;
}

}  // namespace postern::smtp

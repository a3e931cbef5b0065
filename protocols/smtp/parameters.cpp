#include "protocols/smtp/parameters.h"

#include "protocols/wire/text.h"
#include "protocols/wire/xtext.h"

#include <algorithm>
#include <cstdint>
#include <limits>
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
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    if (parameter.value->empty() ||
        !std::all_of(parameter.value->begin(), parameter.value->end(), is_digit)) {
        return false;
    }
    // What 64 bits do not hold is a size all the same, and too big.
    parameters.size =
        wire::parse_number(*parameter.value).value_or(std::numeric_limits<std::uint64_t>::max());
    return true;
}

bool take_body(const Parameter& parameter, MailParameters& parameters) {
    if (!parameter.value) return false;
    parameters.body_8bit = wire::equals_ignoring_case(*parameter.value, "8BITMIME");
    parameters.body_binary = wire::equals_ignoring_case(*parameter.value, "BINARYMIME");
    return parameters.body_8bit || parameters.body_binary ||
           wire::equals_ignoring_case(*parameter.value, "7BIT");
}

Reply refusal(int code, std::string_view what, std::string_view keyword) {
    return {code, "5.5.4", std::string(what) + " " + wire::printable(keyword)};
}

bool take_ret(const Parameter& parameter, MailParameters& parameters) {
    if (!parameter.value) return false;
    const bool full = wire::equals_ignoring_case(*parameter.value, "FULL");
    parameters.ret = full ? Return::full : Return::headers;
    return full || wire::equals_ignoring_case(*parameter.value, "HDRS");
}

// Of printable ASCII and spaces, as RFC 3461 sections 4.2 and 4.4 want it: it may end up in
// reports.
bool is_xtext(std::string_view text) {
    const auto decoded = wire::xtext_decode(text);
    return decoded && !decoded->empty() &&
           std::all_of(decoded->begin(), decoded->end(),
                       [](char c) { return c >= ' ' && c < 0x7f; });
}

// Any address, or <>; who logged in is what counts here (RFC 4954 section 5).
bool take_auth(const Parameter& parameter) {
    return parameter.value && !parameter.value->empty() && wire::xtext_decode(*parameter.value);
}

bool take_envelope_id(const Parameter& parameter, MailParameters& parameters) {
    if (!parameter.value || parameter.value->size() > max_envelope_id_bytes) return false;
    parameters.envelope_id = *parameter.value;
    return is_xtext(*parameter.value);
}

// "NEVER", or a list of the others.
bool take_notify(const Parameter& parameter, RecipientParameters& parameters) {
    if (!parameter.value) return false;
    std::string_view rest = *parameter.value;
    while (true) {
        const std::size_t comma = std::min(rest.find(','), rest.size());
        const std::string word = wire::upper_case(rest.substr(0, comma));
        const std::uint8_t flag = word == "NEVER"     ? notify_never
                                  : word == "SUCCESS" ? notify_success
                                  : word == "FAILURE" ? notify_failure
                                  : word == "DELAY"   ? notify_delay
                                                      : 0;
        if (flag == 0) return false;
        parameters.notify |= flag;
        if (comma == rest.size()) break;
        rest.remove_prefix(comma + 1);
    }
    return (parameters.notify & notify_never) == 0 || parameters.notify == notify_never;
}

bool take_original_recipient(const Parameter& parameter, RecipientParameters& parameters) {
    if (!parameter.value || parameter.value->size() > max_original_recipient_bytes) return false;
    const std::size_t semicolon = parameter.value->find(';');
    if (semicolon == std::string_view::npos || semicolon == 0) return false;
    const std::string_view address = parameter.value->substr(semicolon + 1);
    // RFC 6533's utf-8-addr-xtext is no xtext: it may hold UTF-8 and escapes of its own.
    const bool utf8 = wire::equals_ignoring_case(parameter.value->substr(0, semicolon), "utf-8");
    parameters.original_recipient = *parameter.value;
    return utf8 ? !address.empty() : is_xtext(address);
}

bool take_mail_parameter(const std::string& keyword, const Parameter& parameter,
                         MailParameters& parameters) {
    if (keyword == "SIZE") return take_size(parameter, parameters);
    if (keyword == "BODY") return take_body(parameter, parameters);
    if (keyword == "RET") return take_ret(parameter, parameters);
    if (keyword == "ENVID") return take_envelope_id(parameter, parameters);
    if (keyword == "AUTH") return take_auth(parameter);
    (keyword == "SMTPUTF8" ? parameters.smtputf8 : parameters.require_tls) = true;
    return !parameter.value;
}

bool is_known(std::string_view keyword, const MailExtensions& known) {
    if (keyword == "SIZE" || keyword == "BODY" || keyword == "SMTPUTF8") return true;
    if (keyword == "AUTH") return known.auth;
    if (keyword == "RET" || keyword == "ENVID") return known.dsn;
    return keyword == "REQUIRETLS" && known.require_tls;
}

// Takes each parameter once. known(keyword), take(keyword, parameter) -> good.
template <class Known, class Take>
std::optional<Reply> take_each(std::string_view text, Known known, Take take) {
    std::vector<std::string> seen;
    while (const auto parameter = take_parameter(text)) {
        const std::string keyword = wire::upper_case(parameter->keyword);
        if (!known(keyword)) return refusal(555, "Unknown parameter", keyword);
        if (std::find(seen.begin(), seen.end(), keyword) != seen.end()) {
            return refusal(501, "Parameter given twice:", keyword);
        }
        if (!take(keyword, *parameter)) return refusal(501, "Bad value of parameter", keyword);
        seen.push_back(keyword);
    }
    return std::nullopt;
}

}  // namespace

std::variant<MailParameters, Reply> parse_mail_parameters(std::string_view text,
                                                          const MailExtensions& known) {
    MailParameters parameters;
    auto refused = take_each(
        text, [&](const std::string& keyword) { return is_known(keyword, known); },
        [&](const std::string& keyword, const Parameter& parameter) {
            return take_mail_parameter(keyword, parameter, parameters);
        });
    if (refused) return std::move(*refused);
    return parameters;
}

std::variant<RecipientParameters, Reply> parse_recipient_parameters(std::string_view text,
                                                                    bool dsn_known) {
    RecipientParameters parameters;
    auto refused = take_each(
        text,
        [&](const std::string& keyword) {
            return dsn_known && (keyword == "NOTIFY" || keyword == "ORCPT");
        },
        [&](const std::string& keyword, const Parameter& parameter) {
            return keyword == "NOTIFY" ? take_notify(parameter, parameters)
                                       : take_original_recipient(parameter, parameters);
        });
    if (refused) return std::move(*refused);
    return parameters;
}

}  // namespace postern::smtp

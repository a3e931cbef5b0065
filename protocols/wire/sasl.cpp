#include "protocols/wire/sasl.h"

#include "protocols/wire/base64.h"
#include "protocols/wire/text.h"

#include <algorithm>
#include <utility>

namespace postern::wire {
namespace {

bool acceptable(std::string_view field, std::size_t max_bytes) {
    return field.size() <= max_bytes && field.find('\0') == std::string_view::npos &&
           is_utf8(field);
}

}  // namespace

SaslStep SaslExchange::start(std::string_view mechanism,
                             std::optional<std::string_view> initial_response) {
    wants_ = Wants::nothing;
    user_.clear();
    if (equals_ignoring_case(mechanism, "PLAIN")) {
        wants_ = Wants::plain;
        if (!initial_response) return SaslChallenge{};
    } else if (equals_ignoring_case(mechanism, "LOGIN")) {
        wants_ = Wants::login_user;
        // "Username:", the very prompt that some clients compare with.
        if (!initial_response) return SaslChallenge{base64_encode("Username:")};
    } else {
        mechanism_ = upper_case(mechanism);
        const bool known =
            std::find(delegated_.begin(), delegated_.end(), mechanism_) != delegated_.end();
        if (!known) return SaslFailure::unsupported;
        wants_ = Wants::delegated_first;
        if (!initial_response) return SaslChallenge{};
    }
    return *initial_response == "=" ? take("") : step(*initial_response);
}

SaslStep SaslExchange::step(std::string_view line) {
    if (line == "*") {
        wants_ = Wants::nothing;
        return SaslFailure::cancelled;
    }
    const auto response = base64_decode(line);
    if (!response) {
        wants_ = Wants::nothing;
        return SaslFailure::bad_base64;
    }
    return take(*response);
}

SaslStep SaslExchange::take(const std::string& response) {
    switch (std::exchange(wants_, Wants::nothing)) {
        case Wants::plain:
            return take_plain(response);
        case Wants::login_user:
            if (response.empty() || !acceptable(response, max_sasl_identity_bytes)) break;
            user_ = response;
            wants_ = Wants::login_password;
            return SaslChallenge{base64_encode("Password:")};
        case Wants::login_password:
            if (!acceptable(response, max_sasl_password_bytes)) break;
            return SaslCredentials{"LOGIN", "", std::move(user_), response};
        case Wants::delegated_first:
            return SaslMessage{mechanism_, response, true};
        case Wants::delegated:
            return SaslMessage{mechanism_, response, false};
        case Wants::nothing:
            break;
    }
    return SaslFailure::malformed;
}

SaslStep SaslExchange::take_plain(std::string_view response) const {
    const std::size_t first = response.find('\0');
    if (first == std::string_view::npos) return SaslFailure::malformed;
    const std::size_t second = response.find('\0', first + 1);
    if (second == std::string_view::npos) return SaslFailure::malformed;

    const std::string_view authorization_id = response.substr(0, first);
    const std::string_view user = response.substr(first + 1, second - first - 1);
    const std::string_view password = response.substr(second + 1);
    const bool fits = acceptable(authorization_id, max_sasl_identity_bytes) &&
                      acceptable(user, max_sasl_identity_bytes) &&
                      acceptable(password, max_sasl_password_bytes);
    if (!fits || user.empty()) return SaslFailure::malformed;
    return SaslCredentials{"PLAIN", std::string(authorization_id), std::string(user),
                           std::string(password)};
}

}  // namespace postern::wire

// XCLIENT: a trusted server in front says who its client is.
#include "protocols/smtp/path.h"
#include "protocols/smtp/reply.h"
#include "protocols/smtp/session.h"
#include "protocols/wire/text.h"
#include "protocols/wire/xtext.h"

#include <algorithm>

namespace postern::smtp {
namespace {

bool is_unknown(std::string_view value) {
    return wire::equals_ignoring_case(value, "[UNAVAILABLE]") ||
           wire::equals_ignoring_case(value, "[TEMPUNAVAIL]");
}

bool is_printable(std::string_view value) {
    return std::all_of(value.begin(), value.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

bool take_address(std::string value, ClaimClient& claim) {
    if (!is_domain("[" + value + "]")) return false;
    const bool v6 = wire::starts_with_ignoring_case(value, "IPv6:");
    claim.address = v6 ? value.substr(5) : std::move(value);
    return true;
}

bool take_attribute(std::string_view word, ClaimClient& claim) {
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos) return false;
    const std::string name = wire::upper_case(word.substr(0, equals));
    auto value = wire::xtext_decode(word.substr(equals + 1));
    if (!value || value->size() > max_xclient_value_bytes || !is_printable(*value)) return false;
    if (is_unknown(*value)) value->clear();
    if (name == "ADDR") return value->empty() || take_address(std::move(*value), claim);
    if (name == "NAME") {
        claim.name = std::move(*value);
    } else if (name == "HELO") {
        claim.helo = std::move(*value);
    } else if (name == "PROTO") {
        claim.esmtp = !wire::equals_ignoring_case(*value, "SMTP");
    } else {
        return name == "PORT";
    }
    return true;
}

}  // namespace

void Engine::State::xclient(std::string_view argument) {
    if (!config.xclient_offered) return refuse(550, "5.7.0", "XCLIENT is not for you");
    if (transaction.open) return refuse(503, "5.5.1", "Not in a mail transaction");
    ClaimClient claimed;
    bool good = !argument.empty();
    while (good && !argument.empty()) {
        const std::size_t space = std::min(argument.find(' '), argument.size());
        good = space == 0 || take_attribute(argument.substr(0, space), claimed);
        argument.remove_prefix(std::min(space + 1, argument.size()));
    }
    if (!good) return refuse(501, "5.5.4", "Bad attribute of XCLIENT");
    pending_claim = claimed;
    flush();
    ask(std::move(claimed), Question::client);
}

void Engine::State::client_claimed(const Reply& verdict) {
    auto claimed = std::exchange(pending_claim, std::nullopt);
    if (!is_positive(verdict)) return reply(verdict);
    claim = std::move(claimed);
    helo.clear();
    esmtp = false;
    authenticated_user.clear();
    reset_transaction();
    greet();
}

}  // namespace postern::smtp

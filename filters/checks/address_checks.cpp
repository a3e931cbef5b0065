#include "filters/checks/check.h"
#include "filters/features/ascii.h"
#include "filters/features/url.h"
#include "protocols/mime/address.h"

#include <algorithm>
#include <array>

namespace postern::filters {

namespace {

constexpr std::size_t max_usual_recipients = 30;

// Free mailboxes that fraud asks to be answered at.
constexpr std::array<std::string_view, 22> free_mail = {
    "aol.com",     "email.com", "excite.com",  "fastmail.com", "gmail.com", "gmx.com",
    "gmx.de",      "gmx.net",   "hotmail.com", "icloud.com",   "inbox.ru",  "list.ru",
    "live.com",    "mail.com",  "mail.ru",     "outlook.com",  "proton.me", "protonmail.com",
    "yahoo.co.uk", "yahoo.com", "yandex.com",  "yandex.ru"};

bool is_free_mail(std::string_view domain) {
    return std::find(free_mail.begin(), free_mail.end(), domain) != free_mail.end();
}

// First mailbox of a field, with its domain in lower case; no local part: there is none.
mime::Address first_address(const Content& content, std::string_view field) {
    for (mime::Address& address : mime::parse_addresses(content.value(field))) {
        if (address.kind != mime::Address::Kind::mailbox || address.domain.empty()) continue;
        address.domain = to_lower(address.domain);
        return std::move(address);
    }
    return {};
}

Finding invalid_from(const CheckInput& input) {
    const std::string_view from = trim(input.content.value("From"));
    if (from.empty() || !first_address(input.content, "From").local.empty()) return std::nullopt;
    return std::string(from);
}

// "service@bank.example" <thief@elsewhere.example>
Finding from_name_is_other_address(const CheckInput& input) {
    const mime::Address from = first_address(input.content, "From");
    const std::size_t at = from.name.find('@');
    if (at == std::string::npos || from.domain.empty()) return std::nullopt;
    std::string_view domain = std::string_view(from.name).substr(at + 1);
    domain = domain.substr(0, domain.find_first_of(" >\"'),;"));
    const std::string shown = to_lower(domain);
    if (shown.find('.') == std::string::npos) return std::nullopt;
    if (registered_domain(shown) == registered_domain(from.domain)) return std::nullopt;
    return from.name + " <" + from.addr_spec() + ">";
}

Finding reply_to_free_mail(const CheckInput& input) {
    const mime::Address from = first_address(input.content, "From");
    const mime::Address reply = first_address(input.content, "Reply-To");
    if (from.domain.empty() || reply.domain.empty() || !is_free_mail(reply.domain))
        return std::nullopt;
    if (reply.domain == from.domain || input.content.find("List-Id") != nullptr)
        return std::nullopt;
    return from.addr_spec() + " asks for answers to " + reply.addr_spec();
}

Finding from_local_is_random(const CheckInput& input) {
    const mime::Address from = first_address(input.content, "From");
    const auto digits = std::count_if(from.local.begin(), from.local.end(), is_digit);
    unsigned turns = 0;
    for (std::size_t i = 1; i < from.local.size(); ++i) {
        if (is_digit(from.local[i]) != is_digit(from.local[i - 1])) ++turns;
    }
    if (digits < 4 || turns < 5) return std::nullopt;
    return from.addr_spec();
}

Finding many_recipients(const CheckInput& input) {
    std::size_t count = 0;
    for (const char* field : {"To", "Cc"}) {
        count += mime::parse_addresses(input.content.value(field)).size();
    }
    if (count <= max_usual_recipients) return std::nullopt;
    return std::to_string(count) + " addresses in To and Cc";
}

Finding to_is_from(const CheckInput& input) {
    const mime::Address from = first_address(input.content, "From");
    const mime::Address to = first_address(input.content, "To");
    if (from.local.empty() || input.scan.connection.authenticated) return std::nullopt;
    if (!equals_nocase(from.local, to.local) || from.domain != to.domain) return std::nullopt;
    return from.addr_spec();
}

Finding helo_no_host(const CheckInput& input) {
    const std::string& helo = input.scan.connection.helo;
    if (helo.empty() || input.scan.connection.authenticated) return std::nullopt;
    const bool literal = helo.front() == '[';
    if (literal || helo.find('.') != std::string::npos || helo == "localhost") return std::nullopt;
    return helo;
}

}  // namespace

std::vector<Check> address_checks() {
    return {
        {"INVALID_FROM", "headers", "The From field holds no address", 1.0, invalid_from},
        {"FROM_NAME_IS_OTHER_ADDRESS", "headers",
         "The sender's name shows an address of another domain", 2.0, from_name_is_other_address},
        {"REPLY_TO_FREE_MAIL", "headers", "Answers are to go to a free mailbox elsewhere", 1.0,
         reply_to_free_mail},
        {"FROM_LOCAL_IS_RANDOM", "headers", "The sender's address looks made by a machine", 0.7,
         from_local_is_random},
        {"MANY_RECIPIENTS", "headers", "Addressed to very many at once", 0.6, many_recipients},
        {"TO_IS_FROM", "headers", "Sent by the recipient, it says", 0.6, to_is_from},
        {"HELO_NO_HOST", "policy", "The client greeted with a name that is no host's", 0.7,
         helo_no_host},
    };
}

}  // namespace postern::filters

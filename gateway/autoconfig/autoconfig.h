// What mail programs ask for to set an account up by themselves, in each maker's form, and the
// MTA-STS policy (RFC 8461) that other servers ask for.
//
// Sources: Mozilla's autoconfig 1.1 (Thunderbird, K-9, Evolution), Microsoft's plain-old-XML
// Autodiscover (Outlook), Apple's configuration profiles (iOS, macOS). Pure text; addresses come
// from strangers and are escaped.
#pragma once

#include "gateway/config/config.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::autoconfig {

inline constexpr std::size_t max_address_bytes = 320;  // local part, "@" and domain
inline constexpr std::uint64_t sts_max_age_s = 7 * 24 * 3600;

struct Server {
    std::uint16_t port = 0;
    bool implicit_tls = false;  // false: STARTTLS
};

// What this gateway offers; the implicit-TLS port is preferred (RFC 8314).
struct Offer {
    std::string hostname;
    std::vector<Server> imap;  // the preferred one first
    std::vector<Server> pop3;
    std::vector<Server> smtp;  // submission
};
Offer offer_of(const std::string& hostname, const config::Listeners& on);

// config-v1.1.xml for a domain.
std::string mozilla(const Offer& offer, std::string_view domain);
// The answer to an Autodiscover request for the address.
std::string autodiscover(const Offer& offer, std::string_view address);
// The address inside an Autodiscover request; nullopt: none that is well-formed.
std::optional<std::string> autodiscover_address(std::string_view request);
// A profile (.mobileconfig), not signed; the same address always gets the same identifiers. With an
// Offer without IMAP it sets POP3 up.
std::string mobileconfig(const Offer& offer, std::string_view address);

// mode: "testing" or "enforce".
std::string sts_policy(std::string_view mode, const std::vector<std::string>& mx);

// The domain of a well-formed address, lower case; nullopt: it is none.
std::optional<std::string> domain_of(std::string_view address);

}  // namespace postern::autoconfig

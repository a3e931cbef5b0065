#include "gateway/autoconfig/autoconfig.h"
#include "gateway/autoconfig/xml.h"
#include "protocols/base/hash.h"

#include <cstdio>

namespace postern::autoconfig {

namespace {

// Version 8 (RFC 9562): an identifier of our own making, the same for the same text.
std::string uuid_of(const std::string& text) {
    const auto high = hash64(text, 1);
    const auto low = hash64(text, 2);
    char out[37];
    std::snprintf(out, sizeof out, "%08X-%04X-8%03X-%04X-%012llX",
                  static_cast<unsigned>(high >> 32), static_cast<unsigned>(high >> 16 & 0xffff),
                  static_cast<unsigned>(high & 0xfff),
                  static_cast<unsigned>((low >> 48 & 0x3fff) | 0x8000),
                  static_cast<unsigned long long>(low & 0xffff'ffff'ffffull));
    return out;
}

std::string text_entry(std::string_view key, std::string_view value) {
    return "      <key>" + std::string(key) + "</key>\n      <string>" + escaped(value) +
           "</string>\n";
}

std::string server_entries(const std::string& prefix, const std::string& hostname,
                           const Server& server, std::string_view address) {
    std::string text = text_entry(prefix + "MailServerAuthentication", "EmailAuthPassword");
    text += text_entry(prefix + "MailServerHostName", hostname);
    text += "      <key>" + prefix + "MailServerPortNumber</key>\n      <integer>" +
            std::to_string(server.port) + "</integer>\n";
    // True for STARTTLS as well: the port tells which.
    text += "      <key>" + prefix + "MailServerUseSSL</key>\n      <true/>\n";
    return text + text_entry(prefix + "MailServerUsername", address);
}

// "example.org" as "org.example", which is how identifiers of profiles begin.
std::string reversed(std::string_view domain) {
    std::string name;
    while (!domain.empty()) {
        const auto dot = domain.rfind('.');
        const auto label = dot == std::string_view::npos ? domain : domain.substr(dot + 1);
        if (!name.empty()) name += '.';
        name += label;
        domain = dot == std::string_view::npos ? std::string_view() : domain.substr(0, dot);
    }
    return name;
}

}  // namespace

std::string mobileconfig(const Offer& offer, std::string_view address) {
    const bool by_imap = !offer.imap.empty();
    const auto& incoming = by_imap ? offer.imap : offer.pop3;
    const auto domain = domain_of(address).value_or("");
    const std::string seed = offer.hostname + "\n" + std::string(address);
    const auto identifier = reversed(domain) + ".mail." + uuid_of(seed);
    std::string text =
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "
        "\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"
        "<plist version=\"1.0\">\n<dict>\n  <key>PayloadContent</key>\n  <array>\n    <dict>\n";
    text += text_entry("EmailAccountDescription", address);
    text += text_entry("EmailAccountType", by_imap ? "EmailTypeIMAP" : "EmailTypePOP");
    text += text_entry("EmailAddress", address);
    if (!incoming.empty()) {
        text += server_entries("Incoming", offer.hostname, incoming.front(), address);
    }
    if (!offer.smtp.empty()) {
        text += server_entries("Outgoing", offer.hostname, offer.smtp.front(), address);
        text += "      <key>OutgoingPasswordSameAsIncomingPassword</key>\n      <true/>\n";
    }
    text += text_entry("PayloadType", "com.apple.mail.managed");
    text += text_entry("PayloadIdentifier", identifier + ".account");
    text += text_entry("PayloadUUID", uuid_of(seed + "\naccount"));
    text += "      <key>PayloadVersion</key>\n      <integer>1</integer>\n";
    text += "    </dict>\n  </array>\n";
    text += text_entry("PayloadDisplayName", "Mail for " + std::string(address));
    text += text_entry("PayloadType", "Configuration");
    text += text_entry("PayloadIdentifier", identifier);
    text += text_entry("PayloadUUID", uuid_of(seed + "\nprofile"));
    return text +
           "  <key>PayloadVersion</key>\n  <integer>1</integer>\n"
           "  <key>PayloadRemovalDisallowed</key>\n  <false/>\n</dict>\n</plist>\n";
}

}  // namespace postern::autoconfig

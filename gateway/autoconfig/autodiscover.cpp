#include "gateway/autoconfig/autoconfig.h"
#include "gateway/autoconfig/xml.h"

namespace postern::autoconfig {

namespace {

constexpr std::string_view response_schema =
    "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a";

std::string protocol(std::string_view type, const Offer& offer, const Server& server,
                     std::string_view address) {
    std::string text = "      <Protocol>\n        <Type>" + std::string(type) + "</Type>\n";
    text += "        <Server>" + escaped(offer.hostname) + "</Server>\n";
    text += "        <Port>" + std::to_string(server.port) + "</Port>\n";
    text += "        <LoginName>" + escaped(address) + "</LoginName>\n";
    text += "        <DomainRequired>off</DomainRequired>\n        <SPA>off</SPA>\n";
    text += std::string("        <SSL>") + (server.implicit_tls ? "on" : "off") + "</SSL>\n";
    text += std::string("        <Encryption>") + (server.implicit_tls ? "SSL" : "TLS") +
            "</Encryption>\n";
    text += "        <AuthRequired>on</AuthRequired>\n";
    if (type == "SMTP") {
        text += "        <UsePOPAuth>off</UsePOPAuth>\n        <SMTPLast>off</SMTPLast>\n";
    }
    return text + "      </Protocol>\n";
}

}  // namespace

std::string autodiscover(const Offer& offer, std::string_view address) {
    std::string text =
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
        "<Autodiscover "
        "xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006\">\n"
        "  <Response xmlns=\"" + std::string(response_schema) + "\">\n"
        "    <User>\n      <DisplayName>" + escaped(address) + "</DisplayName>\n    </User>\n"
        "    <Account>\n      <AccountType>email</AccountType>\n"
        "      <Action>settings</Action>\n";
    // Outlook takes the first protocol of a type.
    if (!offer.imap.empty()) text += protocol("IMAP", offer, offer.imap.front(), address);
    if (!offer.pop3.empty()) text += protocol("POP3", offer, offer.pop3.front(), address);
    if (!offer.smtp.empty()) text += protocol("SMTP", offer, offer.smtp.front(), address);
    return text + "    </Account>\n  </Response>\n</Autodiscover>\n";
}

std::optional<std::string> autodiscover_address(std::string_view request) {
    // Prefixes and attributes vary; the element's name does not.
    const std::string_view name = "EMailAddress";
    for (auto at = request.find(name); at != std::string_view::npos;
         at = request.find(name, at + 1)) {
        const auto open = request.find('>', at + name.size());
        if (open == std::string_view::npos) return std::nullopt;
        const auto close = request.find('<', open);
        if (close == std::string_view::npos) return std::nullopt;
        auto text = request.substr(open + 1, close - open - 1);
        while (!text.empty() && static_cast<unsigned char>(text.front()) <= 0x20) {
            text.remove_prefix(1);
        }
        while (!text.empty() && static_cast<unsigned char>(text.back()) <= 0x20) {
            text.remove_suffix(1);
        }
        if (domain_of(text)) return std::string(text);
    }
    return std::nullopt;
}

}  // namespace postern::autoconfig

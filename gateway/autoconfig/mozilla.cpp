#include "gateway/autoconfig/autoconfig.h"
#include "gateway/autoconfig/xml.h"

namespace postern::autoconfig {

namespace {

std::string server(std::string_view element, std::string_view type, const std::string& hostname,
                   const Server& server) {
    std::string text = "    <" + std::string(element) + " type=\"" + std::string(type) + "\">\n";
    text += "      <hostname>" + escaped(hostname) + "</hostname>\n";
    text += "      <port>" + std::to_string(server.port) + "</port>\n";
    text += std::string("      <socketType>") + (server.implicit_tls ? "SSL" : "STARTTLS") +
            "</socketType>\n";
    text += "      <username>%EMAILADDRESS%</username>\n";
    text += "      <authentication>password-cleartext</authentication>\n";
    return text + "    </" + std::string(element) + ">\n";
}

}  // namespace

std::string mozilla(const Offer& offer, std::string_view domain) {
    const auto name = escaped(domain);
    std::string text =
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<clientConfig version=\"1.1\">\n"
        "  <emailProvider id=\"" + name + "\">\n    <domain>" + name + "</domain>\n"
        "    <displayName>" + name + "</displayName>\n"
        "    <displayShortName>" + name + "</displayShortName>\n";
    for (const auto& each : offer.imap) {
        text += server("incomingServer", "imap", offer.hostname, each);
    }
    for (const auto& each : offer.pop3) {
        text += server("incomingServer", "pop3", offer.hostname, each);
    }
    for (const auto& each : offer.smtp) {
        text += server("outgoingServer", "smtp", offer.hostname, each);
    }
    return text + "  </emailProvider>\n</clientConfig>\n";
}

}  // namespace postern::autoconfig

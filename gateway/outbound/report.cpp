#include "gateway/outbound/report.h"

#include "protocols/mime/date.h"
#include "protocols/mime/seven_bit.h"
#include "protocols/wire/ip_address.h"
#include "protocols/wire/text.h"
#include "protocols/wire/xtext.h"

#include <algorithm>
#include <optional>

namespace postern::outbound {

namespace {

constexpr std::size_t wrap_at = 76;

const char* word_of(Action action) {
    switch (action) {
        case Action::failed:
            return "failed";
        case Action::delayed:
            return "delayed";
        case Action::delivered:
            return "delivered";
        case Action::relayed:
            return "relayed";
        case Action::expanded:
            break;
    }
    return "expanded";
}

std::string date(Time time) {
    return mime::format_rfc5322({to_unix_ms(time) / 1000, 0});
}

// Foreign words inside a field or the text: one line, without control characters.
std::string one_line(std::string_view text) {
    std::string out(text.substr(0, 500));
    std::replace_if(
        out.begin(), out.end(),
        [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
    // Servers say things in all charsets; the report is in one.
    if (!wire::is_utf8(out)) {
        std::replace_if(
            out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; },
            '?');
    }
    return out;
}

// A name as the DNS has it, or an address literal.
std::string mta_name(const std::string& host) {
    const auto numeric = wire::parse_ip(host);
    if (!numeric) return host;
    return (host.find(':') == std::string::npos ? "[" : "[IPv6:") + host + "]";
}

std::string wrapped(std::string_view text) {
    std::string out;
    std::size_t column = 0;
    while (!text.empty()) {
        const std::size_t space = std::min(text.find(' '), text.size());
        const auto word = text.substr(0, space);
        text.remove_prefix(std::min(space + 1, text.size()));
        if (column > 0 && column + 1 + word.size() > wrap_at) {
            out += "\r\n";
            column = 0;
        }
        if (column > 0) out += ' ';
        out += word;
        column += word.size() + 1;
    }
    return out + "\r\n";
}

std::string subject_of(const Report& report) {
    switch (report.recipients.front().action) {
        case Action::failed:
            return "Your message could not be delivered";
        case Action::delayed:
            return "Your message is late";
        case Action::expanded:
            return "Your message was passed on to several addresses";
        default:
            return "Your message was delivered";
    }
}

std::string explanation(const Report& report) {
    const Action action = report.recipients.front().action;
    std::string text = "This is the mail system at " + report.hostname + ".\r\n\r\n";
    if (action == Action::failed) {
        text += wrapped(
            "Your message could not be delivered to the recipients below, and will not "
            "be tried again. The reason stands below each of them.");
    } else if (action == Action::delayed && report.retry_until == Time{}) {
        text += wrapped(
            "Your message has not been delivered to the recipients below yet. You need "
            "not send it again. The reason stands below each of them.");
    } else if (action == Action::delayed) {
        text += wrapped(
            "Your message has not been delivered to the recipients below yet. You need "
            "not send it again: it will be tried until " +
            date(report.retry_until) + ".");
    } else if (action == Action::expanded) {
        text += wrapped(
            "You asked to be told: the addresses below stand for several others, to which your "
            "message was given on. You will not be told of each of them.");
    } else {
        text += wrapped(
            "You asked to be told: your message was delivered, or was handed on to a "
            "server that does not send such notices.");
    }
    for (const auto& each : report.recipients) {
        text += "\r\n    " + each.address + "\r\n";
        if (!each.diagnostic.empty()) {
            text += "    " + (each.remote_mta.empty() ? "" : each.remote_mta + " said: ") +
                    one_line(each.diagnostic) + "\r\n";
        }
    }
    return text;
}

std::string status_part(const Report& report) {
    std::string out = "Reporting-MTA: dns; " + report.hostname + "\r\n";
    if (const auto id = wire::xtext_decode(report.envelope_id); id && !id->empty()) {
        out += "Original-Envelope-Id: " + one_line(*id) + "\r\n";
    }
    out += "X-Postern-Queue-ID: " + report.message_id + "\r\n";
    out += "Arrival-Date: " + date(report.arrived) + "\r\n";
    for (const auto& each : report.recipients) {
        out += "\r\n";
        const std::size_t semicolon = each.original.find(';');
        if (semicolon != std::string::npos) {
            // RFC 6533 section 3: the address type "utf-8" has an escape of its own, and keeps it.
            const auto type = std::string_view(each.original).substr(0, semicolon);
            const auto given = each.original.substr(semicolon + 1);
            const auto decoded = wire::equals_ignoring_case(type, "utf-8")
                                     ? std::optional(given)
                                     : wire::xtext_decode(given);
            if (decoded) {
                out += "Original-Recipient: " + each.original.substr(0, semicolon) + ";" +
                       one_line(*decoded) + "\r\n";
            }
        }
        const bool utf8 = !wire::is_ascii(each.address);
        out += std::string("Final-Recipient: ") + (utf8 ? "utf-8;" : "rfc822;") + each.address +
               "\r\nAction: " + word_of(each.action) + "\r\nStatus: " + each.status + "\r\n";
        if (!each.remote_mta.empty()) {
            out += "Remote-MTA: dns; " + mta_name(each.remote_mta) + "\r\n";
        }
        if (!each.diagnostic.empty()) {
            // RFC 3464 section 2.3.6: of type "smtp" are replies alone.
            const char* type = each.remote_mta.empty() ? "X-Postern; " : "smtp; ";
            out += std::string("Diagnostic-Code: ") + type + one_line(each.diagnostic) + "\r\n";
        }
        if (each.action == Action::delayed && report.retry_until != Time{}) {
            out += "Will-Retry-Until: " + date(report.retry_until) + "\r\n";
        }
    }
    return out;
}

// The header through its empty line, or all there is.
std::string_view header_of(std::string_view message) {
    const std::size_t end = message.find("\r\n\r\n");
    return end == std::string_view::npos ? message : message.substr(0, end + 2);
}

const char* encoding_of(std::string_view content) {
    return wire::is_ascii(content) ? "" : "Content-Transfer-Encoding: 8bit\r\n";
}

// A report that a server without 8BITMIME could not be given would be lost: nobody hears of that.
bool fits_every_server(std::string_view message) {
    return wire::is_ascii(message) || mime::to_seven_bit(message).has_value();
}

}  // namespace

std::string report_text(const Report& report) {
    const std::string text = explanation(report);
    const std::string status = status_part(report);
    const std::string boundary = "postern-" + report.id;
    const bool whole = !report.headers_only && report.message_bytes <= max_returned_bytes &&
                       report.message.size() == report.message_bytes &&
                       report.recipients.front().action == Action::failed &&
                       fits_every_server(report.message);
    const std::string_view header = header_of(report.message);
    const std::string_view returned = whole ? std::string_view(report.message) : header;
    // RFC 6533: types of their own for what a reader without SMTPUTF8 may not understand. A header
    // in another charset is none of them.
    const bool global = !wire::is_ascii(header) && wire::is_utf8(header);
    const char* returned_type = whole ? (global ? "message/global" : "message/rfc822")
                                      : (global ? "message/global-headers" : "text/rfc822-headers");
    std::string out = "From: Mail Delivery System <MAILER-DAEMON@" + report.hostname +
                      ">\r\nTo: <" + report.to + ">\r\nSubject: " + subject_of(report) +
                      "\r\nDate: " + date(report.now) + "\r\nMessage-ID: <" + report.id + "@" +
                      report.hostname +
                      ">\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n" +
                      encoding_of(text + status + std::string(returned)) +
                      "Content-Type: multipart/report; report-type=delivery-status;\r\n"
                      "\tboundary=\"" +
                      boundary + "\"\r\n\r\n";
    out += "--" + boundary + "\r\nContent-Type: text/plain; charset=utf-8\r\n" + encoding_of(text) +
           "\r\n" + text;
    out += "\r\n--" + boundary + "\r\nContent-Type: message/" +
           (wire::is_ascii(status) ? "delivery-status" : "global-delivery-status") + "\r\n" +
           encoding_of(status) + "\r\n" + status;
    out += "\r\n--" + boundary + "\r\nContent-Type: " + returned_type + "\r\n" +
           encoding_of(returned) + "\r\n";
    out += returned;
    return out + "\r\n--" + boundary + "--\r\n";
}

}  // namespace postern::outbound

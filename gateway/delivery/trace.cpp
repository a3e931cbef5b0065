#include "gateway/delivery/trace.h"

#include "protocols/mime/date.h"
#include "protocols/wire/text.h"

#include <algorithm>
#include <cstdio>

namespace postern::delivery {

namespace {

constexpr std::size_t wished_line_length = 78;  // RFC 5322 section 2.1.1

// What a client says of itself, made harmless inside a header.
std::string harmless(std::string_view text) {
    std::string out;
    for (char c : text.substr(0, 255)) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = byte > 0x20 && byte != 0x7f && c != '(' && c != ')' && c != '\\' &&
                           c != ';' && c != '<' && c != '>' && c != '"';
        out += plain ? c : '?';
    }
    return out.empty() ? "unknown" : out;
}

std::string address_literal(const std::string& address) {
    return address.find(':') == std::string::npos ? "[" + address + "]" : "[IPv6:" + address + "]";
}

std::string one_decimal(double number) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f", number);
    return std::string_view(text) == "-0.0" ? "0.0" : text;
}

}  // namespace

std::string with_protocol(const Arrival& arrival) {
    std::string name = arrival.lmtp ? "LMTP" : arrival.esmtp ? "ESMTP" : "SMTP";
    if (arrival.smtputf8) name = arrival.lmtp ? "UTF8LMTP" : "UTF8SMTP";
    if (!arrival.tls_protocol.empty()) name += 'S';
    if (!arrival.authenticated_user.empty()) name += 'A';
    return name;
}

std::string received_field(const Arrival& arrival, const std::string& hostname,
                           const std::string& id, const std::string& for_recipient, Time now) {
    std::string field = "Received: from " + harmless(arrival.helo) + " (" +
                        address_literal(arrival.client_address) + ")\r\n\tby " + hostname +
                        " (Postern) with " + with_protocol(arrival);
    if (!arrival.tls_protocol.empty()) {
        field += "\r\n\t(" + arrival.tls_protocol + " " + arrival.tls_cipher + ")";
    }
    field += "\r\n\tid " + id;
    // A server without SMTPUTF8 could not be given the field as it is.
    if (!for_recipient.empty() && wire::is_ascii(for_recipient)) {
        field += "\r\n\tfor <" + for_recipient + ">";
    }
    const mime::DateTime date{to_unix_ms(now) / 1000, 0};
    return field + ";\r\n\t" + mime::format_rfc5322(date) + "\r\n";
}

std::string return_path_field(const std::string& reverse_path) {
    return "Return-Path: <" + reverse_path + ">\r\n";
}

std::string authentication_results_field(const Arrival& arrival, const std::string& hostname) {
    std::string value = hostname + "; ";
    value += arrival.authenticated_user.empty()
                 ? "none"
                 : "auth=pass smtp.auth=" + harmless(arrival.authenticated_user);
    return folded_field("Authentication-Results", value);
}

std::string spam_fields(const filters::Report& report) {
    std::string fields = folded_field("X-Spam-Status", filters::status_line(report));
    fields += "X-Spam-Score: " + one_decimal(report.score) + "\r\n";
    if (report.verdict == filters::Verdict::spam) fields += "X-Spam-Flag: YES\r\n";
    return fields;
}

std::string spam_reason(const filters::Report& report) {
    std::string text = "judged spam, score " + one_decimal(report.score);
    const auto* strongest = filters::strongest(report);
    if (strongest != nullptr) text += ", most of it " + strongest->name;
    return text;
}

std::string folded_field(std::string_view name, std::string_view value) {
    std::string out(name);
    out += ':';
    std::size_t column = out.size();
    while (!value.empty()) {
        // A piece ends before a space or after a comma.
        std::size_t end = value.find_first_of(" ,", 1);
        if (end != std::string_view::npos && value[end] == ',') ++end;
        auto piece = value.substr(0, end);
        value.remove_prefix(piece.size());
        const bool spaced = piece.front() == ' ';
        if (spaced) piece.remove_prefix(1);
        const bool first = column == name.size() + 1;
        if (!first && column + 1 + piece.size() > wished_line_length) {
            out += "\r\n\t";
            column = 8;
        } else if (first || spaced) {
            out += ' ';
            ++column;
        }
        for (char c : piece) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
        column += piece.size();
    }
    return out + "\r\n";
}

}  // namespace postern::delivery

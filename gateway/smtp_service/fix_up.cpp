#include "gateway/smtp_service/fix_up.h"

#include "protocols/base/time.h"
#include "protocols/mime/date.h"
#include "protocols/mime/message.h"
#include "protocols/wire/text.h"
#include "store/kv/random_id.h"

#include <algorithm>
#include <chrono>

namespace postern::smtp_service {

namespace {

using IsToGo = bool (*)(std::string_view name, std::string_view value);

// Behind the field's continuation lines, those of white space alone too, at which the parser stops.
std::size_t end_of(const mime::HeaderField& field, std::string_view message) {
    std::size_t end = field.line.end;
    while (end < message.size() && (message[end] == ' ' || message[end] == '\t')) {
        const auto line_end = message.find("\r\n", end);
        end = line_end == std::string_view::npos ? message.size() : line_end + 2;
    }
    return end;
}

void remove_fields(std::string& message, IsToGo is_to_go) {
    const auto parsed = mime::parse(header_of(message));
    const auto& fields = parsed.parts.front().fields;
    // From the last field on, so that the offsets of those before stay true.
    for (auto field = fields.rbegin(); field != fields.rend(); ++field) {
        if (!is_to_go(field->name.of(message), field->value.of(message))) continue;
        message.erase(field->line.begin, end_of(*field, message) - field->line.begin);
    }
}

}  // namespace

void add_missing_fields(std::string& message, std::string_view hostname,
                        std::string_view session_id) {
    // With nothing in it a field is as good as missing.
    remove_fields(message, [](std::string_view name, std::string_view value) {
        const bool ours = wire::equals_ignoring_case(name, "Date") ||
                          wire::equals_ignoring_case(name, "Message-ID");
        return ours && value.find_first_not_of(" \t\r\n") == std::string_view::npos;
    });
    const auto header = header_of(message);
    const auto parsed = mime::parse(header);
    const auto& root = parsed.parts.front();
    std::string fields;
    if (mime::find_field(root, header, "Date") == nullptr) {
        const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
        fields += "Date: " + mime::format_rfc5322({now, 0}) + "\r\n";
    }
    if (mime::find_field(root, header, "Message-ID") == nullptr) {
        fields += "Message-ID: <" + to_hex(kv::random_id()) + "." + std::string(session_id) + "@" +
                  std::string(hostname) + ">\r\n";
    }
    if (fields.empty()) return;
    const bool has_header = !root.fields.empty() && root.fields.front().line.begin == 0;
    if (!has_header && !message.starts_with("\r\n")) fields += "\r\n";
    message.insert(0, fields);
}

void remove_blind_copies(std::string& message) {
    remove_fields(message, [](std::string_view name, std::string_view) {
        return wire::equals_ignoring_case(name, "Bcc") ||
               wire::equals_ignoring_case(name, "Resent-Bcc");
    });
}

std::string header_of(std::string_view message) {
    const auto end = message.find("\r\n\r\n");
    return std::string(message.substr(0, end == std::string_view::npos ? end : end + 2));
}

}  // namespace postern::smtp_service

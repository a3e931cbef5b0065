#include "gateway/smtp_service/fix_up.h"

#include "protocols/base/time.h"
#include "protocols/mime/date.h"
#include "protocols/mime/message.h"
#include "protocols/wire/text.h"
#include "store/kv/random_id.h"

#include <algorithm>
#include <chrono>

namespace postern::smtp_service {

void add_missing_fields(std::string& message, std::string_view hostname,
                        std::string_view session_id) {
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
    const auto parsed = mime::parse(header_of(message));
    const auto& fields = parsed.parts.front().fields;
    // From the last field on, so that the offsets of those before stay true.
    for (auto field = fields.rbegin(); field != fields.rend(); ++field) {
        const auto name = field->name.of(message);
        const bool blind = wire::equals_ignoring_case(name, "Bcc") ||
                           wire::equals_ignoring_case(name, "Resent-Bcc");
        if (blind) message.erase(field->line.begin, field->line.end - field->line.begin);
    }
}

std::string header_of(std::string_view message) {
    const auto end = message.find("\r\n\r\n");
    return std::string(message.substr(0, end == std::string_view::npos ? end : end + 2));
}

}  // namespace postern::smtp_service

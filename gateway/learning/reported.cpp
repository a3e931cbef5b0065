#include "gateway/learning/reported.h"

#include "filters/features/features.h"
#include "filters/input.h"
#include "protocols/mime/decode.h"
#include "protocols/mime/header.h"
#include "protocols/mime/message.h"
#include "protocols/wire/text.h"

#include <algorithm>
#include <optional>

namespace postern::learning {

namespace {

constexpr std::string_view message_suffix = ".eml";
constexpr std::string_view resent_prefix = "resent-";

bool names_message(const std::vector<mime::Parameter>& parameters, std::string_view name) {
    const std::string* value = mime::find_parameter(parameters, name);
    return value != nullptr && wire::lower_case(*value).ends_with(message_suffix);
}

bool is_reported(const mime::Part& part) {
    return part.is_message() || (!part.is_multipart() && part.children.empty() &&
                                 (names_message(part.disposition_parameters, "filename") ||
                                  names_message(part.parameters, "name")));
}

// As it was before it was redirected, so that it is the message that the mailbox holds. nullopt: it
// was not.
std::optional<std::string> before_redirection(const mime::Part& root, std::string_view whole) {
    std::string message;
    std::uint64_t kept = 0;
    for (const mime::HeaderField& field : root.fields) {
        const std::string name = wire::lower_case(field.name.of(whole));
        if (!name.starts_with(resent_prefix)) continue;
        message += whole.substr(kept, field.line.begin - kept);
        kept = field.line.end;
    }
    if (kept == 0) return std::nullopt;
    message += whole.substr(kept);
    message.resize(std::min(message.size(), filters::max_scanned_bytes));
    return message;
}

}  // namespace

Result<std::vector<std::string>> reported_messages(std::string_view report) {
    const mime::Message parsed = mime::parse(report);
    std::vector<std::string> messages;
    std::vector<bool> inside(parsed.parts.size(), false);  // of a reported one
    for (std::size_t i = 1; i < parsed.parts.size(); ++i) {
        const mime::Part& part = parsed.parts[i];
        const auto parent = static_cast<std::size_t>(part.parent);
        inside[i] = inside[parent] || parsed.parts[parent].is_message();
        if (inside[i] || !is_reported(part)) continue;
        if (messages.size() == max_reported_messages) {
            return Error{Errc::limit, "more than " + std::to_string(max_reported_messages) +
                                          " messages are attached"};
        }
        messages.push_back(
            mime::decode_content(part.body.of(report), part.encoding, filters::max_scanned_bytes));
    }
    if (messages.empty() && is_reported(parsed.parts[0])) {
        messages.push_back(mime::decode_content(
            parsed.parts[0].body.of(report), parsed.parts[0].encoding, filters::max_scanned_bytes));
    }
    if (messages.empty()) {
        auto redirected = before_redirection(parsed.parts[0], report);
        if (redirected) messages.push_back(std::move(*redirected));
    }
    if (messages.empty()) return Error{Errc::not_found, "no message is attached"};
    return messages;
}

Result<std::vector<LearnJob>> jobs_of_report(std::string_view report, LearnAction action,
                                             const std::string& who, Time when) {
    const auto messages = reported_messages(report);
    if (!messages) return messages.error();
    std::vector<LearnJob> jobs;
    for (const std::string& message : *messages) {
        const auto parsed = mime::parse(message);
        jobs.push_back({action, filters::extract({message, parsed, {}, Time{}}).vector, who, when});
    }
    return jobs;
}

}  // namespace postern::learning

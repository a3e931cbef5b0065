#include "appliance/cli/log_trace.h"

#include "protocols/wire/text.h"

#include <algorithm>

namespace postern::cli {

namespace {

std::string_view without_brackets(std::string_view text) {
    if (text.starts_with('<') && text.ends_with('>')) return text.substr(1, text.size() - 2);
    return text;
}

}  // namespace

LogTrace::LogTrace(std::string_view what) : what_(wire::lower_case(without_brackets(what))) {}

// One of the addresses of a list with commas.
bool LogTrace::names(std::string_view list) const {
    while (!list.empty()) {
        const auto end = std::min(list.find(','), list.size());
        auto each = list.substr(0, end);
        while (each.starts_with(' ')) each.remove_prefix(1);
        if (wire::equals_ignoring_case(without_brackets(each), what_)) return true;
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return false;
}

bool LogTrace::matches(const logging::Line& line) const {
    if (line.value("id") == what_) return true;
    for (const char* key : {"message_id", "from", "rcpt", "to", "user"}) {
        if (names(line.value(key))) return true;
    }
    return false;
}

void LogTrace::look_at(std::string_view text) {
    const auto line = logging::parse_line(text);
    if (!line || !matches(*line)) return;
    const auto id = line->value("id");
    const auto session = line->value("session");
    if (ids_.size() + sessions_.size() >= max_traced_messages) {
        too_many_ = true;
        return;
    }
    if (!id.empty()) ids_.emplace(id);
    if (!session.empty()) sessions_.emplace(session);
}

void LogTrace::gather(std::string_view text) {
    auto line = logging::parse_line(text);
    if (!line || lines_.size() >= max_traced_lines) return;
    const auto id = line->value("id");
    // Of a session the lines about no message or a matching one.
    const bool wanted = id.empty() ? sessions_.contains(line->value("session")) || matches(*line)
                                   : ids_.contains(id);
    if (wanted) lines_.push_back(std::move(*line));
}

}  // namespace postern::cli

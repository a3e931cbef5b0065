#include "protocols/imap/status_line.h"

#include <algorithm>
#include <utility>

namespace postern::imap {
namespace {

std::string value_of(const Session& session, const StatusData& data, command::Status::Item item) {
    using Item = command::Status::Item;
    switch (item) {
        case Item::messages:
            return "MESSAGES " + std::to_string(data.messages);
        case Item::recent:
            return "RECENT " + std::to_string(data.recent);
        case Item::uid_next:
            return "UIDNEXT " + std::to_string(data.uid_next);
        case Item::uid_validity:
            return "UIDVALIDITY " + std::to_string(data.uid_validity);
        case Item::unseen:
            return "UNSEEN " + std::to_string(data.unseen);
        case Item::deleted:
            return "DELETED " + std::to_string(data.deleted);
        case Item::deleted_storage:
            return "DELETED-STORAGE " + std::to_string(data.deleted_bytes);
        case Item::size:
            return "SIZE " + std::to_string(data.bytes);
        case Item::highest_modseq:
            return "HIGHESTMODSEQ " + std::to_string(data.highest_modseq);
        case Item::append_limit:
            return "APPENDLIMIT " + std::to_string(session.config().max_append_bytes);
        case Item::mailbox_id:
            return "MAILBOXID (" + data.mailbox_id + ')';
    }
    return "";
}

}  // namespace

GetStatus status_question(std::string name, const std::vector<command::Status::Item>& items) {
    const bool deleted_bytes = std::find(items.begin(), items.end(),
                                         command::Status::Item::deleted_storage) != items.end();
    return {std::move(name), deleted_bytes};
}

std::string status_line(const Session& session, std::string_view name,
                        const std::vector<command::Status::Item>& items, const StatusData& data) {
    std::string line = "* STATUS " + session.mailbox_text(name) + " (";
    for (const auto item : items) line += value_of(session, data, item) + ' ';
    line.back() = ')';
    return line + "\r\n";
}

}  // namespace postern::imap

#include "protocols/imap/message_limit.h"

#include <utility>

namespace postern::imap {

std::string message_limit_code(const Session& session, Uid lowest) {
    std::string code = "MESSAGELIMIT " + std::to_string(session.config().message_limit);
    if (lowest != 0) code += ' ' + std::to_string(lowest);
    return code;
}

std::string cut_to_message_limit(const Session& session, UidSet& uids) {
    const std::uint64_t limit = session.config().message_limit;
    const std::uint64_t size = uids.size();
    if (size <= limit) return "";
    const Uid lowest = uids.at(static_cast<UidSet::Value>(size - limit + 1));
    uids = uids.slice(lowest, uids.max());
    return message_limit_code(session, lowest);
}

void ok_within_limit(Session& session, std::string text, std::string code,
                     const std::string& limit_code) {
    if (limit_code.empty()) return session.ok(std::move(text), std::move(code));
    const std::string partly = text + " for the last messages only";
    if (code.empty()) return session.ok(partly, limit_code);
    session.send("* NO [" + limit_code + "] " + partly + "\r\n");
    session.ok(std::move(text), std::move(code));
}

}  // namespace postern::imap

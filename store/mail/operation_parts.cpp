#include "store/mail/operation_parts.h"

namespace postern::mail {

Result<Messages> read_messages(MailboxChange& change, const UidSet& uids, std::size_t rows_each) {
    Messages messages;
    Result<void> read;
    uids.for_each([&](Uid uid) {
        const std::size_t count = messages.size() + 1;
        if (!change.has_room(count * rows_each, count * row_bytes)) return false;
        auto message = change.message(uid);
        if (!message) read = message.error();
        if (message) messages.emplace_back(uid, *std::move(message));
        return read.has_value();
    });
    if (!read) return read.error();
    return messages;
}

Flags without_seen(Flags flags) {
    flags.clear(SystemFlag::seen);
    return flags;
}

void mark_new(MailboxChange& change, AccountId account, Uid uid) {
    if (change.may_mark(account)) change.set_mark(account, uid, true);
}

}  // namespace postern::mail

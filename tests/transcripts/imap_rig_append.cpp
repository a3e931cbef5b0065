// APPEND of the rig: what was uploaded becomes messages of its memory.
#include "tests/transcripts/imap_rig.h"

#include <utility>

namespace postern::transcripts {

using imap::Answer;
using imap::Done;

Answer ImapRig::check_append(const imap::CheckAppend& asked) {
    if (memory_.find(asked.name) == nullptr) return ImapMemory::no_such_mailbox();
    return Done{};
}

Answer ImapRig::append(const imap::AppendMessage& asked) {
    auto* mailbox = memory_.find(asked.name);
    if (mailbox == nullptr) return ImapMemory::no_such_mailbox();
    uploads_.push_back({std::exchange(upload_, {}), asked.flags, asked.internal_date});
    for (const Upload& each : uploads_) {
        if (each.bytes.find('\0') == std::string::npos) continue;
        uploads_.clear();
        return imap::Failure{"UNKNOWN-CTE", "NUL outside of parts marked as binary"};
    }
    imap::AppendDone out{mailbox->uid_validity, {}};
    for (Upload& each : std::exchange(uploads_, {})) {
        out.uids.push_back(memory_.append(*mailbox, std::move(each.bytes), each.flags,
                                          each.internal_date.value_or(now_)));
    }
    if (asked.replaces != 0) memory_.expunge(*memory_.find(selected_), {asked.replaces});
    return out;
}

}  // namespace postern::transcripts

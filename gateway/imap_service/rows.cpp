#include "gateway/imap_service/rows.h"

#include <algorithm>
#include <utility>

namespace postern::imap_service {

imap::MessageRow to_imap(mail::MessageRow row, bool with_object_ids) {
    imap::MessageRow out;
    out.uid = row.uid;
    out.flags = std::move(row.flags);
    out.modseq = row.modseq;
    out.internal_date = row.internal_date;
    out.size = row.size;
    // Opaque to the engine: the id's own bytes.
    out.blob.assign(reinterpret_cast<const char*>(row.blob.bytes.data()), row.blob.bytes.size());
    out.summary = std::move(row.summary);
    out.save_date = row.save_date;
    if (!with_object_ids) return out;
    out.email_id = mail::email_object_id(row.email_id);
    if (!row.thread_id.empty()) out.thread_id = mail::thread_object_id(row.thread_id);
    return out;
}

imap::StatusData to_imap(const mail::Status& status, MailboxId mailbox) {
    return {status.uid_validity,
            status.uid_next,
            status.highest_modseq,
            status.messages,
            status.unseen,
            status.recent,
            status.deleted,
            status.bytes,
            mail::mailbox_object_id(mailbox),
            0};
}

Result<BlobId> blob_of(const std::string& reference) {
    BlobId blob;
    if (reference.size() != blob.bytes.size()) {
        return Error{Errc::internal, "a body reference that is none of ours"};
    }
    std::copy(reference.begin(), reference.end(), blob.bytes.begin());
    return blob;
}

}  // namespace postern::imap_service

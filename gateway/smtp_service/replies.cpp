#include "gateway/smtp_service/replies.h"

namespace postern::smtp_service {

smtp::Reply not_accepted(const Error& error) {
    switch (error.code) {
        case Errc::over_quota:
            return {452, "4.2.2", "Mailbox full, try again later"};
        case Errc::too_large:
            return {552, "5.2.3", "Message too large for this mailbox"};
        case Errc::permission:
            return {550, "5.7.1", "Refused: this message looks like spam"};
        case Errc::unavailable:
        case Errc::limit:
            return no_storage_now();
        default:
            return {451, "4.3.0", "Message not stored, try again later"};
    }
}

}  // namespace postern::smtp_service

#include "gateway/imap_service/failure.h"

namespace postern::imap_service {

namespace {

const char* code_of(Errc code) {
    switch (code) {
        case Errc::not_found:
            return "NONEXISTENT";
        case Errc::exists:
            return "ALREADYEXISTS";
        case Errc::over_quota:
            return "OVERQUOTA";
        case Errc::too_large:
        case Errc::limit:
            return "LIMIT";
        case Errc::permission:
            return "NOPERM";
        case Errc::conflict:
            return "INUSE";
        case Errc::unavailable:
            return "UNAVAILABLE";
        case Errc::corrupt:
            return "CORRUPTION";
        case Errc::internal:
            return "SERVERBUG";
        case Errc::invalid:
        case Errc::unsupported:
            return "CANNOT";
    }
    return "";
}

}  // namespace

imap::Failure to_failure(const Error& error) {
    return {code_of(error.code), error.text};
}

imap::Failure none_selected() {
    return {"CLIENTBUG", "No mailbox is selected"};
}

imap::Failure read_only() {
    return {"READ-ONLY", "The mailbox was opened read-only"};
}

}  // namespace postern::imap_service

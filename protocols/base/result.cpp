#include "protocols/base/result.h"

#include <stdexcept>

namespace postern {

const char* to_string(Errc code) {
    switch (code) {
        case Errc::invalid:
            return "invalid";
        case Errc::not_found:
            return "not found";
        case Errc::exists:
            return "exists";
        case Errc::conflict:
            return "conflict";
        case Errc::over_quota:
            return "over quota";
        case Errc::too_large:
            return "too large";
        case Errc::limit:
            return "limit";
        case Errc::permission:
            return "permission";
        case Errc::unavailable:
            return "unavailable";
        case Errc::corrupt:
            return "corrupt";
        case Errc::unsupported:
            return "unsupported";
        case Errc::internal:
            return "internal";
    }
    return "unknown";
}

void throw_exception_from_error(const Error& error, const boost::source_location&) {
    throw std::logic_error("value() of a failed Result: " + error.text);
}

}  // namespace postern

// Xapian's exceptions as Results. Internal to store/fulltext.
#pragma once

#include "protocols/base/result.h"

#include <xapian.h>

#include <cerrno>
#include <cstring>
#include <exception>
#include <filesystem>
#include <new>
#include <string>
#include <type_traits>

namespace postern::fulltext {

template <class Work>
std::invoke_result_t<Work> guarded(const std::string& what, Work work) {
    try {
        return work();
    } catch (const Xapian::DatabaseLockError& error) {
        return Error{Errc::conflict, what + ": " + error.get_msg()};
    } catch (const Xapian::DatabaseCorruptError& error) {
        return Error{Errc::corrupt, what + ": " + error.get_msg()};
    } catch (const Xapian::DatabaseVersionError& error) {
        return Error{Errc::corrupt, what + ": " + error.get_msg()};
    } catch (const Xapian::DocNotFoundError& error) {
        return Error{Errc::corrupt, what + ": " + error.get_msg()};
    } catch (const Xapian::DatabaseOpeningError& error) {
        // Files that cannot be opened for want of descriptors or rights are not damaged.
        const char* reason = error.get_error_string();
        const bool lost = reason == nullptr || std::strcmp(reason, std::strerror(ENOENT)) == 0;
        return Error{lost ? Errc::corrupt : Errc::unavailable, what + ": " + error.get_msg()};
    } catch (const Xapian::Error& error) {
        return Error{Errc::unavailable, what + ": " + error.get_msg()};
    } catch (const std::filesystem::filesystem_error& error) {
        return Error{Errc::unavailable, what + ": " + error.what()};
    } catch (const std::bad_alloc&) {
        return Error{Errc::unavailable, what + ": no memory"};
    } catch (const std::exception& error) {
        // Xapian lets out what its standard containers throw when a file holds nonsense.
        return Error{Errc::corrupt, what + ": " + error.what()};
    }
}

}  // namespace postern::fulltext

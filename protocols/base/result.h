// Result<T>: a value, or an Error in the caller's terms. No exception crosses a module border.
//
// Three kinds of failure are kept apart everywhere: a peer's mistake is a protocol reply, a failed
// operation is a Result, a bug of ours is an assertion. "Need more bytes" is a value, never an
// Error.
#pragma once

#include <boost/system/result.hpp>

#include <string>
#include <utility>

namespace postern {

// Closed list. Each front end maps every code to its own reply (SMTP 4xx/5xx, IMAP NO [..], exit
// code).
enum class Errc {
    invalid,      // the request makes no sense as given
    not_found,    // the named thing does not exist
    exists,       // a thing of that name exists already
    conflict,     // a precondition failed, and retrying did not help
    over_quota,   // the pool or mailbox is full
    too_large,    // a single item is over its limit
    limit,        // a count or rate limit was reached
    permission,   // known, but not allowed
    unavailable,  // temporary: disk full, engine closed, time-out; trying later may help
    corrupt,      // stored bytes do not read back as what was written
    unsupported,  // understood, not offered
    internal,     // a bug of ours that was caught
};

const char* to_string(Errc code);

struct Error {
    Errc code = Errc::internal;
    std::string text;  // one line for a person: what failed and, where known, what to do next
};

template <class T>
using Result = boost::system::result<T, Error>;

// Lets result<T>::value() throw: a call of value() on an error is a bug of ours.
[[noreturn]] void throw_exception_from_error(const Error& error,
                                             const boost::source_location& where);

}  // namespace postern

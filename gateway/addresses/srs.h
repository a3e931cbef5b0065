// The Sender Rewriting Scheme (libsrs2's SRS0 and SRS1): mail that an alias sends on to another
// server gets a reverse-path at our own domain, so that SPF there sees a server that may send for
// it, and bounces find their way back through us.
//
//   SRS0=hash=day=domain=local@ours            of local@domain
//   SRS1=hash=domain==hash=day=...@ours        of what another forwarder made already
//
// The hash keeps strangers from making such addresses, the day lets them run out. Both survive a
// change of case on the way. Immutable; thread rule: any thread.
#pragma once

#include "protocols/base/result.h"
#include "protocols/base/time.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace postern::addresses {

inline constexpr int srs_valid_days = 21;
inline constexpr std::size_t max_srs_path_bytes = 254;  // RFC 5321 section 4.5.3.1.3, without <>

class Srs {
public:
    explicit Srs(std::string secret) : secret_(std::move(secret)) {}

    // The reverse-path for mail of `sender` that `domain`, one of ours, sends on. `sender` as it is
    // where it is empty, no address, or would become too long.
    std::string forward(std::string_view sender, std::string_view domain, Time now) const;

    // Whether the address looks like one of the scheme, ours or not.
    static bool is_srs(std::string_view address);

    // The address that a bounce to `address` goes to. Errors: invalid (not made by us, malformed),
    // not_found (made by us, but too long ago).
    Result<std::string> reverse(std::string_view address, Time now) const;

private:
    std::string hash(std::string_view text) const;

    std::string secret_;
};

// The secret in `file`, made (readable by its owner alone) when it is missing. Errors: unavailable.
Result<std::string> load_or_make_secret(const std::string& file);

}  // namespace postern::addresses

// MTA-STS policies on disk, so that a restart does not forget what a domain asked for (RFC 8461
// section 5.1 has the cache survive).
//
// One JSON object a line; a later line of a domain replaces an earlier one. Lines are appended, and
// the file is rewritten whole (to a new file, renamed) when half of it is of no more use. A line
// that cannot be read is skipped: the domain is asked again.
//
// Thread rule: one thread at a time.
#pragma once

#include "gateway/outbound/sts_policy.h"
#include "protocols/base/result.h"
#include "protocols/base/time.h"

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace postern::outbound {

inline constexpr std::size_t max_sts_file_bytes = 16 * 1024 * 1024;

// What is known of one domain.
struct StsKnown {
    std::string id;
    std::shared_ptr<const StsPolicy> policy;  // nullptr: it could not be fetched; never on disk
    Time until;                               // it holds, or is not asked for, so long
    // Beside a policy that holds, never on disk: this one could not be fetched, and is not asked
    // for so long.
    std::string failed_id = {};
    Time again = {};
};
using StsKnownMap = std::map<std::string, StsKnown, std::less<>>;

class StsFile {
public:
    // limit_bytes: of the file. Policies that would not fit are not kept.
    explicit StsFile(std::string path, std::size_t limit_bytes = max_sts_file_bytes)
        : path_(std::move(path)), limit_bytes_(limit_bytes) {}

    // What holds at `now`, of at most max_sts_domains; empty where there is no file. The file is
    // rewritten with it. Errors: unavailable.
    Result<StsKnownMap> load(Time now);
    // `all` is what is known including the new one: what a rewritten file holds.
    // Errors: unavailable.
    Result<void> add(const std::string& domain, const StsKnown& known, const StsKnownMap& all);

private:
    Result<void> rewrite(const StsKnownMap& all);

    const std::string path_;
    const std::size_t limit_bytes_;
    std::size_t bytes_ = 0;      // of the file
    std::size_t rewritten_ = 0;  // bytes when it was last rewritten
};

}  // namespace postern::outbound

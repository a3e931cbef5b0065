// Whether the machine below the gateway is as it should be: what `postern status`, `postern
// doctor`, the health endpoint and the metrics all look at, so that they agree.
//
// Thread rule: any function from any thread. They read files and the clock and wait for nothing
// else.
#pragma once

#include "protocols/base/time.h"

#include <cstdint>
#include <string>
#include <vector>

namespace postern::health {

enum class Level : std::uint8_t {
    good,
    warning,  // will be a problem, or may be one
    bad,      // mail does not flow, or is about to stop
    skipped,  // could not be looked at
};
const char* to_string(Level level);  // "good", "warning", "bad", "skipped"

struct Finding {
    std::string area;  // "disk", "certificate"
    Level level = Level::good;
    std::string text;    // what is so, in one line
    std::string remedy;  // what to do, empty where nothing is to be done
};
Level worst(const std::vector<Finding>& findings);

// A store that cannot grow refuses mail with 452.
inline constexpr std::uint64_t disk_bad_bytes = 256ull * 1024 * 1024;
inline constexpr double disk_warning_share = 0.15;  // free
inline constexpr double disk_bad_share = 0.02;
struct Disk {
    std::uint64_t total_bytes = 0;
    std::uint64_t free_bytes = 0;  // for the one who asks, without what root keeps back
    bool known = false;
};
Disk disk_of(const std::string& folder);
Finding judge_disk(const Disk& disk, const std::string& folder);

inline constexpr int certificate_warning_days = 21;
inline constexpr int certificate_bad_days = 3;
struct Certificate {
    Time expires{};
    bool self_signed = false;
    bool by_acme = false;    // an authority is to give one and to renew it
    bool names_host = true;  // it is valid for the name of `host`
    std::string host;
};
Finding judge_certificate(const Certificate& certificate, Time now);

// Whether somebody keeps the clock right (adjtimex); a container often cannot tell.
Finding check_clock();

// Jobs in the learn log that the models do not know yet.
inline constexpr std::uint64_t learning_warning_jobs = 10'000;
Finding judge_learning(std::uint64_t applied, std::uint64_t logged, std::uint64_t ham,
                       std::uint64_t spam);

// Messages for other servers; the oldest in seconds.
inline constexpr std::uint64_t queue_warning_messages = 1'000;
inline constexpr std::uint64_t queue_warning_age_s = 24 * 3600;
Finding judge_queue(std::uint64_t messages, std::uint64_t oldest_s);

}  // namespace postern::health

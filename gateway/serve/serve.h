// The daemon: everything opened, wired and run until a signal ends it.
#pragma once

#include "gateway/config/config.h"

namespace postern::serve {

// sysexits.h, so that service managers and scripts can tell why it ended.
inline constexpr int exit_ok = 0;
inline constexpr int exit_unavailable = 69;  // another instance runs, an address is in use
inline constexpr int exit_software = 70;     // could not end in order
inline constexpr int exit_cant_create =
    73;  // data folder, store or certificate cannot be made or opened
inline constexpr int exit_bad_config = 78;  // configuration, rules or certificate refused

// Runs in the foreground on the calling thread and logs to stderr; writes the line `ready` to
// stdout once every listener is open, and the ports in use into config.ports_file(). SIGTERM and
// SIGINT: no new sessions, what is under way is finished within limits.shutdown_grace_s, then
// exit_ok. SIGHUP: config.file, rules and certificate are read again; listeners, data_dir and
// threads keep until a restart. Once a process.
int serve(const config::Config& config);

}  // namespace postern::serve

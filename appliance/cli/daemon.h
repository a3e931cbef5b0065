// The daemon as the command line sees it: whether one runs on this data folder, and a word with it.
#pragma once

#include "gateway/config/config.h"
#include "protocols/base/result.h"

#include <memory>
#include <optional>
#include <string>

namespace postern::cli {

// Keeps daemons away from the data folder while it lives: for work that only one process may do.
class InstanceHold {
public:
    virtual ~InstanceHold() = default;
};

// nullptr: a daemon (or another such command) holds it. Errors: unavailable.
Result<std::unique_ptr<InstanceHold>> hold_instance(const config::Config& config);

// Tells a running daemon that the learn log has news. Lost words do no harm: it looks by itself,
// too.
void wake_learning(const config::Config& config);

// Tells a running daemon that the queue was changed.
void wake_queue(const config::Config& config);

// Makes a running daemon read configuration and certificates again; it drops no session. Errors:
// unavailable (none answers), invalid (it refused them).
Result<void> reload_daemon(const config::Config& config);

// The daemon's own status as JSON text; nullopt: none answers.
std::optional<std::string> daemon_status(const config::Config& config);

}  // namespace postern::cli

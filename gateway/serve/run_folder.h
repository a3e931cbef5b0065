// The data folder of a running daemon: made, locked, and told what the daemon does.
#pragma once

#include "gateway/config/config.h"
#include "protocols/base/result.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace postern::serve {

// Held as long as the daemon runs; the system lets go of it when the process ends in whatever way.
class InstanceLock {
public:
    // Makes the folders. Errors: exists (another daemon runs on this data folder), unavailable.
    static Result<std::unique_ptr<InstanceLock>> take(const config::Config& config);
    ~InstanceLock();
    InstanceLock(const InstanceLock&) = delete;
    InstanceLock& operator=(const InstanceLock&) = delete;

private:
    explicit InstanceLock(int fd) : fd_(fd) {}
    int fd_;
};

using Ports = std::map<std::string, std::vector<std::string>>;  // service -> "address:port"

// As JSON, whole or not at all. Errors: unavailable.
Result<void> write_ports(const std::string& path, const Ports& ports);

// Many clients need many descriptors: the soft limit goes up to the hard one.
void raise_descriptor_limit();

// sd_notify(3); nothing without a service manager.
void notify_manager(const char* state);

}  // namespace postern::serve

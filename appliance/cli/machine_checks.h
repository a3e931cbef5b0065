// What `postern status` and `postern doctor` find out about this machine from outside the daemon.
#pragma once

#include "gateway/config/config.h"
#include "gateway/health/health.h"

#include <map>
#include <string>
#include <vector>

namespace postern::cli {

// False also where it cannot be told, as for a user who may not look into the data folder.
bool no_store_yet(const config::Config& config);

// For where no daemon answers: why that may be. Without a store its unit does not start it.
health::Finding daemon_missing(const config::Config& config);

// Each listener is called as a client would, and must greet (those with implicit TLS must accept).
// `listeners`: service to "ADDRESS:PORT", as the daemon tells.
std::vector<health::Finding> check_listeners(
    const std::map<std::string, std::vector<std::string>>& listeners);

// Keys that others can read, a data folder that others can write.
std::vector<health::Finding> check_permissions(const config::Config& config);

// How long the disk takes to make 4 KiB durable, the median of several; writes a small file.
health::Finding check_disk_speed(const std::string& folder);

// The certificate as the files have it now.
health::Finding check_certificate(const config::Config& config);

}  // namespace postern::cli

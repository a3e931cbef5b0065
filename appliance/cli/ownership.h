// Commands are often run by root, the daemon by a user of its own: what root makes in the data
// folder must stay usable for the daemon.
#pragma once

#include <string>

namespace postern::cli {

// Run by root on a folder that another user owns: files and folders in it that belong to root go
// to that user. Does nothing otherwise. Failures are left to the daemon to report.
void hand_to_owner(const std::string& folder);

}  // namespace postern::cli

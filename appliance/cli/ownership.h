// Commands are often run by root, the daemon by a user of its own: what root makes in the data
// folder must stay usable for the daemon.
#pragma once

#include <string>

namespace postern::cli {

// Run by root on a folder that another user owns: files and folders in it that belong to root go
// to that user. Does nothing otherwise. Failures are left to the daemon to report.
void hand_to_owner(const std::string& folder);

// Whether the user that owns the folder, with that user's groups, can read the file. True without
// a look where another than root asks, root owns the folder, or there is no such file.
bool owner_can_read(const std::string& folder, const std::string& file);

}  // namespace postern::cli

// Which files hold mail under a path.
#pragma once

#include "protocols/base/result.h"

#include <cstdint>
#include <string>
#include <vector>

namespace postern::mailsource {

struct File {
    std::string path;
    std::uint64_t size = 0;
    bool maildir = false;  // exactly one message, never an mbox
    std::string problem;   // not empty: cannot be listed
};

// Appends the files under `path`, ascending by name within each folder: of a Maildir those in new
// and cur and in its sub-folders; of another folder all, recursively, hidden ones left out.
// Symbolic links to folders are not followed below `path` itself. Errors: not_found, permission,
// limit.
Result<void> list_files(const std::string& path, std::vector<File>& files);

}  // namespace postern::mailsource

#include "appliance/cli/ownership.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

namespace postern::cli {

namespace fs = std::filesystem;

void hand_to_owner(const std::string& folder) {
    struct stat owner {};
    if (::geteuid() != 0 || ::stat(folder.c_str(), &owner) != 0 || owner.st_uid == 0) return;
    std::error_code failure;
    fs::recursive_directory_iterator each(folder, failure);
    for (; !failure && each != fs::recursive_directory_iterator(); each.increment(failure)) {
        struct stat found {};
        const char* path = each->path().c_str();
        if (::lstat(path, &found) != 0 || found.st_uid != 0) continue;
        // A link's own owner is changed, never what it points to.
        (void)!::lchown(path, owner.st_uid, owner.st_gid);
    }
}

}  // namespace postern::cli

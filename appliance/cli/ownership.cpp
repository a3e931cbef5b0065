#include "appliance/cli/ownership.h"

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
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

bool owner_can_read(const std::string& folder, const std::string& file) {
    struct stat owner {};
    struct stat found {};
    if (::geteuid() != 0 || ::stat(folder.c_str(), &owner) != 0 || owner.st_uid == 0 ||
        ::stat(file.c_str(), &found) != 0) {
        return true;
    }
    const passwd* user = ::getpwuid(owner.st_uid);
    const std::string name = user != nullptr ? user->pw_name : "";
    const gid_t group = user != nullptr ? user->pw_gid : owner.st_gid;
    // Another user for good, so in a process of its own; it does nothing but ask the kernel.
    const pid_t child = ::fork();
    if (child < 0) return true;
    if (child == 0) {
        const bool changed =
            (name.empty() ? ::setgroups(0, nullptr) : ::initgroups(name.c_str(), group)) == 0 &&
            ::setgid(group) == 0 && ::setuid(owner.st_uid) == 0;
        ::_exit(changed && ::access(file.c_str(), R_OK) != 0 ? 1 : 0);
    }
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return !WIFEXITED(status) || WEXITSTATUS(status) == 0;
}

}  // namespace postern::cli

#include "store/fulltext/folder.h"

#include "store/fulltext/terms.h"

#include <charconv>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <system_error>
#include <unistd.h>

namespace postern::fulltext {

namespace fs = std::filesystem;

namespace {

std::string prefix() {
    return "v" + std::to_string(layout_version) + "-";
}

}  // namespace

std::string segment_path(const std::string& folder, Uid first) {
    return folder + "/" + prefix() + std::to_string(first);
}

std::map<Uid, std::string> segments_in(const std::string& folder) {
    std::map<Uid, std::string> segments;
    std::error_code error;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
        const std::string name = it->path().filename();
        if (!name.starts_with(prefix())) continue;
        Uid first = 0;
        const char* last = name.data() + name.size();
        const auto parsed = std::from_chars(name.data() + prefix().size(), last, first);
        if (parsed.ec == std::errc() && parsed.ptr == last) segments[first] = it->path();
    }
    return segments;
}

Result<void> remove_stale(const std::string& folder) {
    std::error_code error;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
        const std::string name = it->path().filename();
        if (!name.starts_with("v") || name.starts_with(prefix())) continue;
        if (auto removed = remove_folder(it->path()); !removed) return removed;
    }
    return {};
}

Result<void> remove_folder(const std::string& path) {
    // Out of the readers' sight first.
    const std::string aside = path + ".old";
    std::error_code error;
    fs::remove_all(aside, error);
    fs::rename(path, aside, error);
    if (error == std::errc::no_such_file_or_directory) return {};
    if (!error) fs::remove_all(aside, error);
    if (error) return Error{Errc::unavailable, path + ": " + error.message()};
    return {};
}

Result<std::unique_ptr<FolderLock>> FolderLock::take(const std::string& folder) {
    std::error_code error;
    fs::create_directories(folder, error);
    fs::permissions(folder, fs::perms::owner_all, error);
    const std::string path = folder + "/lock";
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return Error{Errc::unavailable, path + ": " + std::strerror(errno)};
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
        ::close(fd);
        return Error{Errc::conflict, folder + ": being written"};
    }
    return std::unique_ptr<FolderLock>(new FolderLock(fd));
}

FolderLock::~FolderLock() {
    ::close(fd_);
}

}  // namespace postern::fulltext

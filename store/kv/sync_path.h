// Makes files and folders durable.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>

namespace postern::kv {

// fsync of a file, or of a folder's entries; false when it failed.
inline bool sync_path(const std::filesystem::path& path) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
    const bool synced = ::fsync(file) == 0;
    ::close(file);
    return synced;
}

}  // namespace postern::kv

// One run of a command at a time.
#pragma once

#include <string>

namespace postern::cli {

// Made at once or not at all; the lock goes with the process, the file stays.
class FileLock {
public:
    explicit FileLock(const std::string& path);
    ~FileLock();
    FileLock(const FileLock&) = delete;
    FileLock& operator=(const FileLock&) = delete;
    bool held() const { return held_; }

private:
    int descriptor_;
    bool held_;
};

}  // namespace postern::cli

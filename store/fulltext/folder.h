// The folder of a mailbox's index. Internal to store/fulltext.
#pragma once

#include "protocols/base/ids.h"
#include "protocols/base/result.h"

#include <map>
#include <memory>
#include <string>

namespace postern::fulltext {

// First UID -> folder, ascending; those of another layout are left out.
std::map<Uid, std::string> segments_in(const std::string& folder);
std::string segment_path(const std::string& folder, Uid first);
// Removes segments of other layouts.
Result<void> remove_stale(const std::string& folder);
// Harmless when it does not exist. Errors: unavailable.
Result<void> remove_folder(const std::string& path);

// Held by the one writer; makes the folder. Errors: conflict, unavailable.
class FolderLock {
public:
    static Result<std::unique_ptr<FolderLock>> take(const std::string& folder);
    ~FolderLock();
    FolderLock(const FolderLock&) = delete;
    FolderLock& operator=(const FolderLock&) = delete;

private:
    explicit FolderLock(int fd) : fd_(fd) {}
    int fd_;
};

}  // namespace postern::fulltext

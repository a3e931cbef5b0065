// Brings the full-text index of one mailbox up to what the store holds.
#pragma once

#include "protocols/base/result.h"
#include "store/fulltext/index.h"
#include "store/mail/mail_store.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace postern::search_index {

// Where the index of a mailbox lies; folders are few in each folder.
std::string mailbox_folder(const std::string& folder, MailboxId mailbox);

struct UpdateOptions {
    bool rebuild = false;                       // forget what is indexed first
    const std::atomic<bool>* stopped = nullptr;  // set: ends early, what is done stays
    // Messages looked at, and all that are to be.
    std::function<void(std::uint64_t, std::uint64_t)> progress;
};

struct Updated {
    std::uint64_t added = 0;
    std::uint64_t removed = 0;
    std::uint64_t unreadable = 0;  // stay unindexed
};

// A mailbox that is empty or does not exist any more loses its index. Blocks: reads each message
// that is not indexed yet, one at a time. Errors: conflict (another process or thread is at it),
// unavailable, corrupt.
Result<Updated> update_index(mail::MailStore& mail, const std::string& folder, MailboxId mailbox,
                             const UpdateOptions& options);

}  // namespace postern::search_index

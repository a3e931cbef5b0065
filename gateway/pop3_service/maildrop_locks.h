// A maildrop belongs to one POP3 session at a time (RFC 1939 section 4); IMAP does not care.
#pragma once

#include "protocols/base/ids.h"

#include <memory>
#include <mutex>
#include <set>

namespace postern::pop3_service {

// Thread rule: any function from any thread. Outlives its locks.
class MaildropLocks {
public:
    class Lock {
    public:
        Lock(MaildropLocks& owner, AccountId account) : owner_(owner), account_(account) {}
        ~Lock() { owner_.release(account_); }
        Lock(const Lock&) = delete;
        Lock& operator=(const Lock&) = delete;

    private:
        MaildropLocks& owner_;
        AccountId account_;
    };

    // nullptr: another session has it.
    std::unique_ptr<Lock> take(AccountId account) {
        std::lock_guard guard(mutex_);
        if (!taken_.insert(account).second) return nullptr;
        return std::make_unique<Lock>(*this, account);
    }

private:
    void release(AccountId account) {
        std::lock_guard guard(mutex_);
        taken_.erase(account);
    }

    std::mutex mutex_;
    std::set<AccountId> taken_;
};

}  // namespace postern::pop3_service

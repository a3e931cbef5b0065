// A mail store of its own for a benchmark, in the working folder: /tmp may be in memory, where a
// commit costs nothing. Ends the program where it cannot be made.
#pragma once

#include "store/kv/kv.h"
#include "store/mail/mail_store.h"

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace postern::bench {

inline void must(bool ok, const char* what) {
    if (ok) return;
    std::cerr << what << " failed\n";
    std::exit(1);
}

inline Time now() {
    return std::chrono::time_point_cast<Time::duration>(std::chrono::system_clock::now());
}

class BenchStore {
public:
    // Accounts 1 to `accounts`, each with its INBOX. What an earlier run left there goes.
    BenchStore(const std::string& name, std::uint64_t accounts)
        : folder_(std::filesystem::absolute(name)) {
        std::filesystem::remove_all(folder_);
        auto engine = kv::open_lmdb_store({folder_.string()});
        must(engine.has_value(), "open_lmdb_store");
        engine_ = *std::move(engine);
        auto mail = mail::MailStore::open(*engine_, now);
        must(mail.has_value(), "MailStore::open");
        mail_ = *std::move(mail);
        for (std::uint64_t account = 1; account <= accounts; ++account) {
            const auto made = mail::wait<void>(
                [&](auto done) { mail_->create_account({account}, std::move(done)); });
            must(made.has_value(), "create_account");
            const auto inbox = mail_->find({account}, "INBOX");
            must(inbox.has_value(), "find");
            inboxes_.push_back(inbox->id);
        }
    }
    ~BenchStore() {
        mail_.reset();
        engine_.reset();
        std::filesystem::remove_all(folder_);
    }
    BenchStore(const BenchStore&) = delete;
    BenchStore& operator=(const BenchStore&) = delete;

    const std::filesystem::path& folder() const { return folder_; }
    kv::Store& engine() { return *engine_; }
    mail::MailStore& mail() { return *mail_; }
    const std::vector<MailboxId>& inboxes() const { return inboxes_; }

private:
    const std::filesystem::path folder_;
    std::unique_ptr<kv::Store> engine_;
    std::unique_ptr<mail::MailStore> mail_;
    std::vector<MailboxId> inboxes_;
};

}  // namespace postern::bench

// A mail store over a fresh engine, with plain calls.
#pragma once

#include "store/kv/random_id.h"
#include "store/mail/mail_store.h"
#include "tests/store/support/temp_folder.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>

namespace postern::mail {

// The memory engine, or LMDB in `folder` when POSTERN_TEST_ENGINE is "lmdb".
inline std::unique_ptr<kv::Store> make_test_engine(const std::string& folder) {
    const char* wanted = std::getenv("POSTERN_TEST_ENGINE");
    if (wanted == nullptr || std::string_view(wanted) != "lmdb") return kv::make_memory_store();
    auto store = kv::open_lmdb_store({folder, 2, std::uint64_t{1} << 20});
    EXPECT_TRUE(store) << store.error().text;
    return store ? *std::move(store) : kv::make_memory_store();
}

class MailStoreFixture : public ::testing::Test {
protected:
    void SetUp() override { open(); }

    void open() {
        mail_.reset();
        auto opened = MailStore::open(*kv_, [this] { return from_unix_ms(now_ms_++); });
        ASSERT_TRUE(opened) << opened.error().text;
        mail_ = std::move(*opened);
        const auto made =
            wait<void>([&](Done<void> done) { mail_->create_account(account_, done); });
        ASSERT_TRUE(made) << made.error().text;
    }

    MailboxId id(std::string_view name) {
        const auto info = mail_->find(account_, name);
        EXPECT_TRUE(info) << name;
        return info ? info->id : MailboxId{};
    }

    Result<Appended> append(MailboxId mailbox, const std::string& text, Flags flags = {},
                            OperationId operation = {}) {
        NewMessage message;
        message.bytes = std::make_shared<const std::string>(text);
        message.summary = "summary of " + text;
        message.report = "report of " + text;
        message.flags = std::move(flags);
        message.internal_date = from_unix_ms(1'000'000);
        return wait<Appended>([&](Done<Appended> done) {
            mail_->append(mailbox, std::move(message), operation, std::move(done));
        });
    }

    Result<FlagResult> change(MailboxId mailbox, const UidSet& uids, FlagMode mode, Flags flags,
                              std::optional<ModSeq> unchanged_since = {}) {
        return wait<FlagResult>([&](Done<FlagResult> done) {
            mail_->change_flags(mailbox, uids, {mode, std::move(flags), unchanged_since},
                                std::move(done));
        });
    }

    Result<UidSet> expunge(MailboxId mailbox, const UidSet& uids, bool any) {
        return wait<UidSet>(
            [&](Done<UidSet> done) { mail_->expunge(mailbox, uids, any, std::move(done)); });
    }

    Result<Copied> transfer(MailboxId from, const UidSet& uids, MailboxId to, bool move) {
        return wait<Copied>([&](Done<Copied> done) {
            move ? mail_->move(from, uids, to, std::move(done))
                 : mail_->copy(from, uids, to, std::move(done));
        });
    }

    Result<MailboxInfo> create(const std::string& name) {
        return wait<MailboxInfo>([&](Done<MailboxInfo> done) {
            mail_->create(account_, name, SpecialUse::none, std::move(done));
        });
    }
    Result<void> remove(const std::string& name) {
        return wait<void>([&](Done<void> done) { mail_->remove(account_, name, std::move(done)); });
    }
    Result<void> rename(const std::string& from, const std::string& to) {
        return wait<void>(
            [&](Done<void> done) { mail_->rename(account_, from, to, std::move(done)); });
    }

    // The texts of a mailbox, in UID order.
    std::vector<std::string> texts(MailboxId mailbox) {
        std::vector<std::string> out;
        const auto state = mail_->state(mailbox);
        EXPECT_TRUE(state);
        if (!state) return out;
        const auto rows = mail_->rows(mailbox, state->uids, 1000, false);
        EXPECT_TRUE(rows);
        if (!rows) return out;
        EXPECT_EQ(rows->size(), state->uids.size());
        for (const MessageRow& row : *rows) {
            auto text = mail_->read(row.blob, 0, row.size);
            EXPECT_TRUE(text) << text.error().text;
            out.push_back(text ? *text : "(unreadable)");
        }
        return out;
    }

    static Flags only(SystemFlag flag) {
        Flags flags;
        flags.set(flag);
        return flags;
    }
    static Flags keyword(std::string name) {
        Flags flags;
        flags.keywords.push_back(std::move(name));
        return flags;
    }

    const AccountId account_{7};
    std::atomic<std::int64_t> now_ms_{1'700'000'000'000};
    test::TempFolder folder_;
    std::unique_ptr<kv::Store> kv_ = make_test_engine(folder_.string());
    std::unique_ptr<MailStore> mail_;
};

}  // namespace postern::mail

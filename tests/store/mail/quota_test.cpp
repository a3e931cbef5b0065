#include "store/mail/pools.h"
#include "store/mail/rows.h"
#include "tests/store/mail/fixture.h"
#include "tests/store/support/hooked_store.h"

#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>

namespace postern::mail {
namespace {

constexpr AccountId other_account{8};

class Quota : public MailStoreFixture {
protected:
    void SetUp() override {
        MailStoreFixture::SetUp();
        ASSERT_TRUE(
            wait<void>([&](Done<void> done) { mail_->create_account(other_account, done); }));
    }

    Result<Appended> append_bytes(AccountId account, std::size_t bytes, QuotaRule rule) {
        NewMessage message;
        message.bytes = std::make_shared<const std::string>(bytes, 'x');
        message.quota = rule;
        const MailboxId inbox = mail_->find(account, "INBOX")->id;
        return wait<Appended>(
            [&](Done<Appended> done) { mail_->append(inbox, message, {}, std::move(done)); });
    }
    Errc room_error(AccountId account, std::uint64_t bytes, QuotaRule rule) {
        const auto room =
            wait<void>([&](Done<void> done) { mail_->check_room(account, bytes, rule, done); });
        return room ? Errc::internal : room.error().code;
    }
    void make_pool(std::uint64_t soft, std::uint64_t hard, PoolLimits cap = {}) {
        const auto pool = pools_.add("acme", {soft, hard});
        ASSERT_TRUE(pool) << pool.error().text;
        for (AccountId account : {account_, other_account}) {
            ASSERT_TRUE(pools_.assign(account, {pool->number, cap}));
        }
    }
    std::uint64_t used(AccountId account) {
        const auto roots = mail_->quota(account);
        EXPECT_TRUE(roots);
        return roots && !roots->empty() ? roots->back().used_bytes : 0;
    }

    Result<void> warned(const QuotaWarning& warning) {
        return wait<void>([&](Done<void> done) { mail_->warned(warning, std::move(done)); });
    }

    Pools pools_{*kv_};
};

TEST_F(Quota, IsSharedByThePool) {
    make_pool(1000, 1000);
    ASSERT_TRUE(append_bytes(account_, 600, QuotaRule::user));
    ASSERT_TRUE(append_bytes(other_account, 400, QuotaRule::user));
    EXPECT_EQ(used(account_), 1000U);
    const auto refused = append_bytes(other_account, 1, QuotaRule::user);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::over_quota);
    EXPECT_EQ(used(other_account), 1000U);
}

TEST_F(Quota, LimitsAreExact) {
    make_pool(1000, 1100);
    EXPECT_EQ(room_error(account_, 999, QuotaRule::user), Errc::internal);
    EXPECT_EQ(room_error(account_, 1000, QuotaRule::user), Errc::internal);
    EXPECT_EQ(room_error(account_, 1001, QuotaRule::user), Errc::too_large);
    EXPECT_EQ(room_error(account_, 1100, QuotaRule::incoming), Errc::internal);
    EXPECT_EQ(room_error(account_, 1101, QuotaRule::incoming), Errc::too_large);
    ASSERT_TRUE(append_bytes(account_, 1000, QuotaRule::user));
    EXPECT_EQ(room_error(account_, 1, QuotaRule::user), Errc::over_quota);
    EXPECT_EQ(room_error(account_, 0, QuotaRule::user), Errc::over_quota);
    EXPECT_EQ(room_error(account_, 100, QuotaRule::incoming), Errc::internal);
    EXPECT_EQ(room_error(account_, 101, QuotaRule::incoming), Errc::over_quota);
    EXPECT_TRUE(append_bytes(account_, 5000, QuotaRule::none));
}

TEST_F(Quota, ACapBindsOneMailboxAlone) {
    make_pool(1000, 1000, {100, 100});
    EXPECT_EQ(room_error(account_, 101, QuotaRule::user), Errc::too_large);
    ASSERT_TRUE(append_bytes(account_, 100, QuotaRule::user));
    EXPECT_EQ(room_error(account_, 1, QuotaRule::incoming), Errc::over_quota);
    EXPECT_EQ(room_error(other_account, 100, QuotaRule::incoming), Errc::internal);
    const auto roots = mail_->quota(account_);
    ASSERT_TRUE(roots);
    ASSERT_EQ(roots->size(), 2U);
    EXPECT_EQ((*roots)[0].name, "");
    EXPECT_EQ((*roots)[0].used_bytes, 100U);
    EXPECT_EQ((*roots)[1].name, "acme");
}

TEST_F(Quota, CopiesTakeRoomAndMovesDoNot) {
    make_pool(1000, 1000);
    ASSERT_TRUE(append_bytes(account_, 600, QuotaRule::user));
    const auto copied = transfer(id("INBOX"), {1}, id("Archive"), false);
    ASSERT_FALSE(copied);
    EXPECT_EQ(copied.error().code, Errc::over_quota);
    ASSERT_TRUE(transfer(id("INBOX"), {1}, id("Archive"), true));
    EXPECT_EQ(used(account_), 600U);
    ASSERT_TRUE(expunge(id("Archive"), {1}, true));
    EXPECT_EQ(used(account_), 0U);
}

// RFC 8508 section 3.4, and RFC 3502: all of them count, before any is there.
TEST_F(Quota, WhatIsReplacedMakesRoomAndTogetherAllCount) {
    make_pool(1000, 1000);
    const auto together = [&](std::vector<std::size_t> sizes, Replaced replaced) {
        std::vector<NewMessage> messages(sizes.size());
        for (std::size_t i = 0; i < sizes.size(); ++i) {
            messages[i].bytes = std::make_shared<const std::string>(sizes[i], 'x');
        }
        const auto done = wait<std::vector<Appended>>([&](Done<std::vector<Appended>> each) {
            mail_->append_together(id("INBOX"), messages, replaced, std::move(each));
        });
        return done ? Errc::internal : done.error().code;
    };
    ASSERT_TRUE(append_bytes(account_, 600, QuotaRule::user));
    EXPECT_EQ(together({200, 201}, {}), Errc::over_quota);
    EXPECT_EQ(used(account_), 600U);
    EXPECT_EQ(together({200, 200}, {}), Errc::internal);
    const Replaced first{id("INBOX"), 1};
    EXPECT_EQ(together({601}, first), Errc::over_quota);
    EXPECT_EQ(together({600}, first), Errc::internal);
    EXPECT_EQ(used(account_), 1000U);
    EXPECT_EQ(together({1}, first), Errc::over_quota) << "it is gone already";
    const Replaced others{mail_->find(other_account, "INBOX")->id, 1};
    ASSERT_FALSE(append_bytes(other_account, 1, QuotaRule::user));
    EXPECT_EQ(together({1}, others), Errc::over_quota);
}

TEST_F(Quota, FollowsRemovedMailboxesAndReopening) {
    make_pool(100'000, 100'000);
    ASSERT_TRUE(create("Old"));
    ASSERT_TRUE(append(id("Old"), std::string(500, 'x')));
    ASSERT_TRUE(append_bytes(other_account, 70, QuotaRule::user));
    EXPECT_EQ(used(account_), 570U);
    open();
    EXPECT_EQ(used(account_), 570U);
    ASSERT_TRUE(remove("Old"));
    EXPECT_EQ(used(account_), 70U);
}

TEST_F(Quota, ChangedLimitsAndMembersCountAtOnce) {
    make_pool(1000, 1000);
    ASSERT_TRUE(append_bytes(account_, 600, QuotaRule::user));
    ASSERT_TRUE(append_bytes(other_account, 300, QuotaRule::user));
    ASSERT_TRUE(pools_.set("acme", {700, 700}));
    EXPECT_EQ(room_error(other_account, 1, QuotaRule::user), Errc::over_quota);
    ASSERT_TRUE(pools_.assign(account_, {}));
    EXPECT_EQ(used(other_account), 300U);
    EXPECT_EQ(room_error(other_account, 400, QuotaRule::user), Errc::internal);
    EXPECT_TRUE(mail_->quota(account_)->empty());
}

TEST_F(Quota, WritersAtOnceNeverPassTheLimit) {
    make_pool(100'000, 100'000);
    std::atomic<std::uint64_t> taken = 0;
    std::vector<std::thread> writers;
    for (int t = 0; t < 4; ++t) {
        writers.emplace_back([&, t] {
            for (int i = 0; i < 40; ++i) {
                if (append_bytes(t % 2 == 0 ? account_ : other_account, 1000, QuotaRule::user)) {
                    taken += 1000;
                }
            }
        });
    }
    for (std::thread& writer : writers) writer.join();
    EXPECT_EQ(taken, 100'000U);
    EXPECT_EQ(used(account_), 100'000U);
}

TEST_F(Quota, WarnsOncePerLevelAndAgainAfterUseFell) {
    make_pool(1000, 1000);
    ASSERT_TRUE(append_bytes(account_, 790, QuotaRule::user));
    EXPECT_TRUE(mail_->quota_warnings()->empty());
    ASSERT_TRUE(append_bytes(account_, 10, QuotaRule::user));
    auto warnings = mail_->quota_warnings();
    ASSERT_TRUE(warnings);
    ASSERT_EQ(warnings->size(), 1U);
    EXPECT_EQ(warnings->front().percent, 80);
    EXPECT_EQ(warnings->front().account, account_);
    const OperationId first = warnings->front().operation;
    EXPECT_EQ(mail_->quota_warnings()->front().operation, first) << "the same until it is told";
    ASSERT_TRUE(warned(warnings->front()));
    EXPECT_TRUE(mail_->quota_warnings()->empty());
    ASSERT_TRUE(append_bytes(account_, 150, QuotaRule::user));
    warnings = mail_->quota_warnings();
    ASSERT_EQ(warnings->size(), 1U);
    EXPECT_EQ(warnings->front().percent, 95);
    ASSERT_TRUE(warned(warnings->front()));
    ASSERT_TRUE(expunge(id("INBOX"), {1}, true));
    EXPECT_TRUE(mail_->quota_warnings()->empty());
    ASSERT_TRUE(append_bytes(account_, 700, QuotaRule::user));
    warnings = mail_->quota_warnings();
    ASSERT_EQ(warnings->size(), 1U);
    EXPECT_NE(warnings->front().operation, first) << "another round is another mail";
}

// What is appended in steps counts once, whether it has come already or not yet.
class QuotaInSteps : public Quota {
protected:
    // Holds up the batches of one mailbox that come after the first ones.
    class Holding final : public test::HookedStore {
    public:
        explicit Holding(kv::Store& inner)
            : HookedStore(inner, [](const kv::ShardId&, std::string_view) {}) {}

        void commit(kv::Batch batch, kv::CommitDone done) override {
            std::unique_lock lock(mutex_);
            if (shard_ == batch.shard && passing_-- <= 0) {
                is_held_ = true;
                changed_.notify_all();
                changed_.wait_for(lock, std::chrono::seconds(60), [&] { return !shard_; });
            }
            lock.unlock();
            HookedStore::commit(std::move(batch), std::move(done));
        }
        void hold(const kv::ShardId& shard, int passing) {
            std::lock_guard lock(mutex_);
            shard_ = shard;
            passing_ = passing;
        }
        bool wait_until_held() {
            std::unique_lock lock(mutex_);
            return changed_.wait_for(lock, std::chrono::seconds(60), [&] { return is_held_; });
        }
        void release() {
            std::lock_guard lock(mutex_);
            shard_.reset();
            changed_.notify_all();
        }

    private:
        std::mutex mutex_;
        std::condition_variable changed_;
        std::optional<kv::ShardId> shard_;
        int passing_ = 0;
        bool is_held_ = false;
    };

    void SetUp() override {
        inner_ = std::move(kv_);
        auto holding = std::make_unique<Holding>(*inner_);
        holding_ = holding.get();
        kv_ = std::move(holding);
        Quota::SetUp();
    }
    void TearDown() override { mail_.reset(); }  // it still works on inner_
    Result<Appended> append_to_other(std::size_t bytes) {
        return append_bytes(other_account, bytes, QuotaRule::user);
    }

    std::unique_ptr<kv::Store> inner_;
    Holding* holding_ = nullptr;
};

TEST_F(QuotaInSteps, CountOnce) {
    constexpr std::size_t count = 2 * max_appended_together + 1, each = 10, more = 5;
    make_pool(count * each + more, count * each + more);
    std::vector<NewMessage> messages(count);
    for (NewMessage& message : messages) {
        message.bytes = std::make_shared<const std::string>(each, 'x');
    }
    const MailboxId inbox = id("INBOX");
    holding_->hold(mailbox_shard(inbox), 2);
    auto all = std::async(std::launch::async, [&] {
        return wait<std::vector<Appended>>([&](Done<std::vector<Appended>> done) {
            mail_->append_together(inbox, messages, {}, std::move(done));
        });
    });
    ASSERT_TRUE(holding_->wait_until_held());
    EXPECT_EQ(used(account_), (count - 1) * each);
    ASSERT_FALSE(append_to_other(more + 1));
    EXPECT_TRUE(append_to_other(more - 1));
    EXPECT_TRUE(append_to_other(1));
    EXPECT_EQ(append_to_other(1).error().code, Errc::over_quota);
    holding_->release();
    const auto appended = all.get();
    EXPECT_TRUE(appended) << appended.error().text;
    EXPECT_EQ(used(account_), count * each + more);
    ASSERT_TRUE(expunge(inbox, {1}, true));
    EXPECT_TRUE(append_to_other(each)) << "nothing is held any more";
    EXPECT_FALSE(append_to_other(1));
}

class MessageQuota : public Quota {
protected:
    void limit(std::uint64_t messages, std::uint64_t cap = 0) {
        make_pool(0, 0, {0, 0, cap});
        ASSERT_TRUE(pools_.set("acme", {0, 0, messages}));
    }
    QuotaRoot root(AccountId account) { return mail_->quota(account)->back(); }
};

TEST_F(MessageQuota, IsExactAndHoldsForAllMail) {
    limit(3);
    ASSERT_TRUE(append_bytes(account_, 1, QuotaRule::user));
    ASSERT_TRUE(append_bytes(other_account, 1, QuotaRule::incoming));
    EXPECT_EQ(root(account_).used_messages, 2U);
    EXPECT_EQ(root(account_).max_messages, 3U);
    EXPECT_EQ(room_error(account_, 1, QuotaRule::incoming), Errc::internal);
    ASSERT_TRUE(append_bytes(account_, 1, QuotaRule::incoming));
    for (const auto rule : {QuotaRule::user, QuotaRule::incoming}) {
        EXPECT_EQ(room_error(other_account, 0, rule), Errc::over_quota);
        EXPECT_EQ(append_bytes(other_account, 1, rule).error().code, Errc::over_quota);
    }
    EXPECT_TRUE(append_bytes(other_account, 1, QuotaRule::none));
    EXPECT_EQ(root(account_).used_messages, 4U);
}

TEST_F(MessageQuota, FollowsCopiesMovesExpungesAndReopening) {
    limit(4);
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(append_bytes(account_, 10, QuotaRule::user));
    const auto refused = transfer(id("INBOX"), {1, 2}, id("Archive"), false);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::over_quota);
    ASSERT_TRUE(transfer(id("INBOX"), {1}, id("Archive"), false));
    ASSERT_TRUE(transfer(id("INBOX"), {2, 3}, id("Archive"), true));
    EXPECT_EQ(root(account_).used_messages, 4U);
    open();
    EXPECT_EQ(root(account_).used_messages, 4U);
    EXPECT_EQ(root(account_).used_bytes, 40U);
    ASSERT_TRUE(expunge(id("Archive"), {1, 2}, true));
    EXPECT_EQ(root(account_).used_messages, 2U);
    EXPECT_EQ(room_error(other_account, 1, QuotaRule::user), Errc::internal);
}

TEST_F(MessageQuota, ACapBindsOneMailboxAlone) {
    limit(100, 1);
    ASSERT_TRUE(append_bytes(account_, 1, QuotaRule::user));
    EXPECT_EQ(room_error(account_, 1, QuotaRule::incoming), Errc::over_quota);
    EXPECT_EQ(room_error(other_account, 1, QuotaRule::incoming), Errc::internal);
    EXPECT_EQ(mail_->quota(account_)->front().max_messages, 1U);
}

TEST_F(MessageQuota, WarnsAsRoomDoes) {
    limit(5);
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(append_bytes(account_, 1, QuotaRule::user));
    EXPECT_TRUE(mail_->quota_warnings()->empty());
    ASSERT_TRUE(append_bytes(account_, 1, QuotaRule::user));
    const auto warnings = mail_->quota_warnings();
    ASSERT_EQ(warnings->size(), 1U);
    EXPECT_EQ(warnings->front().percent, 80);
    EXPECT_EQ(warnings->front().root.used_messages, 4U);
}

TEST_F(MessageQuota, WritersAtOnceNeverPassTheLimit) {
    limit(50);
    std::atomic<int> taken = 0;
    std::vector<std::thread> writers;
    for (int t = 0; t < 4; ++t) {
        writers.emplace_back([&, t] {
            for (int i = 0; i < 20; ++i) {
                taken +=
                    append_bytes(t % 2 == 0 ? account_ : other_account, 1, QuotaRule::user) ? 1 : 0;
            }
        });
    }
    for (std::thread& writer : writers) writer.join();
    EXPECT_EQ(taken, 50);
}

TEST_F(Quota, LimitsHaveALimit) {
    constexpr std::uint64_t most = std::uint64_t{1} << 62;
    EXPECT_TRUE(pools_.add("a", {most, most, most}));
    EXPECT_EQ(pools_.find("a")->limits, (PoolLimits{most, most, most}));
    EXPECT_TRUE(pools_.add("b", {most - 1, most - 1, most - 1}));
    EXPECT_EQ(pools_.add("c", {0, most + 1, 0}).error().code, Errc::invalid);
    EXPECT_EQ(pools_.add("c", {0, 0, most + 1}).error().code, Errc::invalid);
}

TEST_F(Quota, PoolsAreKeptInOrder) {
    EXPECT_EQ(pools_.add("", {}).error().code, Errc::invalid);
    EXPECT_EQ(pools_.add("two words", {}).error().code, Errc::invalid);
    EXPECT_TRUE(pools_.add(std::string(max_pool_name_bytes, 'n'), {}));
    EXPECT_EQ(pools_.add(std::string(max_pool_name_bytes + 1, 'n'), {}).error().code,
              Errc::invalid);
    EXPECT_EQ(pools_.add("b", {2, 1}).error().code, Errc::invalid);
    ASSERT_TRUE(pools_.add("b", {1, 2}));
    EXPECT_EQ(pools_.add("b", {1, 2}).error().code, Errc::exists);
    ASSERT_TRUE(pools_.add("a", {}));
    const auto list = pools_.list();
    ASSERT_TRUE(list);
    ASSERT_EQ(list->size(), 3U);
    EXPECT_EQ(list->front().name, "a");
    ASSERT_TRUE(pools_.assign(account_, {pools_.find("b")->number, {}}));
    EXPECT_EQ(pools_.remove("b").error().code, Errc::conflict);
    ASSERT_TRUE(
        wait<void>([&](Done<void> done) { mail_->remove_account(account_, std::move(done)); }));
    EXPECT_TRUE(pools_.remove("b")) << "a removed account has left its pool";
    EXPECT_EQ(pools_.find("b").error().code, Errc::not_found);
}

}  // namespace
}  // namespace postern::mail

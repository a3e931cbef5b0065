#include "store/queue/queue.h"

#include "store/kv/random_id.h"

#include <gtest/gtest.h>

#include <thread>

namespace postern::queue {
namespace {

Message make(std::size_t recipients = 2, std::int64_t queued_ms = 1000) {
    Message message;
    message.id = kv::random_id();
    message.reverse_path = "ann@example.org";
    message.queued_at = from_unix_ms(queued_ms);
    message.account = "ann@example.org";
    message.envelope_id = "QQ+2B";
    message.headers_only = message.smtputf8 = message.require_tls = true;
    for (std::size_t i = 0; i < recipients; ++i) {
        Recipient each;
        each.address = "r" + std::to_string(i) + "@remote.example";
        each.original = "rfc822;x@example.org";
        each.notify = 4;
        each.next_attempt = from_unix_ms(5000);
        message.recipients.push_back(each);
    }
    return message;
}

class QueueTest : public testing::Test {
protected:
    std::unique_ptr<kv::Store> store_ = kv::make_memory_store();
    Queue queue_{*store_};
};

TEST_F(QueueTest, KeepsWhatItIsGiven) {
    const auto added = queue_.add(make(), "Subject: x\r\n\r\n");
    ASSERT_TRUE(added);
    const auto found = queue_.find(added->id);
    ASSERT_TRUE(found && *found);
    const Message& message = **found;
    EXPECT_EQ(message.reverse_path, "ann@example.org");
    EXPECT_EQ(to_unix_ms(message.queued_at), 1000);
    EXPECT_EQ(message.account, "ann@example.org");
    EXPECT_EQ(message.envelope_id, "QQ+2B");
    EXPECT_TRUE(message.headers_only && message.smtputf8 && message.require_tls);
    EXPECT_FALSE(message.spam || message.held || message.notice_owed || message.rejected);
    ASSERT_EQ(message.recipients.size(), 2u);
    EXPECT_EQ(message.recipients[1].address, "r1@remote.example");
    EXPECT_EQ(message.recipients[1].original, "rfc822;x@example.org");
    EXPECT_EQ(message.recipients[1].notify, 4);
    EXPECT_EQ(to_unix_ms(message.recipients[1].next_attempt), 5000);
    EXPECT_EQ(message.size, 14u);
    EXPECT_EQ(*queue_.read(message, 9, 100), "x\r\n\r\n");
    const auto again = queue_.add(make(), "x");
    ASSERT_TRUE(again);
    auto twice = make();
    twice.id = again->id;
    EXPECT_EQ(queue_.add(twice, "x").error().code, Errc::exists);
}

TEST_F(QueueTest, ChangesAndEnds) {
    const auto added = *queue_.add(make(), "x");
    auto changed = queue_.change(added.id, [](Message& message) {
        message.held = message.notice_owed = message.rejected = message.tls_waived = true;
        message.recipients.pop_back();
        message.recipients[0].attempts = 3;
        message.recipients[0].reason = std::string(max_reason_bytes + 1, 'r');
        message.recipients[0].delay_notified = true;
    });
    ASSERT_TRUE(changed && *changed);
    const auto found = **queue_.find(added.id);
    EXPECT_TRUE(found.held && found.notice_owed && found.rejected && found.tls_waived);
    EXPECT_EQ(found.recipients[0].attempts, 3u);
    EXPECT_EQ(found.recipients[0].reason.size(), max_reason_bytes);
    EXPECT_TRUE(found.recipients[0].delay_notified);

    ASSERT_TRUE(queue_.change(added.id, [](Message& message) { message.recipients.clear(); }));
    EXPECT_FALSE(*queue_.find(added.id));
    EXPECT_FALSE(*queue_.change(added.id, [](Message&) { ADD_FAILURE(); }));
    EXPECT_EQ(queue_.read(added, 0, 1).error().code, Errc::not_found);
}

TEST_F(QueueTest, OldestFirst) {
    for (const int queued : {3000, 1000, 2000}) ASSERT_TRUE(queue_.add(make(1, queued), "x"));
    const auto all = *queue_.all();
    ASSERT_EQ(all.size(), 3u);
    EXPECT_EQ(to_unix_ms(all[0].queued_at), 1000);
    EXPECT_EQ(to_unix_ms(all[2].queued_at), 3000);
}

TEST_F(QueueTest, Limits) {
    for (const int over : {-1, 0, 1}) {
        const auto added = queue_.add(make(max_recipients + over), "x");
        EXPECT_EQ(added.has_value(), over <= 0);
        auto message = make(1);
        message.recipients[0].address = std::string(max_address_bytes + over, 'x');
        EXPECT_EQ(queue_.add(message, "x").has_value(), over <= 0);
    }
    EXPECT_EQ(queue_.add(make(0), "x").error().code, Errc::invalid);
    EXPECT_EQ(queue_.add(make(), "").error().code, Errc::invalid);
}

TEST_F(QueueTest, TheLargestRowFits) {
    auto message = make(max_recipients);
    for (auto& each : message.recipients) {
        each.address.resize(max_address_bytes, 'x');
        each.original.clear();
        each.reason = std::string(max_reason_bytes, 'r');
    }
    EXPECT_TRUE(queue_.add(message, "x"));
}

TEST_F(QueueTest, ChangersDoNotOverwriteEachOther) {
    const auto added = *queue_.add(make(1), "x");
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (int n = 0; n < 25; ++n) {
                const auto changed =
                    queue_.change(added.id, [](Message& m) { ++m.recipients[0].attempts; });
                EXPECT_TRUE(changed);
            }
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ((*queue_.find(added.id))->recipients[0].attempts, 100u);
}

TEST_F(QueueTest, ADamagedRowHidesNoOther) {
    const auto added = *queue_.add(make(1), "x");
    kv::Batch batch;
    batch.shard = {kv::ShardKind::spool, 0, 0};
    batch.operations.emplace_back(kv::Put{"q" + std::string(16, '\0'), "nonsense"});
    ASSERT_TRUE(store_->commit_and_wait(std::move(batch)));
    std::size_t damaged = 0;
    EXPECT_EQ(queue_.all(&damaged)->size(), 1u);
    EXPECT_EQ(damaged, 1u);
}

}  // namespace
}  // namespace postern::queue

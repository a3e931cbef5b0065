#include "store/spool/spool.h"

#include "store/blob/blob.h"
#include "store/blob/links.h"
#include "store/kv/random_id.h"

#include <gtest/gtest.h>

#include <future>

namespace postern::spool {
namespace {

class SpoolTest : public ::testing::Test {
protected:
    static Envelope envelope(std::size_t recipients, std::int64_t at = 1000) {
        Envelope envelope;
        envelope.id = kv::random_id();
        envelope.reverse_path = "sender@example.com";
        envelope.accepted_at = from_unix_ms(at);
        for (std::size_t i = 0; i < recipients; ++i) {
            envelope.recipients.push_back(
                {"r" + std::to_string(i) + "@example.net", {i}, {i + 10}});
        }
        return envelope;
    }
    Result<Item> accept(Envelope envelope, const std::string& text = "message") {
        std::promise<Result<Item>> promise;
        spool_.accept(std::move(envelope), std::make_shared<const std::string>(text), "summary",
                      "report", [&](Result<Item> item) { promise.set_value(std::move(item)); });
        return promise.get_future().get();
    }
    Result<void> settle(const OperationId& id, std::vector<std::string> delivered) {
        std::promise<Result<void>> promise;
        spool_.settle(id, std::move(delivered), [&](Result<void> r) { promise.set_value(r); });
        return promise.get_future().get();
    }
    bool stored(const BlobId& id) { return static_cast<bool>(blob::read(*kv_, id, 0, 1)); }

    std::unique_ptr<kv::Store> kv_ = kv::make_memory_store();
    Spool spool_{*kv_};
};

TEST_F(SpoolTest, AcceptedMessageWaitsWithAllThatDeliveryNeeds) {
    const auto accepted = accept(envelope(2));
    ASSERT_TRUE(accepted) << accepted.error().text;
    const auto waiting = spool_.pending(10);
    ASSERT_TRUE(waiting);
    ASSERT_EQ(waiting->size(), 1u);
    const Item& item = waiting->front();
    EXPECT_EQ(item.envelope.id, accepted->envelope.id);
    EXPECT_EQ(item.envelope.reverse_path, "sender@example.com");
    ASSERT_EQ(item.envelope.recipients.size(), 2u);
    EXPECT_EQ(item.envelope.recipients[1].address, "r1@example.net");
    EXPECT_EQ(item.envelope.recipients[1].mailbox, MailboxId{11});
    EXPECT_EQ(item.summary, "summary");
    EXPECT_EQ(item.report, "report");
    EXPECT_EQ(blob::read(*kv_, item.blob, 0, item.size).value(), "message");
}

TEST_F(SpoolTest, RecordGoesWithItsLastRecipientAndTheBodyWithIt) {
    const auto accepted = accept(envelope(2));
    ASSERT_TRUE(accepted);
    ASSERT_TRUE(settle(accepted->envelope.id, {"r0@example.net"}));
    ASSERT_EQ(spool_.pending(10)->size(), 1u);
    EXPECT_EQ(spool_.pending(10)->front().envelope.recipients.size(), 1u);
    EXPECT_TRUE(stored(accepted->blob));
    ASSERT_TRUE(settle(accepted->envelope.id, {"r1@example.net"}));
    EXPECT_TRUE(spool_.pending(10)->empty());
    EXPECT_FALSE(stored(accepted->blob)) << "nobody took it over";
    EXPECT_TRUE(settle(accepted->envelope.id, {"r1@example.net"})) << "again is harmless";
}

TEST_F(SpoolTest, BodyOfADeliveredMessageStays) {
    const auto accepted = accept(envelope(1));
    ASSERT_TRUE(accepted);
    ASSERT_TRUE(blob::add_owners(*kv_, {{accepted->blob, 77}}));
    ASSERT_TRUE(settle(accepted->envelope.id, {"r0@example.net"}));
    EXPECT_TRUE(stored(accepted->blob));
}

TEST_F(SpoolTest, OldestComeFirstUpToTheLimit) {
    for (std::int64_t at : {3000, 1000, 2000}) ASSERT_TRUE(accept(envelope(1, at)));
    const auto waiting = spool_.pending(2);
    ASSERT_TRUE(waiting && waiting->size() == 2);
    EXPECT_EQ(to_unix_ms(waiting->at(0).envelope.accepted_at), 1000);
    EXPECT_EQ(to_unix_ms(waiting->at(1).envelope.accepted_at), 2000);
}

TEST_F(SpoolTest, RecipientLimits) {
    EXPECT_EQ(accept(envelope(0)).error().code, Errc::invalid);
    EXPECT_TRUE(accept(envelope(max_recipients - 1)));
    EXPECT_TRUE(accept(envelope(max_recipients)));
    EXPECT_EQ(accept(envelope(max_recipients + 1)).error().code, Errc::limit);
    Envelope longest = envelope(300);
    for (Recipient& recipient : longest.recipients) recipient.address.resize(320, 'x');
    EXPECT_EQ(accept(longest).error().code, Errc::limit);
}

TEST_F(SpoolTest, RefusesWhatIsNoMessage) {
    EXPECT_EQ(accept(envelope(1), "").error().code, Errc::invalid);
    Envelope nameless = envelope(1);
    nameless.id = {};
    EXPECT_EQ(accept(nameless).error().code, Errc::invalid);
    const Envelope twice = envelope(1);
    ASSERT_TRUE(accept(twice));
    EXPECT_EQ(accept(twice).error().code, Errc::exists);
}

}  // namespace
}  // namespace postern::spool

#include "store/blob/parts.h"

#include "store/blob/blob.h"
#include "store/blob/links.h"
#include "store/kv/faulty.h"
#include "store/kv/random_id.h"
#include "tests/store/support/mail_text.h"
#include "tests/store/support/temp_folder.h"

#include <gtest/gtest.h>

#include <random>
#include <thread>

namespace postern::blob {
namespace {

constexpr kv::ShardId shard{kv::ShardKind::mailbox, 1, 0};

class Parts : public ::testing::TestWithParam<const char*> {
protected:
    void SetUp() override {
        const std::string name = GetParam();
        if (name == "lmdb") {
            auto opened = kv::open_lmdb_store({folder_.string(), 2, std::uint64_t{1} << 20});
            ASSERT_TRUE(opened);
            store_ = *std::move(opened);
        } else {
            store_ = kv::make_memory_store();
        }
        if (name == "faulty") store_ = std::make_shared<kv::FaultyStore>(store_);
    }
    void commit(const NewBody& body) {
        kv::Batch batch;
        batch.shard = shard;
        batch.operation = kv::random_id();
        batch.blobs.push_back({body.id, body.framed});
        ASSERT_TRUE(store_->commit_and_wait(std::move(batch)));
    }
    BlobId put(const std::string& text) {
        const auto body = make_body(*store_, shard, text);
        EXPECT_TRUE(body);
        commit(*body);
        return body->id;
    }
    std::size_t stored_blobs() {
        std::size_t count = 0;
        std::string from;
        do {
            const auto page = store_->list_blobs(from, 1000);
            count += page->blobs.size();
            from = page->next;
        } while (!from.empty());
        return count;
    }
    std::size_t rows_of_parts() {
        std::size_t rows = 0;
        for (const auto& each : part_shards())
            rows += store_->scan(each, "", "", 1000)->rows.size();
        return rows;
    }

    test::TempFolder folder_;
    std::shared_ptr<kv::Store> store_;
};

TEST_P(Parts, AMessageReadsBackInEveryRange) {
    const std::string text = test::with_attachment(1, test::attachment(1, 200'000)) +
                             test::with_attachment(2, test::attachment(2, 90'000));
    const BlobId id = put(text);
    EXPECT_TRUE(has_parts(id));
    EXPECT_EQ(info(*store_, id)->parts.size(), 2u);
    EXPECT_EQ(size(*store_, id).value(), text.size());
    EXPECT_EQ(read(*store_, id, 0, text.size()).value(), text);
    EXPECT_EQ(read(*store_, id, text.size(), 1).value(), "");
    EXPECT_EQ(read(*store_, id, 0, ~std::uint64_t{0}).value(), text);
    std::mt19937 random(1);
    for (int i = 0; i < 200; ++i) {
        const std::size_t offset = random() % text.size();
        const std::size_t length = random() % 150'000;
        ASSERT_EQ(read(*store_, id, offset, length).value(), text.substr(offset, length))
            << offset << " " << length;
    }
}

TEST_P(Parts, SmallestPart) {
    for (const std::size_t bytes : {min_part_bytes - 1, min_part_bytes, min_part_bytes + 1}) {
        const std::string content(bytes - 2, 'x');
        const std::string text = "A: b\r\n\r\n--x\r\nC: d\r\n\r\n" + content + "\r\n--x--\r\n";
        const BlobId id = put(text);
        // The line end before the next boundary belongs to it, less its last octet.
        EXPECT_EQ(has_parts(id), bytes - 1 >= min_part_bytes) << bytes;
        EXPECT_EQ(read(*store_, id, 0, text.size()).value(), text);
    }
}

TEST_P(Parts, MostPartsOfABody) {
    for (const std::size_t count :
         {max_parts_outside - 1, max_parts_outside, max_parts_outside + 1}) {
        std::string text = "A: b\n\n";
        for (std::size_t i = 0; i < count; ++i) {
            text += "--x\n\n" + std::string(min_part_bytes, static_cast<char>('0' + i)) + "\n";
        }
        const BlobId id = put(text);
        EXPECT_EQ(info(*store_, id)->parts.size(), std::min(count, max_parts_outside));
        EXPECT_EQ(read(*store_, id, 0, text.size()).value(), text);
    }
}

TEST_P(Parts, OneAttachmentIsStoredOnceAndGoesWithItsLastBody) {
    const std::string content = test::attachment(1, 100'000);
    const BlobId first = put(test::with_attachment(1, content));
    const BlobId second = put(test::with_attachment(2, content));
    const BlobId other = put(test::with_attachment(3, test::attachment(2, 100'000)));
    EXPECT_EQ(stored_blobs(), 5u);
    EXPECT_EQ(info(*store_, first)->parts[0].name, info(*store_, second)->parts[0].name);
    ASSERT_TRUE(release(*store_, {{first, first_owner}}));
    ASSERT_TRUE(release(*store_, {{first, first_owner}})) << "again is harmless";
    EXPECT_EQ(stored_blobs(), 4u);
    EXPECT_EQ(read(*store_, second, 0, 1'000'000).value(), test::with_attachment(2, content));
    ASSERT_TRUE(release(*store_, {{second, first_owner}, {other, first_owner}}));
    EXPECT_EQ(stored_blobs(), 0u);
    EXPECT_EQ(rows_of_parts(), 0u);
}

TEST_P(Parts, TheSamePartTwiceInOneBody) {
    const std::string content = test::attachment(1, 70'000);
    const std::string text = test::with_attachment(1, content) + test::with_attachment(1, content);
    const BlobId id = put(text);
    EXPECT_EQ(stored_blobs(), 2u);
    EXPECT_EQ(read(*store_, id, 0, text.size()).value(), text);
    ASSERT_TRUE(release(*store_, {{id, first_owner}}));
    EXPECT_EQ(stored_blobs(), 0u);
    EXPECT_EQ(rows_of_parts(), 0u);
}

TEST_P(Parts, ABodyThatNeverCameLetsGo) {
    const auto body =
        make_body(*store_, shard, test::with_attachment(1, test::attachment(1, 70'000)));
    ASSERT_TRUE(body);
    EXPECT_EQ(stored_blobs(), 1u);
    ASSERT_TRUE(settle(*store_, *body));
    EXPECT_EQ(stored_blobs(), 0u);
    const auto stored =
        make_body(*store_, shard, test::with_attachment(1, test::attachment(1, 70'000)));
    commit(*stored);
    ASSERT_TRUE(settle(*store_, *stored));
    EXPECT_EQ(stored_blobs(), 2u);
}

TEST_P(Parts, ADamagedPartIsNotSharedAgain) {
    const std::string content = test::attachment(1, 70'000);
    const BlobId first = put(test::with_attachment(1, content));
    const auto name = info(*store_, first)->parts[0].name;
    const auto part = find_part(*store_, name);
    ASSERT_TRUE(part);
    kv::Batch lost;
    lost.shard = shard;
    lost.operation = kv::random_id();
    lost.erased_blobs.push_back(part->blob);
    ASSERT_TRUE(store_->commit_and_wait(std::move(lost)));
    EXPECT_FALSE(read(*store_, first, 0, 1'000'000));
    EXPECT_TRUE(read(*store_, first, 0, 50)) << "what lies before it reads";
    const std::string text = test::with_attachment(2, content);
    const BlobId second = put(text);
    EXPECT_EQ(read(*store_, second, 0, text.size()).value(), text);
    EXPECT_NE(info(*store_, second)->parts[0].name, name);
    // From a backup it comes back for the first, too.
    ASSERT_TRUE(adopt_part(*store_, {name, part->size}, encode(content + "\r"), first));
    EXPECT_TRUE(read(*store_, first, 0, 1'000'000));
}

TEST_P(Parts, ManyAtOnce) {
    const std::string content = test::attachment(1, 70'000);
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            for (unsigned i = 0; i < 10; ++i) {
                const std::string text = test::with_attachment(t * 100 + i, content);
                const BlobId id = put(text);
                EXPECT_EQ(read(*store_, id, 0, text.size()).value(), text);
                EXPECT_TRUE(release(*store_, {{id, first_owner}}));
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(stored_blobs(), 0u);
    EXPECT_EQ(rows_of_parts(), 0u);
}

INSTANTIATE_TEST_SUITE_P(Blob, Parts, ::testing::Values("memory", "lmdb", "faulty"));

TEST(PartsFaults, WhateverCallFailsNothingThatIsStoredIsHarmed) {
    const std::string content = test::attachment(1, 70'000);
    const std::string text = test::with_attachment(1, content);
    for (std::uint64_t nth = 1; nth <= 25; ++nth) {
        for (const auto fault :
             {kv::Fault::fail, kv::Fault::unknown_done, kv::Fault::unknown_lost}) {
            kv::FaultyStore store(kv::make_memory_store());
            const auto stored = make_body(store, shard, text);
            ASSERT_TRUE(stored);
            kv::Batch batch;
            batch.shard = shard;
            batch.operation = kv::random_id();
            batch.blobs.push_back({stored->id, stored->framed});
            ASSERT_TRUE(store.commit_and_wait(std::move(batch)));
            store.inject(nth, fault);
            const auto second = make_body(store, shard, test::with_attachment(2, content));
            if (second) static_cast<void>(settle(store, *second));
            store.clear();
            EXPECT_EQ(read(store, stored->id, 0, text.size()).value(), text) << nth;
            store.inject(nth, fault);
            const auto released = release(store, {{stored->id, first_owner}});
            store.clear();
            const auto again = release(store, {{stored->id, first_owner}});
            ASSERT_TRUE(released || again) << nth;
            EXPECT_EQ(store.read_blob(stored->id, 0, 1).error().code, Errc::not_found) << nth;
        }
    }
}

}  // namespace
}  // namespace postern::blob

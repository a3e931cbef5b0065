#include "store/blob/blob.h"

#include "store/blob/links.h"
#include "store/kv/random_id.h"

#include <gtest/gtest.h>

#include <random>

namespace postern::blob {
namespace {

constexpr kv::ShardId shard{kv::ShardKind::mailbox, 1, 0};

class Blob : public ::testing::Test {
protected:
    BlobId put(const std::string& framed) {
        kv::Batch batch;
        batch.shard = shard;
        batch.operation = kv::random_id();
        const BlobId id = store_->new_blob_id(shard);
        batch.blobs.push_back({id, std::make_shared<const std::string>(framed)});
        EXPECT_TRUE(store_->commit_and_wait(std::move(batch)));
        return id;
    }
    bool there(const BlobId& id) { return static_cast<bool>(store_->read_blob(id, 0, 1)); }

    std::unique_ptr<kv::Store> store_ = kv::make_memory_store();
};

std::string text_of(std::size_t size) {
    std::mt19937 random(static_cast<unsigned>(size));
    std::string text(size, '\0');
    for (char& c : text) c = static_cast<char>('a' + random() % 7);
    return text;
}

TEST_F(Blob, EveryRangeOfEverySizeReadsBack) {
    for (std::size_t size : {std::size_t{1}, frame_bytes - 1, frame_bytes, frame_bytes + 1,
                             3 * frame_bytes, 5 * frame_bytes + 17}) {
        const std::string body = text_of(size);
        const BlobId id = put(encode(body));
        EXPECT_EQ(blob::size(*store_, id).value(), size);
        EXPECT_EQ(read(*store_, id, 0, size).value(), body);
        EXPECT_EQ(read(*store_, id, size, 1).value(), "");
        EXPECT_EQ(read(*store_, id, size - 1, 100).value(), body.substr(size - 1));
        std::mt19937 random(1);
        for (int i = 0; i < 20; ++i) {
            const std::size_t offset = random() % size;
            const std::size_t length = random() % (2 * frame_bytes);
            EXPECT_EQ(read(*store_, id, offset, length).value(), body.substr(offset, length));
        }
    }
}

TEST_F(Blob, DamageIsToldOrHarmlessButNeverWrongBytes) {
    const std::string body = text_of(2 * frame_bytes);
    const std::string good = encode(body);
    std::mt19937 random(1);
    int told = 0;
    for (int i = 0; i < 300; ++i) {
        std::string bad = good;
        if (i % 3 == 0) {
            bad.resize(random() % good.size());
            if (bad.empty()) continue;
        } else {
            bad[random() % bad.size()] ^= static_cast<char>(1 + random() % 255);
        }
        const auto got = read(*store_, put(bad), 0, body.size());
        if (got) {
            EXPECT_EQ(*got, body);
        } else {
            EXPECT_EQ(got.error().code, Errc::corrupt);
            ++told;
        }
    }
    EXPECT_GT(told, 250);
}

TEST_F(Blob, MissingIsNotFound) {
    EXPECT_EQ(read(*store_, kv::random_id(), 0, 1).error().code, Errc::not_found);
}

TEST_F(Blob, UnsharedBodyGoesWithItsOnlyOwner) {
    const BlobId id = put("x");
    ASSERT_TRUE(release(*store_, {{id, 42}}));
    EXPECT_TRUE(there(id)) << "42 never became an owner";
    ASSERT_TRUE(release(*store_, {{id, first_owner}}));
    EXPECT_FALSE(there(id));
    EXPECT_TRUE(release(*store_, {{id, first_owner}})) << "again is harmless";
}

TEST_F(Blob, SharedBodyStaysForItsLastOwner) {
    const BlobId id = put("x");
    ASSERT_TRUE(add_owners(*store_, {{id, 2}}));
    ASSERT_TRUE(add_owners(*store_, {{id, 3}}));
    ASSERT_TRUE(add_owners(*store_, {{id, 3}})) << "again is harmless";
    ASSERT_TRUE(release(*store_, {{id, first_owner}, {id, 3}}));
    ASSERT_TRUE(release(*store_, {{id, 7}})) << "a stranger takes nothing away";
    EXPECT_TRUE(there(id));
    ASSERT_TRUE(release(*store_, {{id, 2}}));
    EXPECT_FALSE(there(id));
}

TEST_F(Blob, OwnersAreBounded) {
    const BlobId id = put("x");
    std::vector<Ownership> owners;
    for (std::size_t i = 1; i < max_owners; ++i) owners.push_back({id, 100 + i});
    for (std::size_t i = 0; i < owners.size(); i += 15) {
        const std::size_t end = std::min(owners.size(), i + 15);
        ASSERT_TRUE(add_owners(*store_, {owners.begin() + static_cast<long>(i),
                                         owners.begin() + static_cast<long>(end)}));
    }
    const auto over = add_owners(*store_, {{id, 99}});
    ASSERT_FALSE(over);
    EXPECT_EQ(over.error().code, Errc::limit);
}

}  // namespace
}  // namespace postern::blob

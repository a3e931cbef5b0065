#include "store/kv/random_id.h"
#include "tests/contract/engines.h"

namespace postern::kv {
namespace {

class Limits : public EngineTest {
protected:
    const ShardId shard_{ShardKind::account, 1, 0};

    bool takes(std::vector<Operation> operations, std::vector<Precondition> preconditions = {}) {
        Batch batch;
        batch.shard = shard_;
        batch.operation = random_id();
        batch.operations = std::move(operations);
        batch.preconditions = std::move(preconditions);
        return takes(std::move(batch));
    }
    bool takes(Batch batch) {
        const CommitResult result = store_->commit_and_wait(std::move(batch));
        if (!result) {
            EXPECT_EQ(result.error().code, Errc::invalid) << result.error().text;
        }
        return result.has_value();
    }
    static std::string of(std::size_t size) { return std::string(size, 'x'); }
};

TEST_P(Limits, KeyLength) {
    EXPECT_FALSE(takes({Put{"", "v"}}));
    EXPECT_FALSE(takes({Erase{""}}));
    for (const std::size_t size : {std::size_t{1}, max_key_bytes - 1, max_key_bytes}) {
        EXPECT_TRUE(takes({Put{of(size), "v"}})) << size;
        EXPECT_TRUE(store_->get(shard_, of(size))->has_value()) << size;
    }
    EXPECT_FALSE(takes({Put{of(max_key_bytes + 1), "v"}}));
    EXPECT_FALSE(takes({Erase{of(max_key_bytes + 1)}}));
    EXPECT_FALSE(takes({}, {{of(max_key_bytes + 1), std::nullopt}}));
}

TEST_P(Limits, LongKeysAreReadAsAbsent) {
    EXPECT_FALSE(store_->get(shard_, of(max_key_bytes + 1))->has_value());
    EXPECT_FALSE(store_->get(shard_, of(10'000))->has_value());
    EXPECT_FALSE(store_->get(shard_, "")->has_value());
    ASSERT_TRUE(takes({Put{of(max_key_bytes), "v"}}));
    EXPECT_EQ(store_->scan(shard_, of(max_key_bytes), of(10'000), 2)->rows.size(), 1u);
    EXPECT_EQ(store_->scan(shard_, of(max_key_bytes + 1), "", 2)->rows.size(), 0u);
    EXPECT_EQ(store_->scan(shard_, "", of(max_key_bytes + 1), 2)->rows.size(), 1u);
}

TEST_P(Limits, ValueLength) {
    EXPECT_FALSE(takes({Put{"k", ""}}));
    for (const std::size_t size : {std::size_t{1}, max_value_bytes - 1, max_value_bytes}) {
        EXPECT_TRUE(takes({Put{"k", of(size)}})) << size;
        EXPECT_EQ((*store_->get(shard_, "k"))->size(), size);
    }
    EXPECT_FALSE(takes({Put{"k", of(max_value_bytes + 1)}}));
    EXPECT_FALSE(takes({}, {{"k", of(max_value_bytes + 1)}}));
    EXPECT_FALSE(takes({}, {{"k", ""}}));
    EXPECT_TRUE(takes({}, {{"k", of(max_value_bytes)}}));
}

TEST_P(Limits, OperationsInABatch) {
    const auto operations = [](std::size_t count) {
        std::vector<Operation> out;
        for (std::size_t i = 0; i < count; ++i) out.push_back(Put{"k" + std::to_string(i), "v"});
        return out;
    };
    EXPECT_TRUE(takes(operations(max_batch_operations - 1)));
    EXPECT_TRUE(takes(operations(max_batch_operations)));
    EXPECT_FALSE(takes(operations(max_batch_operations + 1)));
    EXPECT_TRUE(takes({}, std::vector<Precondition>(max_batch_operations, {"x", std::nullopt})));
    EXPECT_FALSE(
        takes({}, std::vector<Precondition>(max_batch_operations + 1, {"x", std::nullopt})));
}

TEST_P(Limits, BytesInABatch) {
    const auto of_bytes = [](std::size_t bytes) {
        std::vector<Operation> out;
        while (bytes > 0) {
            const std::size_t size = std::min(bytes, std::size_t{32 * 1024});
            out.push_back(Put{"key", of(size - 3)});
            bytes -= size;
        }
        return out;
    };
    EXPECT_TRUE(takes(of_bytes(max_batch_bytes - 10)));
    EXPECT_TRUE(takes(of_bytes(max_batch_bytes)));
    auto over = of_bytes(max_batch_bytes);
    over.push_back(Erase{"e"});
    EXPECT_FALSE(takes(over));
}

TEST_P(Limits, BlobLength) {
    const auto with_blob = [&](std::shared_ptr<const std::string> bytes) {
        Batch batch;
        batch.shard = shard_;
        batch.blobs.push_back({store_->new_blob_id(shard_), std::move(bytes)});
        return batch;
    };
    EXPECT_FALSE(takes(with_blob(nullptr)));
    EXPECT_FALSE(takes(with_blob(std::make_shared<std::string>())));
    EXPECT_TRUE(takes(with_blob(std::make_shared<std::string>("1"))));
    const auto largest = std::make_shared<std::string>(max_blob_bytes + 1, 'x');
    EXPECT_FALSE(takes(with_blob(largest)));
    for (int less = 1; less <= 2; ++less) {
        largest->pop_back();
        EXPECT_TRUE(takes(with_blob(largest))) << less;
    }
}

TEST_P(Limits, BlobsInABatch) {
    const auto with_blobs = [&](std::size_t count) {
        const auto bytes = std::make_shared<std::string>("b");
        Batch batch;
        batch.shard = shard_;
        while (batch.blobs.size() < count) {
            batch.blobs.push_back({store_->new_blob_id(shard_), bytes});
        }
        return batch;
    };
    EXPECT_TRUE(takes(with_blobs(max_batch_operations - 1)));
    EXPECT_TRUE(takes(with_blobs(max_batch_operations)));
    EXPECT_FALSE(takes(with_blobs(max_batch_operations + 1)));
    Batch erasing;
    erasing.shard = shard_;
    erasing.erased_blobs.resize(max_batch_operations);
    EXPECT_TRUE(takes(erasing));
    erasing.erased_blobs.resize(max_batch_operations + 1);
    EXPECT_FALSE(takes(erasing));
}

TEST_P(Limits, ARefusedBatchChangesNothing) {
    EXPECT_FALSE(takes({Put{"a", "1"}, Put{"b", ""}}));
    EXPECT_FALSE(store_->get(shard_, "a")->has_value());
}

INSTANTIATE_TEST_SUITE_P(Engines, Limits, testing::ValuesIn(all_engines()),
                         [](const auto& engine) { return engine.param.name; });

}  // namespace
}  // namespace postern::kv

#include "store/blob/dictionary.h"

#include "store/blob/blob.h"
#include "store/kv/faulty.h"
#include "store/kv/random_id.h"
#include "store/kv/row_codec.h"
#include "tests/store/support/mail_text.h"
#include "tests/store/support/temp_folder.h"

#include <gtest/gtest.h>

namespace postern::blob {
namespace {

constexpr kv::ShardId shard{kv::ShardKind::mailbox, 1, 0};

void change(kv::Store& store, const kv::ShardId& where, std::vector<kv::Operation> operations,
            std::vector<kv::BlobPut> blobs = {}) {
    kv::Batch batch;
    batch.shard = where;
    batch.operation = kv::random_id();
    batch.operations = std::move(operations);
    batch.blobs = std::move(blobs);
    ASSERT_TRUE(store.commit_and_wait(std::move(batch)));
}

BlobId put(kv::Store& store, const std::string& framed) {
    const BlobId id = store.new_blob_id(shard);
    change(store, shard, {}, {{id, std::make_shared<const std::string>(framed)}});
    return id;
}

std::string trained() {
    std::vector<std::string> samples;
    for (unsigned i = 0; i < 300; ++i) samples.push_back(test::mail_text(i));
    auto dictionary = train(samples);
    EXPECT_TRUE(dictionary);
    return dictionary ? *dictionary : std::string();
}

std::string key_of(DictionaryId id) {
    return kv::RowWriter().u8('d').u64(id).take();
}

class Engines : public ::testing::TestWithParam<const char*> {
protected:
    void SetUp() override { open(); }
    void open() {
        store_.reset();
        const std::string name = GetParam();
        if (name == "memory") store_ = kv::make_memory_store();
        if (name == "lmdb") {
            auto opened = kv::open_lmdb_store({folder_.string(), 2, std::uint64_t{1} << 20});
            ASSERT_TRUE(opened);
            store_ = *std::move(opened);
        }
    }
    test::TempFolder folder_;
    std::unique_ptr<kv::Store> store_;
};

TEST_P(Engines, SmallBodiesShrinkAndReadBackFromAFreshProcessToo) {
    const std::string text = test::mail_text(1000);
    const std::string before = encode(*store_, text);
    const auto id = Dictionaries::of(*store_)->add(trained());
    ASSERT_TRUE(id);
    const std::string after = encode(*store_, text);
    EXPECT_LT(after.size(), before.size() * 3 / 4);
    const BlobId old = put(*store_, before);
    const BlobId fresh = put(*store_, after);
    if (std::string(GetParam()) == "lmdb") open();
    EXPECT_EQ(read(*store_, old, 0, text.size()).value(), text);
    EXPECT_EQ(read(*store_, fresh, 0, text.size()).value(), text);
    EXPECT_EQ(read(*store_, fresh, 7, 11).value(), text.substr(7, 11));
    EXPECT_EQ(info(*store_, old)->dictionary, 0u);
    EXPECT_EQ(info(*store_, fresh)->dictionary, *id);
    EXPECT_EQ(info(*store_, fresh)->size, text.size());
}

TEST_P(Engines, OnlyTheFirstFrameNeedsIt) {
    const auto id = Dictionaries::of(*store_)->add(trained());
    ASSERT_TRUE(id);
    std::string text;
    for (unsigned i = 0; text.size() < 3 * frame_bytes; ++i) text += test::mail_text(i);
    const BlobId blob = put(*store_, encode(*store_, text));
    EXPECT_EQ(read(*store_, blob, 0, text.size()).value(), text);
    change(*store_, dictionary_shard, {kv::Erase{key_of(*id)}});
    Dictionaries again(*store_);
    EXPECT_EQ(again.find(*id).error().code, Errc::not_found);
    EXPECT_EQ(read(*store_, blob, frame_bytes, 10).value(), text.substr(frame_bytes, 10));
}

INSTANTIATE_TEST_SUITE_P(Blob, Engines, ::testing::Values("memory", "lmdb"));

TEST(Dictionary, OldBodiesKeepTheirs) {
    const auto store = kv::make_memory_store();
    const std::string text = test::mail_text(7);
    const std::string first = trained();
    ASSERT_TRUE(Dictionaries::of(*store)->add(first));
    const BlobId old = put(*store, encode(*store, text));
    std::string second = first;
    second.resize(second.size() / 2);
    const auto id = Dictionaries::of(*store)->add(second);
    ASSERT_TRUE(id);
    EXPECT_EQ(Dictionaries::of(*store)->newest()->id(), *id);
    EXPECT_EQ(read(*store, old, 0, text.size()).value(), text);
}

TEST(Dictionary, LossOrDamageHarmsOnlyWhatNeedsIt) {
    for (const bool lost : {true, false}) {
        const auto store = kv::make_memory_store();
        const std::string text = test::mail_text(7);
        const BlobId plain = put(*store, encode(*store, text));
        const std::string bytes = trained();
        BlobId packed;
        DictionaryId id = 0;
        {
            const Dictionary dictionary(bytes);
            id = dictionary.id();
            packed = put(*store, encode(text, &dictionary));
        }
        if (!lost) change(*store, dictionary_shard, {kv::Put{key_of(id), bytes + "x"}});
        const auto got = read(*store, packed, 0, text.size());
        ASSERT_FALSE(got);
        EXPECT_EQ(got.error().code, Errc::corrupt);
        EXPECT_NE(got.error().text.find("dictionary " + name_of(id)), std::string::npos)
            << got.error().text;
        EXPECT_EQ(read(*store, plain, 0, text.size()).value(), text);
        // Back from a backup: nothing was remembered of the loss.
        change(*store, dictionary_shard, {kv::Put{key_of(id), bytes}});
        EXPECT_EQ(read(*store, packed, 0, text.size()).value(), text);
    }
}

TEST(Dictionary, CountAndSizeAreBounded) {
    const auto store = kv::make_memory_store();
    const auto dictionaries = Dictionaries::of(*store);
    EXPECT_EQ(dictionaries->add("").error().code, Errc::invalid);
    EXPECT_EQ(dictionaries->add(std::string(max_dictionary_bytes + 1, 'x')).error().code,
              Errc::too_large);
    EXPECT_TRUE(dictionaries->add(std::string(max_dictionary_bytes, 'x')));
    EXPECT_TRUE(dictionaries->add(std::string(max_dictionary_bytes - 1, 'x')));
    for (std::size_t i = 2; i < max_dictionaries; ++i) {
        ASSERT_TRUE(dictionaries->add("dictionary " + std::to_string(i)));
    }
    EXPECT_EQ(dictionaries->add("one more").error().code, Errc::limit);
    EXPECT_TRUE(dictionaries->add("dictionary 7")) << "one that is there may become the newest";
}

TEST(Dictionary, AFailingReadIsTemporaryForOldMailAndNoneForNew) {
    const std::shared_ptr<kv::Store> inner = kv::make_memory_store();
    ASSERT_TRUE(Dictionaries::of(*inner)->add(trained()));
    const std::string text = test::mail_text(7);
    const BlobId packed = put(*inner, encode(*inner, text));
    kv::FaultyStore store(inner);
    store.inject(2, kv::Fault::fail);  // the body's bytes are read first
    EXPECT_EQ(read(store, packed, 0, text.size()).error().code, Errc::unavailable);
    EXPECT_EQ(read(store, packed, 0, text.size()).value(), text);
    store.inject(1, kv::Fault::fail);
    EXPECT_EQ(encode(store, text), encode(text));
}

TEST(Dictionary, TooFewSamplesAreRefused) {
    EXPECT_EQ(train({}).error().code, Errc::invalid);
    EXPECT_EQ(train({"a", "b"}).error().code, Errc::invalid);
}

}  // namespace
}  // namespace postern::blob

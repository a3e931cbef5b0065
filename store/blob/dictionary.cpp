#include "store/blob/dictionary.h"

#include "protocols/base/hash.h"
#include "store/blob/frames.h"
#include "store/kv/random_id.h"
#include "store/kv/row_codec.h"

#include <zdict.h>
#include <zstd.h>

#include <cinttypes>
#include <cstdio>

namespace postern::blob {

namespace {

constexpr std::string_view newest_dictionary_key = "n";

std::string key_of(DictionaryId id) {
    return kv::RowWriter().u8('d').u64(id).take();
}

}  // namespace

Dictionary::Dictionary(std::string bytes) : bytes_(std::move(bytes)), id_(hash64(bytes_)) {}

Dictionary::~Dictionary() {
    ZSTD_freeCDict(compressing_);
    ZSTD_freeDDict(decompressing_);
}

const ZSTD_CDict_s* Dictionary::compressing() const {
    std::call_once(compressing_once_, [this] {
        compressing_ = ZSTD_createCDict(bytes_.data(), bytes_.size(), compression_level);
    });
    return compressing_;
}

const ZSTD_DDict_s* Dictionary::decompressing() const {
    std::call_once(decompressing_once_,
                   [this] { decompressing_ = ZSTD_createDDict(bytes_.data(), bytes_.size()); });
    return decompressing_;
}

std::shared_ptr<Dictionaries> Dictionaries::of(kv::Store& store) {
    return std::static_pointer_cast<Dictionaries>(
        store.beside([&store] { return std::make_shared<Dictionaries>(store); }));
}

Result<DictionaryPtr> Dictionaries::find(DictionaryId id) {
    {
        std::lock_guard lock(mutex_);
        const auto found = read_.find(id);
        if (found != read_.end()) return found->second;
    }
    auto row = store_.get(dictionary_shard, key_of(id));
    if (!row) return row.error();
    if (!*row) return Error{Errc::not_found, "dictionary " + name_of(id) + " is lost"};
    auto dictionary = std::make_shared<const Dictionary>(std::move(**row));
    if (dictionary->id() != id) {
        return Error{Errc::corrupt, "dictionary " + name_of(id) + " is damaged"};
    }
    std::lock_guard lock(mutex_);
    return read_.emplace(id, std::move(dictionary)).first->second;
}

DictionaryPtr Dictionaries::newest() {
    // Asked each time: another process may have trained one.
    const auto row = store_.get(dictionary_shard, newest_dictionary_key);
    if (!row || !*row) return nullptr;
    const auto found = find(kv::RowReader(**row).u64());
    return found ? *found : nullptr;
}

bool Dictionaries::names_newest() {
    const auto row = store_.get(dictionary_shard, newest_dictionary_key);
    return row || row.error().code != Errc::corrupt;
}

Result<void> Dictionaries::name_newest(std::optional<DictionaryId> id) {
    kv::Batch batch;
    batch.shard = dictionary_shard;
    batch.operation = kv::random_id();
    if (id) {
        batch.operations.emplace_back(
            kv::Put{std::string(newest_dictionary_key), kv::RowWriter().u64(*id).take()});
    } else {
        batch.operations.emplace_back(kv::Erase{std::string(newest_dictionary_key)});
    }
    const auto done = store_.commit_and_wait(std::move(batch));
    return done ? Result<void>() : Result<void>(done.error());
}

Result<DictionaryId> Dictionaries::add(std::string bytes) {
    if (bytes.empty()) return Error{Errc::invalid, "an empty dictionary"};
    if (bytes.size() > max_dictionary_bytes) {
        return Error{Errc::too_large, "the dictionary is too large"};
    }
    const auto before = store_.get(dictionary_shard, newest_dictionary_key);
    if (!before) return before.error();
    const auto page = store_.scan_through(dictionary_shard, "d", "e", max_dictionaries + 1);
    if (!page) return page.error();
    const DictionaryId id = hash64(bytes);
    const auto known = store_.get(dictionary_shard, key_of(id));
    const bool is_known = known && *known;
    if (!is_known && page->rows.size() + page->damaged.size() >= max_dictionaries) {
        return Error{Errc::limit,
                     "a store keeps at most " + std::to_string(max_dictionaries) + " dictionaries"};
    }
    kv::Batch batch;
    batch.shard = dictionary_shard;
    batch.operation = kv::random_id();
    batch.preconditions.push_back({std::string(newest_dictionary_key), *before});
    batch.operations.emplace_back(kv::Put{key_of(id), std::move(bytes)});
    batch.operations.emplace_back(
        kv::Put{std::string(newest_dictionary_key), kv::RowWriter().u64(id).take()});
    const auto outcome = store_.commit_and_wait(std::move(batch));
    if (!outcome) return outcome.error();
    if (*outcome == kv::Outcome::committed) return id;
    return Error{Errc::conflict, "another dictionary was added meanwhile"};
}

DictionaryId dictionary_of_key(std::string_view key) {
    kv::RowReader reader(key);
    if (reader.u8() != 'd') return 0;
    const DictionaryId id = reader.u64();
    return reader.done() ? id : 0;
}

std::string name_of(DictionaryId id) {
    char text[20];
    std::snprintf(text, sizeof text, "%016" PRIx64, id);
    return text;
}

Result<std::string> train(const std::vector<std::string>& samples) {
    std::string all;
    std::vector<std::size_t> sizes;
    for (const std::string& sample : samples) {
        all += sample;
        sizes.push_back(sample.size());
    }
    std::string dictionary(max_dictionary_bytes, '\0');
    const std::size_t size =
        ZDICT_trainFromBuffer(dictionary.data(), dictionary.size(), all.data(), sizes.data(),
                              static_cast<unsigned>(sizes.size()));
    if (ZDICT_isError(size) != 0U) {
        return Error{Errc::invalid, "the mail has too little in common for a dictionary"};
    }
    dictionary.resize(size);
    return dictionary;
}

}  // namespace postern::blob

// Dictionaries: what mail has in common, so that small bodies need not repeat it.
//
// A dictionary is a row of the store, named by its own hash and never changed or taken away: a body
// keeps the id of the one it was compressed with, and the newest serves new bodies. Damage of one
// harms the bodies that name it, and nothing else.
//
//   shard dictionaries 1:   d id(8)   the dictionary
//                           n         id(8) of the newest
//
// Thread rule: any thread; add waits for durability, so not the store engine's.
#pragma once

#include "protocols/base/result.h"
#include "store/kv/kv.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct ZSTD_CDict_s;
struct ZSTD_DDict_s;

namespace postern::blob {

inline constexpr std::size_t max_dictionary_bytes = 60 * 1024;  // a row holds it
// Of a store: 4 MiB. Restoring a user may bring more: mail needs them.
inline constexpr std::size_t max_dictionaries = 64;

using DictionaryId = std::uint64_t;  // 0: none
inline constexpr kv::ShardId dictionary_shard{kv::ShardKind::dictionaries, 1, 0};

class Dictionary {
public:
    explicit Dictionary(std::string bytes);
    ~Dictionary();
    Dictionary(const Dictionary&) = delete;
    Dictionary& operator=(const Dictionary&) = delete;

    DictionaryId id() const { return id_; }
    // Null where memory is short or the bytes are none of ours.
    const ZSTD_CDict_s* compressing() const;
    const ZSTD_DDict_s* decompressing() const;

private:
    std::string bytes_;
    DictionaryId id_;
    mutable std::once_flag compressing_once_, decompressing_once_;
    mutable ZSTD_CDict_s* compressing_ = nullptr;
    mutable ZSTD_DDict_s* decompressing_ = nullptr;
};
using DictionaryPtr = std::shared_ptr<const Dictionary>;

// The dictionaries of one store, each read once.
class Dictionaries {
public:
    // Those of that store, the same for all callers, as long as the store lives.
    static std::shared_ptr<Dictionaries> of(kv::Store& store);
    explicit Dictionaries(kv::Store& store) : store_(store) {}

    // Errors: not_found, corrupt, unavailable.
    Result<DictionaryPtr> find(DictionaryId id);
    // What new bodies are compressed with; null when there is none, or none that can be read now.
    DictionaryPtr newest();
    // False: the row that says which is the newest does not read back.
    bool names_newest();
    // Makes that one the newest, whatever was; none: new bodies go without.
    Result<void> name_newest(std::optional<DictionaryId> id);
    // Keeps it, and makes it the newest. Errors: limit (max_dictionaries), too_large, invalid
    // (empty), conflict (another was added meanwhile), unavailable.
    Result<DictionaryId> add(std::string bytes);

private:
    kv::Store& store_;
    std::mutex mutex_;
    std::map<DictionaryId, DictionaryPtr> read_;
};

// The id in a row's key; 0: the row is no dictionary's.
DictionaryId dictionary_of_key(std::string_view key);
// As people are told of it.
std::string name_of(DictionaryId id);

// A dictionary for texts like these. Errors: invalid (too few or too small to learn from).
Result<std::string> train(const std::vector<std::string>& samples);

}  // namespace postern::blob

#include "filters/features/token_sink.h"

#include "protocols/base/hash.h"

#include <algorithm>
#include <utility>

namespace postern::filters {

namespace {

static_assert(max_features <= SeenTable::max_numbers && feature_bits <= SeenTable::number_bits);
constexpr std::size_t max_word_bytes = 64;

std::uint64_t mix(std::uint64_t a, std::uint64_t b, std::uint64_t distance) {
    std::uint64_t h = a * 0x9E3779B97F4A7C15ull + b + distance * 0xD6E8FEB86659FD93ull;
    h ^= h >> 32;
    h *= 0xD6E8FEB86659FD93ull;
    h ^= h >> 29;
    h *= 0x9FB21C651E98DF25ull;
    return h ^ (h >> 32);
}

std::uint64_t seed_of(std::string_view kind) {
    std::uint64_t seed = 0xCBF29CE484222325ull;
    for (const char c : kind) seed = (seed ^ static_cast<unsigned char>(c)) * 0x100000001B3ull;
    return seed;
}

// Never 0, which stands for "free" in the tables of models.
std::uint64_t feature_of(std::uint64_t hash, bool content) {
    const std::uint64_t feature = hash >> (64 - feature_bits) & ~content_feature_bit;
    if (content) return feature | content_feature_bit;
    return feature == 0 ? 2 : feature;
}

}  // namespace

std::uint64_t word_feature(std::string_view kind, std::string_view word, bool content) {
    return feature_of(hash64(word.substr(0, max_word_bytes), seed_of(kind)), content);
}

std::uint64_t neighbours_feature(std::string_view kind, std::string_view first,
                                 std::string_view second, bool content) {
    return feature_of(
        mix(word_feature(kind, first, content), word_feature(kind, second, content), 1), content);
}

thread_local std::unique_ptr<TokenSink::Memory> TokenSink::spare_;

TokenSink::TokenSink(FeatureVector& vector, FeatureNames* names, const ModelPlaces& places)
    : names_(names),
      places_(places),
      seed_(seed_of(kind_)),
      vector_(vector),
      memory_(std::move(spare_)) {
    if (!memory_) memory_ = std::make_unique<Memory>();
    if (names_ != nullptr) names_->make_room(max_tokens + 1, max_pairs + 1);
}

TokenSink::~TokenSink() {
    spare_ = std::move(memory_);
}

TokenSink::Recent TokenSink::add_token(std::string_view kind, std::string_view word) {
    word = word.substr(0, max_word_bytes);
    if (kind.data() != kind_.data() || kind.size() != kind_.size()) {
        kind_ = kind;
        seed_ = seed_of(kind);
    }
    const std::uint64_t hash = feature_of(hash64(word, seed_), content_);
    const std::uint32_t name = names_ == nullptr ? 0 : names_->note_word(kind, word);
    if (!full()) {
        places_.fetch(hash);
        memory_->tokens.data()[token_count_] = hash;
        if (names_ != nullptr) names_->token_is(token_count_, name);
        token_count_ += seen_.insert(hash, hash) ? 1 : 0;
    }
    return {hash, name};
}

void TokenSink::add(std::string_view kind, std::string_view word) {
    if (!word.empty()) add_token(kind, word);
}

void TokenSink::add_running(std::string_view kind, std::string_view word) {
    if (word.empty()) return;
    const Recent now = add_token(kind, word);
    std::uint64_t* pairs = memory_->pairs.data();
    const Recent* recent = recent_.data();
    std::size_t count = pair_count_;
    for (std::size_t i = 0; i < recent_count_ && count < max_pairs; ++i) {
        const std::uint64_t pair = feature_of(mix(recent[i].hash, now.hash, i + 1), content_);
        places_.fetch(pair);
        pairs[count] = pair;
        if (names_ != nullptr) names_->pair_is(count, recent[i].name, now.name, i + 1);
        count += seen_.insert(pair, pair) ? 1 : 0;
    }
    pair_count_ = count;
    std::move_backward(recent_.begin(), recent_.end() - 1, recent_.end());
    recent_[0] = now;
    recent_count_ = std::min(recent_count_ + 1, recent_.size());
}

void TokenSink::begin_text() {
    recent_count_ = 0;
}

void TokenSink::finish() {
    vector_.tokens = static_cast<std::uint32_t>(token_count_);
    const std::uint64_t* tokens = memory_->tokens.data();
    const std::uint64_t* pairs = memory_->pairs.data();
    vector_.hashes.reserve(token_count_ + pair_count_);
    vector_.hashes.assign(tokens, tokens + token_count_);
    vector_.hashes.insert(vector_.hashes.end(), pairs, pairs + pair_count_);
    if (names_ != nullptr) names_->keep(token_count_, pair_count_);
}

}  // namespace postern::filters

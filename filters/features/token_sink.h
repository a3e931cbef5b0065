// Where the tokens of a message go: hashed, each kept once, with the pairs of words that stand near
// each other (orthogonal sparse bigrams: a word with each of the four before it, and how far).
#pragma once

#include "filters/feature_vector.h"
#include "filters/features/features.h"
#include "filters/features/seen_table.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace postern::filters {

inline constexpr std::size_t pair_window = 5;  // words, the newer one included
inline constexpr std::size_t max_tokens = 2000;
inline constexpr std::size_t max_pairs = max_features - max_tokens;

class TokenSink {
public:
    // vector: where the hashes go. names: nullptr, or where to note what each hash stands for.
    // places: what is fetched for each.
    TokenSink(FeatureVector& vector, FeatureNames* names, const ModelPlaces& places = {});
    ~TokenSink();
    TokenSink(const TokenSink&) = delete;
    TokenSink& operator=(const TokenSink&) = delete;

    // A single token of that kind. The kind is a string literal: "subject", "" for body words.
    void add(std::string_view kind, std::string_view word);
    // A word of a running text: the token and its pairs with the words before it.
    void add_running(std::string_view kind, std::string_view word);
    // A new text begins: no pairs across the gap.
    void begin_text();
    // Whether what follows is of the content or of the envelope; see content_feature_bit.
    void begin_section(bool content) { content_ = content; }
    bool full() const { return token_count_ >= max_tokens; }

    // The vector is whole afterwards: tokens first, then pairs.
    void finish();

private:
    struct Recent {
        std::uint64_t hash = 0;
        std::uint32_t name = 0;
    };
    // What comes next is put in the place after the last one taken, which it takes if it is new: no
    // branch on what nobody can foretell.
    struct Memory {
        std::array<std::uint64_t, max_tokens + 1> tokens;
        std::array<std::uint64_t, max_pairs + 1> pairs;
    };
    static thread_local std::unique_ptr<Memory> spare_;

    Recent add_token(std::string_view kind, std::string_view word);

    FeatureNames* names_;
    const ModelPlaces places_;
    bool content_ = false;
    std::string_view kind_;  // whose seed is seed_
    std::uint64_t seed_;
    SeenTable seen_;
    FeatureVector& vector_;
    std::unique_ptr<Memory> memory_;
    std::size_t token_count_ = 0;
    std::size_t pair_count_ = 0;
    std::array<Recent, pair_window - 1> recent_{};  // newest first
    std::size_t recent_count_ = 0;
};

}  // namespace postern::filters

// What rspamd's Bayes classifier learned, from the Redis that holds it.
//
// rspamd keeps no words but a 64-bit number for each pair of words up to four apart, with the times
// that it was learned as spam and as ham:
//
//   number = XXH64(newer word) + m * XXH64(older word)   modulo 2^64, m = 3, 5, 11, 23 by distance
//
// over stems in small letters, words of no meaning (the, and) left out before. Numbers cannot be
// turned back, but pairs of words of the site's own mail can be turned into numbers and looked up:
// what is found is a count of a feature of ours, since our pairs are of the same shape. Stems are
// guessed by taking letters off the end; a wrong guess finds nothing, as numbers of 64 bits prove
// themselves.
//
// In Redis: the hash RS (or RS + user) with learns_spam and learns_ham, and hashes RS_NUMBER with S
// and H. Before rspamd 2.0: hashes BAYES_SPAM and BAYES_HAM with one field for each number, and
// "learns". Users' statistics are added up.
//
// First all of the dump, then start_recognising, then mail. Memory is bounded by max_rspamd_tokens
// and max_dump_features.
#pragma once

#include "filters/dumps/dump.h"
#include "filters/features/features.h"
#include "filters/models/models.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace postern::filters {

inline constexpr std::size_t max_rspamd_tokens = 8'000'000;  // what comes later is left out

class RspamdStatistics {
public:
    // The limits: for tests. most_features: of pairs, and of words.
    explicit RspamdStatistics(std::size_t max_tokens = max_rspamd_tokens,
                              std::size_t most_features = max_dump_features)
        : max_tokens_(max_tokens), max_features_(most_features) {}

    // One field of one hash in Redis; others than rspamd's are passed over.
    void add_field(std::string_view key, std::string_view field, std::string_view value);
    // One line of `rspamadm statistics_dump`, in either of its two forms.
    void add_line(std::string_view line);

    void start_recognising();
    // A message with the names of its features.
    void recognise(const Features& features);

    std::size_t tokens() const { return tokens_.size(); }  // distinct after start_recognising
    std::uint64_t recognised() const { return recognised_; }
    std::uint64_t beyond_limit() const { return beyond_limit_; }
    std::uint64_t damaged() const { return damaged_; }

    // Errors: invalid (no statistics, or one class only), unsupported (nothing was recognised).
    Result<Counts> finish() const;

private:
    struct Token {
        std::uint64_t number = 0;
        std::uint32_t ham = 0;
        std::uint32_t spam = 0;
    };
    struct Sums {
        std::uint64_t ham = 0;
        std::uint64_t spam = 0;
    };
    using Guesses = std::vector<std::uint64_t>;  // numbers of what a word's stem may be

    void add_token(std::uint64_t number, bool spam, std::uint64_t count);
    const Guesses& guesses_of(std::string_view word);
    void recognise_pair(std::string_view first, std::string_view second, bool subject,
                        std::uint64_t feature);
    using Table = std::unordered_map<std::uint64_t, Sums>;
    // false: the table is full.
    bool credit(Table& table, std::uint64_t feature, const Sums& counts) const;

    const std::size_t max_tokens_;
    const std::size_t max_features_;
    std::vector<Token> tokens_;
    std::vector<bool> found_;          // of tokens_
    std::vector<std::uint64_t> held_;  // bits: which numbers may be among tokens_
    std::unordered_map<std::string, Guesses> guesses_;
    Table pairs_;
    Table words_;  // of all pairs that a word is in
    Sums messages_;
    std::uint64_t recognised_ = 0;
    std::uint64_t beyond_limit_ = 0;
    std::uint64_t damaged_ = 0;
    std::uint64_t identity_ = 0;
};

}  // namespace postern::filters

// Features of a message: what the models learn and score.
//
// The same message gives the same features when it is scanned at reception and when it is learned
// later from the store: the fields that a gateway adds (trace, verdict) are left out of them and of
// the digest. So are things that a relay may change on the way: transfer encodings, folds, the case
// of field names.
#pragma once

#include "filters/feature_vector.h"
#include "filters/features/content.h"
#include "filters/input.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postern::filters {

// What each hash of a vector stands for, kept compactly: most are never asked for.
class FeatureNames {
public:
    // "subject:offer", "click ... here" for a pair. Empty: out of range or names were left out.
    std::string of(std::size_t index) const;
    std::size_t size() const { return token_count_ + pair_count_; }

    void clear();  // its memory is kept
    // For so many: token_is and pair_is may then be told in any order, and again.
    void make_room(std::size_t tokens, std::size_t pairs);
    std::uint32_t note_word(std::string_view kind, std::string_view word) {
        words_.push_back({kind, static_cast<std::uint32_t>(text_.size()),
                          static_cast<std::uint32_t>(word.size())});
        text_ += word;
        return static_cast<std::uint32_t>(words_.size() - 1);
    }
    void token_is(std::size_t token, std::uint32_t word) { tokens_[token] = word; }
    void pair_is(std::size_t pair, std::uint32_t first, std::uint32_t second,
                 std::size_t distance) {
        pairs_.data()[pair] = {first, second, static_cast<std::uint32_t>(distance)};
    }
    // The first so many of what was told are those of the vector.
    void keep(std::size_t tokens, std::size_t pairs);

private:
    struct Word {
        std::string_view kind;  // of static storage
        std::uint32_t begin = 0;
        std::uint32_t size = 0;
    };
    struct Pair {
        std::uint32_t first = 0;
        std::uint32_t second = 0;
        std::uint32_t distance = 0;
    };
    std::string name_of(const Word& word) const;

    std::string text_;
    std::vector<Word> words_;
    std::vector<std::uint32_t> tokens_;  // indexes into words_
    std::vector<Pair> pairs_;
    std::size_t token_count_ = 0;
    std::size_t pair_count_ = 0;
};

struct Features {
    FeatureVector vector;
    FeatureNames names;  // of vector.hashes; empty unless asked for
};

enum class Names : bool { left_out, kept };

// Thread-safe: no state but its arguments. Cost is bounded by the limits of Content and of
// FeatureVector.
Features extract(const Content& content, Names names = Names::left_out);
// The same into `features`, whose memory is used again. places: of the models that will score it.
void extract(const Content& content, Names names, Features& features,
             const ModelPlaces& places = {});
Features extract(const ScanInput& input, Names names = Names::left_out);

// The feature that a folded word of that kind ("subject", "" for the text) is, and the one that two
// neighbours are: for counts that came about elsewhere.
std::uint64_t word_feature(std::string_view kind, std::string_view word, bool content);
std::uint64_t neighbours_feature(std::string_view kind, std::string_view first,
                                 std::string_view second, bool content);

}  // namespace postern::filters

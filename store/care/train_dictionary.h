// A dictionary from the store's own mail, for the mail to come.
#pragma once

#include "protocols/base/result.h"
#include "store/blob/dictionary.h"
#include "store/care/backup.h"
#include "store/kv/kv.h"

#include <cstddef>
#include <cstdint>

namespace postern::care {

inline constexpr std::size_t max_training_samples = 4000;
inline constexpr std::size_t min_training_samples = 200;
inline constexpr std::size_t max_training_sample_bytes =
    16 * 1024;  // of one message, its beginning
inline constexpr std::size_t max_training_bytes = 16 * 1024 * 1024;
// A new dictionary that saves less than this beside the newest one is not worth its place.
inline constexpr double min_training_gain = 0.03;

struct TrainReport {
    blob::DictionaryId id = 0;  // what was trained
    bool kept = false;          // false: no better than the newest, which stays
    std::uint64_t dictionary_bytes = 0;
    std::uint64_t samples = 0, sample_bytes = 0;
    // Of messages that were kept out of the training: raw, as new mail was stored so far, and with
    // the new dictionary.
    std::uint64_t tested_bytes = 0, before_bytes = 0, after_bytes = 0;
};

// What makes a training worth its dictionary.
struct TrainOptions {
    std::size_t min_samples = min_training_samples;
    double min_gain = min_training_gain;  // beside the newest, or beside none
};
// As a gateway trains of its own accord: from mail enough to speak for what will come, and not
// again unless mail has changed a lot.
inline constexpr TrainOptions unasked_training{1000, 0.10};

// Takes messages at random from the whole store. `progress`: bodies seen and to be seen (the same
// number while that is not known), messages read. Errors: invalid (too little mail), limit
// (blob::max_dictionaries), conflict, unavailable.
Result<TrainReport> train_dictionary(kv::Store& store, const Progress& progress,
                                     const TrainOptions& options = {});

}  // namespace postern::care

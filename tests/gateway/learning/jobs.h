// Jobs to learn, made up from a number.
#pragma once

#include "gateway/learning/learn_log.h"

#include <cstdint>

namespace postern::learning {

inline LearnJob job_of(std::uint64_t number, LearnAction action, std::size_t features = 20) {
    LearnJob job;
    job.action = action;
    job.who = "ann@example.org";
    job.when = from_unix_ms(1'700'000'000'000 + static_cast<std::int64_t>(number));
    for (std::size_t i = 0; i < 8; ++i) {
        job.features.digest.bytes[i] = static_cast<std::uint8_t>(number >> (8 * i));
    }
    job.features.digest.bytes[15] = 1;
    for (std::size_t i = 0; i < features; ++i) job.features.hashes.push_back(number * 10'000 + i);
    job.features.tokens = static_cast<std::uint32_t>(features);
    return job;
}

inline LearnJob spam_job(std::uint64_t number) {
    return job_of(number, LearnAction::spam);
}
inline LearnJob ham_job(std::uint64_t number) {
    return job_of(number, LearnAction::ham);
}

}  // namespace postern::learning

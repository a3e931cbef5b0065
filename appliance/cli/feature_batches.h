// Messages from a source as feature vectors, made on all cores, in the source's order.
#pragma once

#include "filters/feature_vector.h"
#include "gateway/mailsource/mail_source.h"
#include "gateway/scan/scanner.h"

#include <cstddef>
#include <string>
#include <vector>

namespace postern::cli {

inline constexpr std::size_t batch_messages = 256;
inline constexpr std::size_t batch_message_bytes = 64 * 1024 * 1024;  // a batch ends after so much

struct Extracted {
    std::string name;
    std::string problem;  // not empty: there are no features
    filters::FeatureVector features;
    double rules_score = 0;
    double modest_score = 0;  // see filters/pipeline/learned.h
};

// For each item, in order. With a judge, the scores are what rules and checks say of those
// messages that `judged` picks.
using Pick = bool (*)(const filters::FeatureVector&);
std::vector<Extracted> features_of(std::vector<mailsource::Item> items,
                                   const scan::Scanner* judge = nullptr, Pick judged = nullptr);

// The next batch; empty at the end of the source.
std::vector<Extracted> next_batch(mailsource::MailSource& source);

}  // namespace postern::cli

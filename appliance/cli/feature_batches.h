// Messages from a source as feature vectors, made on all cores, in the source's order.
#pragma once

#include "filters/feature_vector.h"
#include "gateway/mailsource/mail_source.h"

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
};

// The next batch; empty at the end of the source.
std::vector<Extracted> next_batch(mailsource::MailSource& source);

}  // namespace postern::cli

// Features of a message: what the models learn and score. One pass over at most max_scanned_bytes.
//
// The same message gives the same features when it is scanned at reception and when it is learned
// later from the store: the headers that a gateway adds (trace, verdict) are left out of them and
// of the digest.
#pragma once

#include "filters/feature_vector.h"
#include "filters/input.h"

#include <string>
#include <vector>

namespace postern::filters {

struct Features {
    FeatureVector vector;
    std::vector<std::string> names;  // of vector.hashes, same order; empty unless asked for
};

enum class Names : bool { left_out, kept };

// Thread-safe: no state but its arguments.
Features extract(const ScanInput& input, Names names = Names::left_out);

}  // namespace postern::filters

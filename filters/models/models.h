// The learned state: what was seen in ham and in spam. Memory only: saving, the durable learn log
// and the command line are the gateway's (gateway/learning).
//
// Thread rule: score from any thread; learn, unlearn and load exclude each other and wait for
// scores.
#pragma once

#include "filters/feature_vector.h"
#include "protocols/base/result.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::filters {

enum class Class : std::uint8_t { ham, spam };

struct ModelScore {
    double probability = 0.5;
    double log_odds = 0;  // of the same, finite
    std::uint64_t trained_ham = 0;
    std::uint64_t trained_spam = 0;
    // Features that moved it most, as (index into FeatureVector::hashes, its own spam probability).
    std::vector<std::pair<std::size_t, double>> strongest;
};

struct ModelStats {
    std::uint64_t ham = 0, spam = 0;  // messages learned
    std::uint64_t features = 0;       // distinct ones held
    std::uint64_t bytes = 0;          // memory in use
};

class Models {
public:
    virtual ~Models() = default;
    virtual ModelScore score(const FeatureVector& features) const = 0;
    // Learning a message again as the same class changes nothing (false); as the other class
    // relearns it.
    virtual bool learn(const FeatureVector& features, Class as) = 0;
    // False when that message was never learned.
    virtual bool unlearn(const FeatureVector& features) = 0;
    virtual ModelStats stats() const = 0;
    // A self-contained, checksummed, versioned image. load replaces everything. Errors: corrupt,
    // unsupported.
    virtual std::string save() const = 0;
    virtual Result<void> load(std::string_view image) = 0;
};

std::shared_ptr<Models> make_models(std::uint64_t max_bytes);

}  // namespace postern::filters

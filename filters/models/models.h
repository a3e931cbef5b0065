// The learned state: what was seen in ham and in spam. Memory only: saving, the durable learn log
// and the command line are the gateway's (gateway/learning).
//
// Beside what the site taught there may be a prior: a model made elsewhere (an import, the starter
// model), fixed, which the site's own mail overrules as it comes.
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
#include <vector>

namespace postern::filters {

enum class Class : std::uint8_t { ham, spam };

// How much one feature moved a score.
struct FeatureShare {
    std::size_t index = 0;  // into FeatureVector::hashes
    double share = 0;       // what it added to log_odds
    std::uint32_t ham = 0;  // messages of each class that it was seen in
    std::uint32_t spam = 0;
};

// from_head + from_prior + rest + all shares of `strongest` are log_odds.
struct ModelScore {
    double probability = 0.5;
    double log_odds = 0;  // of the same, finite
    std::uint64_t trained_ham = 0;
    std::uint64_t trained_spam = 0;
    std::size_t known = 0;                // features of the message that were seen before
    std::vector<FeatureShare> strongest;  // in both directions, the largest first
    double from_head = 0;                 // byte patterns of the head
    double from_prior = 0;
    double rest = 0;              // all other features
    std::uint64_t prior_ham = 0;  // messages that the prior stands on; 0: there is none
    std::uint64_t prior_spam = 0;
};

struct ModelStats {
    std::uint64_t ham = 0, spam = 0;              // messages learned
    std::uint64_t features = 0;                   // distinct ones held
    std::uint64_t bytes = 0;                      // memory held, used or not
    std::uint64_t prior_ham = 0, prior_spam = 0;  // messages behind the prior
};

class Models {
public:
    virtual ~Models() = default;
    virtual ModelScore score(const FeatureVector& features) const = 0;
    // Learning a message again as the same class changes nothing (false); as the other class
    // relearns it.
    virtual bool learn(const FeatureVector& features, Class as) = 0;
    // Takes away exactly what learning that message added, apart from evidence that aged out
    // meanwhile. False when it was never learned.
    virtual bool unlearn(const FeatureVector& features) = 0;
    virtual ModelStats stats() const = 0;
    // A self-contained, checksummed, versioned image. load replaces everything. Errors: corrupt,
    // unsupported.
    virtual std::string save() const = 0;
    virtual Result<void> load(std::string_view image) = 0;
    // Makes an image of another model the prior; what was learned here stays. Errors: as load.
    virtual Result<void> set_prior(std::string_view image) = 0;
};

// Models that stay below max_bytes whatever they learn; below min_model_bytes counts as that much.
// The memory is taken as it is used.
inline constexpr std::uint64_t min_model_bytes = 16ull * 1024 * 1024;
std::shared_ptr<Models> make_models(std::uint64_t max_bytes);

}  // namespace postern::filters

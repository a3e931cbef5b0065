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

#include <algorithm>
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

// How much the word of a model counts, 0 to 1. With half_weight_messages of the rarer class it
// counts half: mail unlike anything learned must not be called spam by a few chance likenesses.
// Likewise for a message of which half_weight_features are known: a line of text says little.
inline constexpr double half_weight_messages = 40;
inline constexpr double half_weight_features = 25;
// A prior's word for ham counts so much of what its word for spam does: a filter that knows little
// leaves mail where it is anyway, so that such a word rescues hardly anything and hides spam.
inline constexpr double prior_word_for_ham = 0.5;
double voice_of(std::uint64_t ham, std::uint64_t spam, std::size_t known_features);

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
    double own_voice = 0;    // of what was learned here
    double prior_voice = 0;  // of the prior: less for mail unlike the prior's, less where it erred
    // How much the prior's part counts, 0 to 1. It is heard at least as well as the models that
    // learned how far to trust it.
    double heard_of_prior() const {
        return std::max(own_voice, prior_voice) * (from_prior < 0 ? prior_word_for_ham : 1);
    }
    // What is to be believed: each part of log_odds times its voice.
    double voiced() const {
        return own_voice * (log_odds - from_prior) + heard_of_prior() * from_prior;
    }
};

struct ModelStats {
    std::uint64_t ham = 0, spam = 0;              // messages learned
    std::uint64_t features = 0;                   // distinct ones held
    std::uint64_t bytes = 0;                      // memory held, used or not
    std::uint64_t prior_ham = 0, prior_spam = 0;  // messages behind the prior
    std::uint64_t max_features = 0;               // room for so many
    std::uint64_t prior_features = 0;
    double prior_trust = 0;  // 0 to 1: how well the prior foretold what was learned here
};

enum class Shares : bool { left_out, kept };  // ModelScore::strongest; `rest` has them else

// What a dump of another filter says of one feature.
struct CountedFeature {
    std::uint64_t hash = 0;
    std::uint32_t ham = 0;
    std::uint32_t spam = 0;
};
struct Counts {
    std::uint64_t ham = 0, spam = 0;  // messages behind them
    std::vector<CountedFeature> features;
    std::uint64_t identity = 0;  // of the dump; not 0
};

// Of log-odds, for each message learned.
inline constexpr double max_rehearsal_drift = 0.5;

class Layers;  // filters/models/layers.h

class Models {
public:
    virtual ~Models() = default;
    // What single users taught. Kept apart: not in the images below, and locked by itself.
    virtual Layers& layers() = 0;
    virtual const Layers& layers() const = 0;
    virtual ModelScore score(const FeatureVector& features, Shares shares = Shares::kept) const = 0;
    // What score is about to read, for extract.
    virtual ModelPlaces places() const = 0;
    // Learning a message again as the same class changes nothing (false); as the other class
    // relearns it.
    virtual bool learn(const FeatureVector& features, Class as) = 0;
    // Takes away exactly what learning that message added, apart from evidence that aged out
    // meanwhile. False when it was never learned. Learning it also made the models go over two
    // messages again that they knew, which stays: scores of mail unlike those two are back but for
    // max_rehearsal_drift.
    virtual bool unlearn(const FeatureVector& features) = 0;
    virtual ModelStats stats() const = 0;
    // Whether that message is among those learned, as far as they are remembered.
    virtual bool knows(const FeatureVector& features) const = 0;
    // Adds what another model learned (not its prior): counts are added up, weights are averaged by
    // the messages behind them. The same image again changes nothing (false). Errors: as load.
    virtual Result<bool> merge(std::string_view image) = 0;
    // Adds counts alone. The same dump again changes nothing (false).
    virtual bool add_counts(const Counts& counts) = 0;
    // A self-contained, checksummed, versioned image. load replaces everything. Errors: corrupt,
    // unsupported.
    virtual std::string save() const = 0;
    virtual std::string save_own() const = 0;  // without the prior
    // As save_own, for others: without what tells single messages (which were learned, and those
    // that are remembered), features seen in fewer than two messages, and weights near 0.
    virtual std::string save_compact() const = 0;
    virtual Result<void> load(std::string_view image) = 0;
    // Makes what another model learned the prior; what was learned here stays. Trust in it begins
    // anew unless it is the one that this model last had. An empty image: no prior any more.
    // Errors: as load.
    virtual Result<void> set_prior(std::string_view image) = 0;
};

// Models that stay below max_bytes whatever they learn; below min_model_bytes counts as that much.
// The memory is taken as it is used; three eighths of it are kept for a prior.
inline constexpr std::uint64_t min_model_bytes = 32ull * 1024 * 1024;
inline constexpr std::uint64_t usual_layer_bytes = 16ull * 1024 * 1024;
// layer_bytes: the bound of layers(), beside max_bytes.
std::shared_ptr<Models> make_models(std::uint64_t max_bytes,
                                    std::uint64_t layer_bytes = usual_layer_bytes);

}  // namespace postern::filters

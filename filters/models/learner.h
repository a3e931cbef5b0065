// The learners and how they are combined. Internal to filters/models; not locked.
//
// Five opinions in log-odds: naive Bayes over the features of the envelope and over those of the
// content (the mean of each feature's log-odds, weighted by how far it leans), logistic regression
// over the same two, and logistic regression over the byte 4-grams of the head. They are added up
// with weights that are learned online from the messages as they come (logistic mixing), each
// message scored before it is learned; so the sum is calibrated: at log-odds 0 half is spam.
// A sixth input is the prior: what an imported or shipped model says. How far it is trusted follows
// from whether the site's own messages were better foretold with it or without.
#pragma once

#include "filters/feature_vector.h"
#include "filters/models/feature_odds.h"
#include "filters/models/feature_table.h"
#include "filters/models/models.h"
#include "filters/models/taught_table.h"
#include "protocols/base/result.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace postern::filters {

// A few messages of each class are remembered, above all those that a line was wrong about. Each
// message learned is followed by a step on a remembered one of either class: what is hard to tell
// is seen more than once, and a long run of one class (a folder of ham, then one of spam) does not
// make the lines believe whatever class they saw last. Counts are not touched by that.
inline constexpr std::size_t remembered_messages = 160;  // of each class
// What a line is wrong about tells something once so many of the rarer class were learned.
inline constexpr std::uint64_t lessons_until_hard_shows = 40;
inline constexpr std::size_t remembered_features = 1500;
inline constexpr std::size_t remembered_grams = 1500;
inline constexpr std::uint64_t messages_per_epoch = 4096;
inline constexpr std::uint64_t remembered_bytes =
    2 * remembered_messages * (remembered_features * 8 + remembered_grams * 4 + 128);

class Learner {
public:
    explicit Learner(std::uint64_t max_bytes);

    // prior: log-odds of another model; 0: none. Shares are left out of the answer on request.
    ModelScore score(const FeatureVector& features, double prior, bool shares = true) const;
    bool learn(const FeatureVector& features, Class as, double prior);
    bool unlearn(const FeatureVector& features);
    bool knows(const FeatureVector& features) const;
    FeaturePlaces places() const { return features_.places(); }
    GramPlaces gram_places() const {
        return {reinterpret_cast<const char*>(grams_.begin()), gram_bits_};
    }
    // False: that identity was merged before.
    bool merge(const Learner& other, std::uint64_t identity);
    bool add_counts(const Counts& counts);
    // All that it stands on are counts of single words, from dumps of other filters.
    bool is_counts_only() const { return counted_ > 0 && counted_ == ham_ + spam_; }
    // The share of the content's single words that is known.
    double known_words(const FeatureVector& features) const;

    std::uint64_t ham() const { return ham_; }
    std::uint64_t spam() const { return spam_; }
    ModelStats stats() const;

    // 0 to 1, from how well the prior foretold what was learned since meet_prior.
    double trust_in_prior() const;
    // The prior is another than before: trust in it begins anew.
    void meet_prior(std::uint64_t identity);

    enum class Save : bool { whole, compact };  // see Models::save_compact
    void save(std::string& out, Save what = Save::whole) const;
    // Errors: corrupt. *this is then not to be used.
    Result<void> load(std::string_view image);

private:
    enum Input : std::size_t {
        grams,
        envelope_line,
        content_line,
        envelope_bayes,
        content_bayes,
        from_prior,
        bias
    };
    using Inputs = std::array<double, mixed_inputs>;
    struct Sums {
        double weights[2] = {0, 0};  // envelope, content
        double odds[2] = {0, 0};
        std::size_t features[2] = {0, 0};
        std::size_t known[2] = {0, 0};
        double grams = 0;
    };
    // A feature that is known.
    struct Hit {
        std::uint32_t index = 0;  // of its hash
        std::uint32_t ham = 0;
        std::uint32_t spam = 0;
        std::int32_t weight = 0;
        double odds = 0;  // see feature_odds
    };
    struct Hits {
        std::vector<Hit> places;  // the first `count` are taken
        std::size_t count = 0;
        std::span<Hit> all() { return std::span(places).first(count); }
        std::span<const Hit> all() const { return std::span(places).first(count); }
    };
    // Of the envelope, or of the content.
    static std::size_t section_of(std::uint64_t hash) {
        return (hash & content_feature_bit) != 0 ? 1 : 0;
    }
    void find(const FeatureVector& features, Hits& hits) const;
    // hits: gets the features that are known and what each says.
    Sums sum(const FeatureVector& features, Hits& hits) const;
    // Working memory of the thread for one message at a time.
    static Hits& spare_hits();
    Inputs inputs_of(const Sums& sums, std::size_t grams, double prior) const;
    double mixed(const Inputs& inputs) const;
    void explain(const FeatureVector& features, const Hits& hits, const Sums& sums,
                 const Inputs& inputs, ModelScore& score) const;
    std::int32_t trust_step(const Sums& sums, const Inputs& inputs, bool spam) const;
    void apply(const FeatureVector& features, const Taught& change, int direction);
    void count(const FeatureVector& features, const Taught& change, int direction);
    static bool is_kept(const FeatureSlot& slot, Save what);
    static bool is_kept(std::int32_t gram_weight, Save what);
    void save_features(std::string& out, Save what) const;
    void save_grams(std::string& out, Save what) const;
    void put_gram(std::uint32_t index, std::int32_t weight, unsigned bits);

    struct Lesson {
        Taught change;
        double error = 0;  // of the line that was most wrong, 0 to 1
    };
    Lesson lesson_of(const FeatureVector& features, bool spam, double prior) const;
    void move_weights(const FeatureVector& features, const Taught& change, int direction);
    // nullopt: it is not to be remembered.
    std::optional<std::size_t> place_to_remember(std::uint64_t key, bool spam, double error) const;
    void remember(const FeatureVector& features, std::uint64_t key, bool spam, double error);
    void forget(std::uint64_t key);
    void rehearse(bool spam);
    void save_remembered(std::string& out, Save what) const;
    bool load_remembered(std::string_view& image);

    void merge_counts(const Learner& other, double share);
    void merge_grams(const Learner& other, double share);
    std::size_t gram_index(std::uint32_t gram) const;

    FeatureTable features_;
    LargeArray<std::int32_t> grams_;  // a power of two
    unsigned gram_bits_;
    TaughtTable taught_;
    std::array<std::int32_t, mixed_inputs> mix_;  // in weight_unit
    std::int32_t trust_ = 0;                      // in weight_unit: log-odds, beside first_trust
    std::uint64_t prior_identity_ = 0;
    std::uint64_t counted_ = 0;  // messages behind add_counts
    std::uint64_t ham_ = 0;
    std::uint64_t spam_ = 0;
    std::uint32_t number_ = 0;  // messages learned ever
    std::uint64_t bytes_ = 0;
    struct Remembered {
        std::uint64_t key = 0;
        FeatureVector features;
    };
    std::array<std::vector<Remembered>, 2> remembered_;  // ham, spam
    std::array<std::uint64_t, 2> rehearsed_{};
};

}  // namespace postern::filters

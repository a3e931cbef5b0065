#include "filters/models/models.h"

#include "filters/models/image_format.h"
#include "filters/models/layers.h"
#include "filters/models/learner.h"
#include "protocols/base/hash.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <shared_mutex>

namespace postern::filters {

namespace {

// "PSTNLRN2", size of the learner's part, size of the prior's (0: none), the parts, XXH3 of all
// that.
constexpr std::string_view image_magic = "PSTNLRN2";
constexpr std::size_t image_head = 8 + 2 * 8;

std::uint64_t number_at(std::string_view in, std::size_t at) {
    std::uint64_t value = 0;
    std::memcpy(&value, in.data() + at, sizeof value);
    return value;
}

struct Parts {
    std::string_view own;
    std::string_view prior;
};

Result<Parts> take_apart(std::string_view image) {
    if (!image.starts_with(image_magic)) {
        return Error{Errc::unsupported, "not a model image, or one of another version"};
    }
    if (image.size() < image_head + checksum_bytes) {
        return Error{Errc::corrupt, "model image: too short"};
    }
    const std::string_view checked = image.substr(0, image.size() - checksum_bytes);
    if (hash64(checked) != number_at(image, checked.size())) {
        return Error{Errc::corrupt, "model image: the checksum does not match"};
    }
    const std::uint64_t own = number_at(image, 8);
    const std::uint64_t prior = number_at(image, 16);
    const std::uint64_t room = checked.size() - image_head;
    if (own > room || prior != room - own) {
        return Error{Errc::corrupt, "model image: the length does not match"};
    }
    return Parts{image.substr(image_head, own), image.substr(image_head + own, prior)};
}

// How far a message is like the prior's mail, from the share of its features that the prior has
// seen. Where prior and stream are of one site the median share is 0.8, of different sites 0.4
// (public corpora of three sources): what a prior says of the latter is a guess.
constexpr double unlike_share = 0.3;
constexpr double alike_share = 0.65;
constexpr double unlike_words = 0.65;  // the same of single words, for dumps of other filters
constexpr double alike_words = 0.9;
constexpr double max_prior_odds = 8;

struct Opinion {
    double log_odds = 0;
    double voice = 0;
};

class LearningModels final : public Models {
public:
    LearningModels(std::uint64_t max_bytes, std::uint64_t layer_bytes)
        : max_bytes_(std::max(max_bytes, min_model_bytes)),
          own_(make_own()),
          layers_(layer_bytes) {}

    Layers& layers() override { return layers_; }
    const Layers& layers() const override { return layers_; }

    ModelScore score(const FeatureVector& features, Shares shares) const override {
        std::shared_lock lock(mutex_);
        if (!prior_) return own_->score(features, 0, shares == Shares::kept);
        const double trust = own_->trust_in_prior();
        const Opinion prior = opinion(features);
        ModelScore score = own_->score(features, trust * prior.log_odds, shares == Shares::kept);
        score.prior_ham = prior_->ham();
        score.prior_spam = prior_->spam();
        score.prior_voice = trust * prior.voice;
        return score;
    }

    ModelPlaces places() const override {
        std::shared_lock lock(mutex_);
        ModelPlaces places{own_->places(), {}, own_->gram_places(), {}};
        if (prior_) {
            places.prior = prior_->places();
            places.prior_grams = prior_->gram_places();
        }
        return places;
    }

    bool learn(const FeatureVector& features, Class as) override {
        std::unique_lock lock(mutex_);
        return own_->learn(features, as, prior_ ? opinion(features).log_odds : 0);
    }

    bool unlearn(const FeatureVector& features) override {
        std::unique_lock lock(mutex_);
        return own_->unlearn(features);
    }

    ModelStats stats() const override {
        std::shared_lock lock(mutex_);
        ModelStats stats = own_->stats();
        if (prior_) {
            const ModelStats prior = prior_->stats();
            stats.bytes += prior.bytes;
            stats.prior_ham = prior.ham;
            stats.prior_spam = prior.spam;
            stats.prior_features = prior.features;
            stats.prior_trust = own_->trust_in_prior();
        }
        return stats;
    }

    bool knows(const FeatureVector& features) const override {
        std::shared_lock lock(mutex_);
        return own_->knows(features);
    }

    Result<bool> merge(std::string_view image) override {
        auto other = read_learner(image, make_own());
        if (!other) return other.error();
        std::unique_lock lock(mutex_);
        return own_->merge(**other, hash64(image));
    }

    bool add_counts(const Counts& counts) override {
        std::unique_lock lock(mutex_);
        return own_->add_counts(counts);
    }

    std::string save() const override {
        std::shared_lock lock(mutex_);
        return image_of(prior_.get());
    }

    std::string save_own() const override {
        std::shared_lock lock(mutex_);
        return image_of(nullptr);
    }

    std::string save_compact() const override {
        std::shared_lock lock(mutex_);
        return image_of(nullptr, Learner::Save::compact);
    }

    Result<void> load(std::string_view image) override {
        const auto parts = take_apart(image);
        if (!parts) return parts.error();
        auto own = make_own();
        if (auto loaded = own->load(parts->own); !loaded) return loaded;
        std::unique_ptr<Learner> prior;
        if (!parts->prior.empty()) {
            prior = make_prior();
            if (auto loaded = prior->load(parts->prior); !loaded) return loaded;
        }
        std::unique_lock lock(mutex_);
        own_ = std::move(own);
        prior_ = std::move(prior);
        return {};
    }

    Result<void> set_prior(std::string_view image) override {
        std::unique_ptr<Learner> prior;
        if (!image.empty()) {
            auto read = read_learner(image, make_prior());
            if (!read) return read.error();
            prior = std::move(*read);
        }
        std::unique_lock lock(mutex_);
        if (prior) own_->meet_prior(hash64(image));
        prior_ = std::move(prior);
        return {};
    }

private:
    std::unique_ptr<Learner> make_own() const {
        return std::make_unique<Learner>(max_bytes_ / 8 * 5);
    }
    std::unique_ptr<Learner> make_prior() const {
        return std::make_unique<Learner>(max_bytes_ / 8 * 3);
    }
    static Result<std::unique_ptr<Learner>> read_learner(std::string_view image,
                                                         std::unique_ptr<Learner> into) {
        const auto parts = take_apart(image);
        if (!parts) return parts.error();
        if (auto loaded = into->load(parts->own); !loaded) return loaded.error();
        return into;
    }
    std::string image_of(const Learner* prior_learner,
                         Learner::Save save = Learner::Save::whole) const {
        std::string out(image_head, '\0');
        own_->save(out, save);
        const std::uint64_t own = out.size() - image_head;
        if (prior_learner != nullptr) prior_learner->save(out);
        const std::uint64_t prior = out.size() - image_head - own;
        std::string head(image_magic);
        put_number(head, own);
        put_number(head, prior);
        std::copy(head.begin(), head.end(), out.begin());
        put_number(out, hash64(out));
        return out;
    }
    Opinion opinion(const FeatureVector& features) const {
        const ModelScore score = prior_->score(features, 0, false);
        const auto all = static_cast<double>(std::max<std::size_t>(features.hashes.size(), 1));
        const auto between = [](double share, double unlike, double alike) {
            return std::clamp((share - unlike) / (alike - unlike), 0.0, 1.0);
        };
        const double likeness =
            prior_->is_counts_only()
                ? between(prior_->known_words(features), unlike_words, alike_words)
                : between(static_cast<double>(score.known) / all, unlike_share, alike_share);
        return {likeness * std::clamp(score.log_odds, -max_prior_odds, max_prior_odds),
                likeness * score.own_voice};
    }

    mutable std::shared_mutex mutex_;
    const std::uint64_t max_bytes_;
    std::unique_ptr<Learner> own_;
    std::unique_ptr<Learner> prior_;
    Layers layers_;
};

}  // namespace

double voice_of(std::uint64_t ham, std::uint64_t spam, std::size_t known_features) {
    const auto messages = static_cast<double>(std::min(ham, spam));
    const auto known = static_cast<double>(known_features);
    return messages / (messages + half_weight_messages) * known / (known + half_weight_features);
}

std::shared_ptr<Models> make_models(std::uint64_t max_bytes, std::uint64_t layer_bytes) {
    return std::make_shared<LearningModels>(max_bytes, layer_bytes);
}

}  // namespace postern::filters

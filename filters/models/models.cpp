#include "filters/models/models.h"

#include "filters/models/learner.h"
#include "protocols/base/hash.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <shared_mutex>

namespace postern::filters {

namespace {

// "PSTNLRN1", size of the learner's part, size of the prior's (0: none), the parts, XXH3 of all
// that.
constexpr std::string_view image_magic = "PSTNLRN1";
constexpr std::size_t image_head = 8 + 2 * 8;
constexpr std::size_t checksum_bytes = 8;

void put_number(std::string& out, std::uint64_t value) {
    out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

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

class LearningModels final : public Models {
public:
    explicit LearningModels(std::uint64_t max_bytes)
        : max_bytes_(std::max(max_bytes, min_model_bytes)),
          own_(std::make_unique<Learner>(max_bytes_)) {}

    ModelScore score(const FeatureVector& features) const override {
        std::shared_lock lock(mutex_);
        ModelScore score = own_->score(features, prior_odds(features));
        if (prior_) {
            score.prior_ham = prior_->ham();
            score.prior_spam = prior_->spam();
        }
        return score;
    }

    bool learn(const FeatureVector& features, Class as) override {
        std::unique_lock lock(mutex_);
        return own_->learn(features, as, prior_odds(features));
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
        }
        return stats;
    }

    std::string save() const override {
        std::shared_lock lock(mutex_);
        std::string out(image_head, '\0');
        own_->save(out);
        const std::uint64_t own = out.size() - image_head;
        if (prior_) prior_->save(out);
        const std::uint64_t prior = out.size() - image_head - own;
        std::string head(image_magic);
        put_number(head, own);
        put_number(head, prior);
        std::copy(head.begin(), head.end(), out.begin());
        put_number(out, hash64(out));
        return out;
    }

    Result<void> load(std::string_view image) override {
        const auto parts = take_apart(image);
        if (!parts) return parts.error();
        auto own = std::make_unique<Learner>(max_bytes_);
        if (auto loaded = own->load(parts->own); !loaded) return loaded;
        std::unique_ptr<Learner> prior;
        if (!parts->prior.empty()) {
            prior = std::make_unique<Learner>(prior_bytes());
            if (auto loaded = prior->load(parts->prior); !loaded) return loaded;
        }
        std::unique_lock lock(mutex_);
        own_ = std::move(own);
        prior_ = std::move(prior);
        return {};
    }

    Result<void> set_prior(std::string_view image) override {
        const auto parts = take_apart(image);
        if (!parts) return parts.error();
        auto prior = std::make_unique<Learner>(prior_bytes());
        if (auto loaded = prior->load(parts->own); !loaded) return loaded;
        std::unique_lock lock(mutex_);
        prior_ = std::move(prior);
        return {};
    }

private:
    std::uint64_t prior_bytes() const { return std::max(max_bytes_ / 2, min_model_bytes); }
    double prior_odds(const FeatureVector& features) const {
        return prior_ ? prior_->score(features, 0).log_odds : 0;
    }

    mutable std::shared_mutex mutex_;
    const std::uint64_t max_bytes_;
    std::unique_ptr<Learner> own_;
    std::unique_ptr<Learner> prior_;
};

}  // namespace

std::shared_ptr<Models> make_models(std::uint64_t max_bytes) {
    return std::make_shared<LearningModels>(max_bytes);
}

}  // namespace postern::filters

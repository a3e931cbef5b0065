#include "filters/models/models.h"

#include "protocols/base/hash.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

namespace postern::filters {

namespace {

struct Counts {
    std::uint32_t ham = 0;
    std::uint32_t spam = 0;
};

class CountingModels final : public Models {
public:
    explicit CountingModels(std::uint64_t max_bytes) : max_features_held_(max_bytes / 64) {}

    ModelScore score(const FeatureVector& features) const override {
        std::shared_lock lock(mutex_);
        ModelScore result;
        result.trained_ham = ham_;
        result.trained_spam = spam_;
        if (ham_ == 0 || spam_ == 0) return result;
        std::vector<std::pair<std::size_t, double>> all;
        double sum = 0;
        for (std::size_t i = 0; i < features.hashes.size(); ++i) {
            const auto found = counts_.find(features.hashes[i]);
            if (found == counts_.end()) continue;
            const double spam = (found->second.spam + 0.1) / (spam_ + 0.2);
            const double ham = (found->second.ham + 0.1) / (ham_ + 0.2);
            sum += std::log(spam / ham);
            all.emplace_back(i, spam / (spam + ham));
        }
        result.log_odds = all.empty() ? 0 : sum / std::sqrt(static_cast<double>(all.size()));
        result.probability = 1 / (1 + std::exp(-result.log_odds));
        std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
            return std::abs(a.second - 0.5) > std::abs(b.second - 0.5);
        });
        if (all.size() > 10) all.resize(10);
        result.strongest = std::move(all);
        return result;
    }

    bool learn(const FeatureVector& features, Class as) override {
        std::unique_lock lock(mutex_);
        const auto known = learned_.find(features.digest);
        if (known != learned_.end()) {
            if (known->second == as) return false;
            count(features, known->second, -1);
        }
        learned_[features.digest] = as;
        count(features, as, 1);
        return true;
    }

    bool unlearn(const FeatureVector& features) override {
        std::unique_lock lock(mutex_);
        const auto known = learned_.find(features.digest);
        if (known == learned_.end()) return false;
        count(features, known->second, -1);
        learned_.erase(known);
        return true;
    }

    ModelStats stats() const override {
        std::shared_lock lock(mutex_);
        return {ham_, spam_, counts_.size(), counts_.size() * 64};
    }

    std::string save() const override {
        std::shared_lock lock(mutex_);
        std::string out = "PM0";
        put(out, counts_.size());
        put(out, learned_.size());
        for (const auto& [hash, counts] : counts_) {
            put(out, hash);
            put(out, std::uint64_t{counts.ham} << 32 | counts.spam);
        }
        for (const auto& [digest, as] : learned_) {
            out.append(reinterpret_cast<const char*>(digest.bytes.data()), 16);
            put(out, static_cast<std::uint64_t>(as));
        }
        put(out, hash64(out));
        return out;
    }

    Result<void> load(std::string_view image) override {
        std::unique_lock lock(mutex_);
        if (image.size() < 27 || image.substr(0, 3) != "PM0") {
            return Error{Errc::unsupported, "not a model image"};
        }
        if (get(image, image.size() - 8) != hash64(image.substr(0, image.size() - 8))) {
            return Error{Errc::corrupt, "model image: the checksum does not match"};
        }
        const std::uint64_t features = get(image, 3);
        const std::uint64_t messages = get(image, 11);
        if (image.size() != 27 + features * 16 + messages * 24) {
            return Error{Errc::corrupt, "model image: the length does not match"};
        }
        counts_.clear();
        learned_.clear();
        ham_ = spam_ = 0;
        std::size_t at = 19;
        for (std::uint64_t i = 0; i < features; ++i, at += 16) {
            const std::uint64_t counts = get(image, at + 8);
            counts_[get(image, at)] = {static_cast<std::uint32_t>(counts >> 32),
                                       static_cast<std::uint32_t>(counts)};
        }
        for (std::uint64_t i = 0; i < messages; ++i, at += 24) {
            Id128 digest;
            std::copy_n(image.begin() + static_cast<std::ptrdiff_t>(at), 16, digest.bytes.begin());
            const Class as = get(image, at + 16) == 0 ? Class::ham : Class::spam;
            learned_[digest] = as;
            (as == Class::spam ? spam_ : ham_) += 1;
        }
        return {};
    }

private:
    static void put(std::string& out, std::uint64_t value) {
        for (int i = 0; i < 8; ++i) out += static_cast<char>(value >> (8 * i));
    }
    static std::uint64_t get(std::string_view in, std::size_t at) {
        std::uint64_t value = 0;
        for (std::size_t i = 0; i < 8; ++i) {
            value |= std::uint64_t{static_cast<unsigned char>(in[at + i])} << (8 * i);
        }
        return value;
    }
    void count(const FeatureVector& features, Class as, int by) {
        (as == Class::spam ? spam_ : ham_) += by;
        for (std::uint64_t hash : features.hashes) {
            auto found = counts_.find(hash);
            if (found == counts_.end()) {
                if (by < 0 || counts_.size() >= max_features_held_) continue;
                found = counts_.emplace(hash, Counts{}).first;
            }
            (as == Class::spam ? found->second.spam : found->second.ham) += by;
            if (found->second.ham == 0 && found->second.spam == 0) counts_.erase(found);
        }
    }

    mutable std::shared_mutex mutex_;
    std::uint64_t max_features_held_;
    std::uint64_t ham_ = 0;
    std::uint64_t spam_ = 0;
    std::unordered_map<std::uint64_t, Counts> counts_;
    std::map<Id128, Class> learned_;
};

}  // namespace

std::shared_ptr<Models> make_models(std::uint64_t max_bytes) {
    return std::make_shared<CountingModels>(max_bytes);
}

}  // namespace postern::filters

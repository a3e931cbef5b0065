// The part of Learner that remembers messages and goes over them again.
#include "filters/models/learner.h"

#include <algorithm>
#include <cstring>

namespace postern::filters {

namespace {

constexpr double remembered_error = 0.5;  // a line that is more wrong than that decides wrongly
// Some of the others, so that what goes well is not forgotten: of `remembered_of` that many.
constexpr std::uint64_t remembered_easy = 4;
constexpr std::uint64_t remembered_of = 16;
constexpr std::size_t first_remembered = 20;  // until then all
constexpr std::size_t unused_words = 2;

// Every n-th item, so that at most `limit` stay.
template <class T>
std::vector<T> thinned(const std::vector<T>& items, std::size_t limit) {
    const std::size_t every = (items.size() + limit - 1) / limit;
    if (every <= 1) return items;
    std::vector<T> kept;
    for (std::size_t i = 0; i < items.size(); i += every) kept.push_back(items[i]);
    return kept;
}

template <class T>
bool take(std::string_view& bytes, T& value) {
    if (bytes.size() < sizeof value) return false;
    std::memcpy(&value, bytes.data(), sizeof value);
    bytes.remove_prefix(sizeof value);
    return true;
}

template <class T>
void put(std::string& out, const T& value) {
    out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

}  // namespace

// What is hard to tell shows only where both classes are known: in a folder of ham that comes
// before any spam each message looks easy. Until then any message is as good as another.
std::optional<std::size_t> Learner::place_to_remember(std::uint64_t key, bool spam,
                                                      double error) const {
    const std::size_t count = remembered_[spam ? 1 : 0].size();
    const bool is_full = count >= remembered_messages;
    if (std::min(ham_, spam_) < lessons_until_hard_shows) {
        const auto place = static_cast<std::size_t>(key % (spam ? spam_ : ham_));
        if (!is_full) return count;
        return place < remembered_messages ? std::optional(place) : std::nullopt;
    }
    const bool is_easy = error < remembered_error && key % remembered_of >= remembered_easy;
    if (is_easy && count >= first_remembered) return std::nullopt;
    if (!is_full) return count;
    // Any of them gives way: by chance, but the same in every run.
    return static_cast<std::size_t>(key / remembered_of % remembered_messages);
}

void Learner::remember(const FeatureVector& features, std::uint64_t key, bool spam,
                       double error) {
    const std::optional<std::size_t> place = place_to_remember(key, spam, error);
    if (!place) return;
    std::vector<Remembered>& memory = remembered_[spam ? 1 : 0];
    if (*place == memory.size()) memory.emplace_back();
    Remembered& entry = memory[*place];
    entry.key = key;
    entry.features = FeatureVector{};
    entry.features.hashes = thinned(features.hashes, remembered_features);
    entry.features.grams = thinned(features.grams, remembered_grams);
}

void Learner::forget(std::uint64_t key) {
    for (auto& memory : remembered_) {
        std::erase_if(memory, [key](const Remembered& each) { return each.key == key; });
    }
}

void Learner::rehearse(bool spam) {
    const std::vector<Remembered>& memory = remembered_[spam ? 1 : 0];
    if (memory.empty()) return;
    const FeatureVector& features = memory[rehearsed_[spam ? 1 : 0]++ % memory.size()].features;
    move_weights(features, lesson_of(features, spam, 0).change, 1);
}

// Two words that nothing needs any more; then for each class: rehearsed, count, and of each message
// its key, size and vector.
void Learner::save_remembered(std::string& out, Save what) const {
    for (std::size_t i = 0; i < unused_words; ++i) put(out, std::uint64_t{0});
    for (std::size_t i = 0; i < remembered_.size(); ++i) {
        put(out, rehearsed_[i]);
        if (what == Save::compact) {
            put(out, std::uint64_t{0});
            continue;
        }
        put(out, static_cast<std::uint64_t>(remembered_[i].size()));
        for (const Remembered& each : remembered_[i]) {
            const std::string bytes = each.features.encode();
            put(out, each.key);
            put(out, static_cast<std::uint64_t>(bytes.size()));
            out += bytes;
        }
    }
}

bool Learner::load_remembered(std::string_view& image) {
    std::uint64_t unused = 0;
    for (std::size_t i = 0; i < unused_words; ++i) {
        if (!take(image, unused)) return false;
    }
    for (std::size_t i = 0; i < remembered_.size(); ++i) {
        std::uint64_t count = 0;
        if (!take(image, rehearsed_[i]) || !take(image, count)) return false;
        if (count > remembered_messages) return false;
        for (std::uint64_t k = 0; k < count; ++k) {
            Remembered entry;
            std::uint64_t size = 0;
            if (!take(image, entry.key) || !take(image, size) || size > image.size()) return false;
            auto features = FeatureVector::decode(image.substr(0, static_cast<std::size_t>(size)));
            if (!features || features->hashes.size() > remembered_features ||
                features->grams.size() > remembered_grams) {
                return false;
            }
            entry.features = std::move(*features);
            remembered_[i].push_back(std::move(entry));
            image.remove_prefix(static_cast<std::size_t>(size));
        }
    }
    return true;
}

}  // namespace postern::filters

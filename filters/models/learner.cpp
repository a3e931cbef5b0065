#include "filters/models/learner.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace postern::filters {

namespace {

// Chosen on the SpamAssassin public corpus in several orders, and flat around: a factor of two
// changes little.
constexpr double line_rate = 10;
constexpr double line_margin = 0.1;  // nothing is learned from what is that sure already
constexpr double gram_rate = 8;
constexpr double gram_margin = 0.2;
constexpr double odds_scale = 6;
constexpr double max_input = 8;
constexpr double mix_rate = 0.01;
constexpr double first_mix = 0.27;
constexpr double first_prior_mix = 0.6;
constexpr double bias_input = 0.3;
constexpr double first_trust = 1.5;   // log-odds that a prior is worth hearing
constexpr double max_trust_step = 2;  // one message is not the end of it
constexpr std::size_t lookahead = 48;  // slots that are fetched before they are read

double probability_of(double log_odds) {
    return 1 / (1 + std::exp(-log_odds));
}

double bounded(double value) {
    return std::clamp(value, -max_input, max_input);
}

double root(std::size_t count) {
    return std::sqrt(static_cast<double>(std::max<std::size_t>(count, 1)));
}

std::int32_t to_units(double value) {
    return static_cast<std::int32_t>(std::lround(value / weight_unit));
}

std::int32_t added(std::int32_t a, std::int32_t b, int direction) {
    // Wraps instead of overflowing: what is taken away later must fit exactly.
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(a) +
                                     static_cast<std::uint32_t>(direction) *
                                         static_cast<std::uint32_t>(b));
}

// Spread evenly, whatever made the digest: records are placed by it.
std::uint64_t key_of(const Id128& digest) {
    std::uint64_t halves[2] = {};
    std::memcpy(halves, digest.bytes.data(), sizeof halves);
    std::uint64_t key = (halves[0] ^ halves[1] * 0x9E3779B97F4A7C15ull) * 0xD6E8FEB86659FD93ull;
    key = (key ^ key >> 32) * 0xD6E8FEB86659FD93ull;
    key ^= key >> 32;
    return key == 0 ? 1 : key;
}

// How far one message moves weights whose inputs are 1 / root.
std::int32_t step_for(double score, bool spam, double rate, double margin, double root_of_count) {
    const double error = (spam ? 1 : 0) - probability_of(score);
    return std::abs(error) < margin ? 0 : to_units(rate * error / root_of_count);
}

std::size_t floor_power(std::uint64_t value) {
    return static_cast<std::size_t>(std::bit_floor(std::max<std::uint64_t>(value, 1)));
}

}  // namespace

// An eighth for which messages were learned, a sixteenth for the grams, the rest for features.
Learner::Learner(std::uint64_t max_bytes)
    : features_(static_cast<std::size_t>(
          (std::max(max_bytes / 16 * 13, remembered_bytes) - remembered_bytes) /
          sizeof(FeatureBucket))),
      grams_(floor_power(max_bytes / 16 / sizeof(std::int32_t))),
      gram_bits_(static_cast<unsigned>(std::bit_width(grams_.size()) - 1)),
      taught_(static_cast<std::size_t>(max_bytes / 8 / sizeof(Taught))) {
    mix_.fill(to_units(first_mix));
    mix_[from_prior] = to_units(first_prior_mix);
    mix_[bias] = 0;
    bytes_ = features_.bucket_count() * sizeof(FeatureBucket) +
             grams_.size() * sizeof(std::int32_t) + taught_.records().size() * sizeof(Taught) +
             remembered_bytes;
}

std::size_t Learner::gram_index(std::uint32_t gram) const {
    return GramPlaces::place_of(gram, gram_bits_);
}

Learner::Hits& Learner::spare_hits() {
    thread_local Hits hits;
    return hits;
}

// Each goes to the place after the last one taken, which it takes if it is known: no branch on what
// nobody can foretell.
void Learner::find(const FeatureVector& features, Hits& hits) const {
    const std::size_t count = features.hashes.size();
    const std::uint64_t* hashes = features.hashes.data();
    if (hits.places.size() <= count) hits.places.resize(count + 1);
    Hit* places = hits.places.data();
    std::size_t known = 0;
    for (std::size_t i = 0; i < std::min(lookahead, count); ++i) features_.prefetch(hashes[i]);
    for (std::size_t i = 0; i < count; ++i) {
        if (i + lookahead < count) features_.prefetch(hashes[i + lookahead]);
        const FeatureTable::Found found = features_.look_up(hashes[i]);
        places[known] = {static_cast<std::uint32_t>(i), found.slot.ham, found.slot.spam,
                         found.slot.weight, 0};
        known += found.known ? 1 : 0;
    }
    hits.count = known;
}

Learner::Sums Learner::sum(const FeatureVector& features, Hits& hits) const {
    find(features, hits);
    Sums sums;
    for (const std::uint64_t hash : features.hashes) sums.features[1] += section_of(hash);
    sums.features[0] = features.hashes.size() - sums.features[1];
    const bool both = ham_ > 0 && spam_ > 0;
    thread_local OddsMemo memo;
    OddsMemo::Of& odds = memo.of({ham_, spam_});
    const std::uint64_t* hashes = features.hashes.data();
    std::int64_t weights[2] = {0, 0};
    for (Hit& hit : hits.all()) {
        const bool content = section_of(hashes[hit.index]) == 1;
        if (both) hit.odds = odds(hit.ham, hit.spam);
        weights[0] += content ? 0 : hit.weight;
        weights[1] += content ? hit.weight : 0;
        sums.odds[0] += content ? 0 : hit.odds;
        sums.odds[1] += content ? hit.odds : 0;
        sums.known[1] += content ? 1 : 0;
    }
    sums.known[0] = hits.count - sums.known[1];
    for (std::size_t i = 0; i < 2; ++i) sums.weights[i] = static_cast<double>(weights[i]);
    std::int64_t grams_sum = 0;
    for (const std::uint32_t gram : features.grams) grams_sum += grams_[gram_index(gram)];
    sums.grams = static_cast<double>(grams_sum);
    return sums;
}

Learner::Inputs Learner::inputs_of(const Sums& sums, std::size_t gram_count, double prior) const {
    const auto line = [&](std::size_t section) {
        return bounded(sums.weights[section] * weight_unit / root(sums.features[section]));
    };
    const auto odds = [&](std::size_t section) {
        const auto known = static_cast<double>(std::max<std::size_t>(sums.known[section], 1));
        return bounded(odds_scale * sums.odds[section] / known);
    };
    Inputs inputs{};
    inputs[grams] = bounded(sums.grams * weight_unit / root(gram_count));
    inputs[envelope_line] = line(0);
    inputs[content_line] = line(1);
    inputs[envelope_bayes] = odds(0);
    inputs[content_bayes] = odds(1);
    inputs[from_prior] = bounded(prior);
    inputs[bias] = bias_input;
    return inputs;
}

double Learner::mixed(const Inputs& inputs) const {
    double sum = 0;
    for (std::size_t i = 0; i < inputs.size(); ++i) sum += mix_[i] * weight_unit * inputs[i];
    return sum;
}

ModelScore Learner::score(const FeatureVector& features, double prior, bool shares) const {
    ModelScore score;
    score.trained_ham = ham_;
    score.trained_spam = spam_;
    Hits& hits = spare_hits();
    const Sums sums = sum(features, hits);
    score.known = sums.known[0] + sums.known[1];
    score.own_voice = voice_of(ham_, spam_, score.known);
    const Inputs inputs = inputs_of(sums, features.grams.size(), prior);
    score.log_odds = mixed(inputs);
    score.probability = probability_of(score.log_odds);
    score.from_head = mix_[grams] * weight_unit * inputs[grams];
    score.from_prior = mix_[from_prior] * weight_unit * inputs[from_prior];
    score.rest = score.log_odds - score.from_head - score.from_prior;
    if (shares) explain(features, hits, sums, inputs, score);
    return score;
}

void Learner::apply(const FeatureVector& features, const Taught& change, int direction) {
    (change.spam != 0 ? spam_ : ham_) += static_cast<std::uint64_t>(direction);
    if (direction > 0) {
        count(features, change, direction);
        move_weights(features, change, direction);
    } else {
        move_weights(features, change, direction);
        count(features, change, direction);
    }
}

void Learner::move_weights(const FeatureVector& features, const Taught& change, int direction) {
    if (change.envelope_step != 0 || change.content_step != 0) {
        for (const std::uint64_t hash : features.hashes) {
            FeatureSlot* slot = features_.find(hash);
            if (slot == nullptr) continue;  // aged out meanwhile
            const std::int32_t step =
                section_of(hash) == 1 ? change.content_step : change.envelope_step;
            slot->weight = added(slot->weight, step, direction);
        }
    }
    if (change.gram_step != 0) {
        for (const std::uint32_t gram : features.grams) {
            std::int32_t& weight = grams_[gram_index(gram)];
            weight = added(weight, change.gram_step, direction);
        }
    }
    for (std::size_t i = 0; i < mixed_inputs; ++i) {
        mix_[i] = added(mix_[i], change.mix_steps[i], direction);
    }
    trust_ = added(trust_, change.trust_step, direction);
}

void Learner::count(const FeatureVector& features, const Taught& change, int direction) {
    const auto epoch = static_cast<std::uint8_t>(number_ / messages_per_epoch);
    const auto& hashes = features.hashes;
    for (std::size_t i = 0; i < hashes.size(); ++i) {
        if (i + lookahead < hashes.size()) features_.prefetch(hashes[i + lookahead]);
        FeatureSlot* slot =
            direction > 0 ? &features_.at(hashes[i], epoch) : features_.find(hashes[i]);
        if (slot == nullptr) continue;  // aged out meanwhile
        const auto by = static_cast<std::uint32_t>(direction);
        if (direction > 0) slot->epoch = epoch;
        if (change.spam != 0) {
            slot->spam += direction > 0 || slot->spam > 0 ? by : 0;
        } else if (direction > 0 ? slot->ham < max_ham_count : slot->ham > 0) {
            slot->ham = slot->ham + by;
        }
        if (slot->ham == 0 && slot->spam == 0) {
            *slot = FeatureSlot{};
            features_.note_released();
        }
    }
}

Learner::Lesson Learner::lesson_of(const FeatureVector& features, bool spam,
                                   double prior) const {
    const Sums sums = sum(features, spare_hits());
    const Inputs inputs = inputs_of(sums, features.grams.size(), prior);
    const double error = (spam ? 1 : 0) - probability_of(mixed(inputs));
    Lesson lesson;
    Taught& change = lesson.change;
    change.spam = spam ? 1 : 0;
    for (const Input line : {grams, envelope_line, content_line}) {
        lesson.error = std::max(lesson.error, probability_of(spam ? -inputs[line] : inputs[line]));
    }
    change.envelope_step =
        step_for(inputs[envelope_line], spam, line_rate, line_margin, root(sums.features[0]));
    change.content_step =
        step_for(inputs[content_line], spam, line_rate, line_margin, root(sums.features[1]));
    change.gram_step =
        step_for(inputs[grams], spam, gram_rate, gram_margin, root(features.grams.size()));
    for (std::size_t i = 0; i < mixed_inputs; ++i) {
        change.mix_steps[i] = to_units(mix_rate * error * inputs[i]);
    }
    if (prior != 0) change.trust_step = trust_step(sums, inputs, spam);
    return lesson;
}

// How much better (in nats) the message was foretold with the prior than without it.
std::int32_t Learner::trust_step(const Sums& sums, const Inputs& inputs, bool spam) const {
    const double part = mix_[from_prior] * weight_unit * inputs[from_prior];
    const double own =
        voice_of(ham_, spam_, sums.known[0] + sums.known[1]) * (mixed(inputs) - part);
    const auto loss = [spam](double odds) { return std::log1p(std::exp(spam ? -odds : odds)); };
    return to_units(std::clamp(loss(own) - loss(own + part), -max_trust_step, max_trust_step));
}

double Learner::trust_in_prior() const {
    return probability_of(first_trust + trust_ * weight_unit);
}

void Learner::meet_prior(std::uint64_t identity) {
    if (identity == prior_identity_) return;
    prior_identity_ = identity;
    trust_ = 0;
    mix_[from_prior] = to_units(first_prior_mix);
}

bool Learner::learn(const FeatureVector& features, Class as, double prior) {
    const std::uint64_t key = key_of(features.digest);
    const bool spam = as == Class::spam;
    if (Taught* known = taught_.find(key)) {
        if ((known->spam != 0) == spam) return false;
        apply(features, *known, -1);
        forget(key);
        taught_.erase(*known);
    }
    Lesson lesson = lesson_of(features, spam, prior);
    lesson.change.key = key;
    lesson.change.number = ++number_;
    apply(features, lesson.change, 1);
    taught_.insert(lesson.change);
    rehearse(!spam);
    rehearse(spam);
    remember(features, key, spam, lesson.error);
    return true;
}

bool Learner::unlearn(const FeatureVector& features) {
    const std::uint64_t key = key_of(features.digest);
    Taught* known = taught_.find(key);
    if (known == nullptr) return false;
    apply(features, *known, -1);
    forget(key);
    taught_.erase(*known);
    return true;
}

bool Learner::knows(const FeatureVector& features) const {
    return taught_.find(key_of(features.digest)) != nullptr;
}

ModelStats Learner::stats() const {
    return {ham_, spam_, features_.used(), bytes_, 0, 0, features_.bucket_count() * bucket_slots};
}

}  // namespace postern::filters

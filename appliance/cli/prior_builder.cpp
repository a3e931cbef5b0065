#include "appliance/cli/prior_builder.h"

#include "appliance/cli/feature_batches.h"
#include "filters/pipeline/learned.h"

#include <algorithm>

namespace postern::cli {

namespace {

constexpr unsigned held_out_every = 5;
constexpr std::size_t first_messages = 100;

// By the message itself, so that every run holds out the same.
bool is_held_out(const filters::FeatureVector& features) {
    return features.digest.bytes[3] % held_out_every == 0;
}

}  // namespace

PriorBuilder::PriorBuilder(std::shared_ptr<filters::Models> models, std::uint64_t memory_bytes,
                           const scan::Scanner* judge, double spam_threshold)
    : models_(std::move(models)),
      memory_bytes_(memory_bytes),
      judge_(judge),
      spam_threshold_(spam_threshold) {}

void PriorBuilder::take(const filters::FeatureVector& features, bool spam) {
    if (models_->learn(features, spam ? filters::Class::spam : filters::Class::ham)) {
        ++(spam ? totals_.spam : totals_.ham);
    } else {
        ++totals_.known;
    }
}

// When there are too many, the earliest are taken in: the stream ends with what is newest.
void PriorBuilder::hold_out(HeldOut message) {
    held_out_.push_back(std::move(message));
    if (held_out_.size() < 2 * max_held_out) return;
    for (std::size_t i = 0; i < max_held_out; ++i) take(held_out_[i].features, held_out_[i].spam);
    held_out_.erase(held_out_.begin(), held_out_.begin() + max_held_out);
}

void PriorBuilder::add(LabelledMail& mail, const Progress& progress) {
    for (;;) {
        std::vector<mailsource::Item> items;
        std::vector<bool> spam;
        std::size_t bytes = 0;
        while (items.size() < batch_messages && bytes < batch_message_bytes) {
            auto message = mail.next();
            if (!message) break;
            bytes += message->item.bytes.size();
            spam.push_back(message->label == filters::Class::spam);
            items.push_back(std::move(message->item));
        }
        if (items.empty()) return;
        auto batch = features_of(std::move(items), judge_, is_held_out);
        for (std::size_t i = 0; i < batch.size(); ++i) {
            auto& each = batch[i];
            if (!each.problem.empty()) {
                totals_.skipped.emplace_back(std::move(each.name), std::move(each.problem));
            } else if (judge_ != nullptr && is_held_out(each.features) &&
                       !models_->knows(each.features)) {
                hold_out({std::move(each.features), each.rules_score, each.modest_score, spam[i]});
            } else {
                take(each.features, spam[i]);
            }
        }
        progress(mail.fraction_done(),
                 totals_.ham + totals_.spam + totals_.known + held_out_.size());
    }
}

Foretold PriorBuilder::stream(const std::string& prior) const {
    const auto models = filters::make_models(memory_bytes_);
    if (!prior.empty()) models->set_prior(prior);
    Foretold met;
    std::size_t number = 0;
    for (const HeldOut& each : held_out_) {
        const auto score = models->score(each.features, filters::Shares::left_out);
        const bool judged_spam = each.rules_score + filters::learned_score(score) +
                                     filters::over_rules_score(each.modest_score, score) >=
                                 spam_threshold_;
        const bool first = number++ < first_messages;
        if (each.spam) {
            ++met.spam;
            met.spam_missed += judged_spam ? 0 : 1;
            met.first_spam += first ? 1 : 0;
            met.first_missed += first && !judged_spam ? 1 : 0;
        } else {
            ++met.ham;
            met.ham_misjudged += judged_spam ? 1 : 0;
        }
        models->learn(each.features, each.spam ? filters::Class::spam : filters::Class::ham);
    }
    return met;
}

Forecast PriorBuilder::finish() {
    Forecast forecast;
    const auto spam = static_cast<std::size_t>(std::count_if(
        held_out_.begin(), held_out_.end(), [](const HeldOut& each) { return each.spam; }));
    if (spam >= min_held_out && held_out_.size() - spam >= min_held_out) {
        forecast.made = true;
        forecast.cold = stream({});
        forecast.warm = stream(models_->save_own());
    }
    for (const HeldOut& each : held_out_) take(each.features, each.spam);
    held_out_.clear();
    return forecast;
}

}  // namespace postern::cli

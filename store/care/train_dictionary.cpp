#include "store/care/train_dictionary.h"

#include "store/blob/blob.h"
#include "store/care/walk.h"

#include <algorithm>
#include <string>
#include <vector>

namespace postern::care {

namespace {

constexpr std::size_t tested_one_in = 10;

bool is_mail(const std::string& text) {
    return text.find("\r\n\r\n") != std::string::npos || text.find("\n\n") != std::string::npos;
}

struct Samples {
    std::vector<std::string> learned, tested;
    std::uint64_t bytes = 0;
};

Result<Samples> read_samples(kv::Store& store, const Progress& progress,
                             std::size_t min_samples) {
    std::uint64_t seen = 0;
    const auto chosen = sample_blobs(store, max_training_samples, [&](const kv::StoredBlob&) {
        if (progress && ++seen % kv::max_page_rows == 0) progress(seen, seen, 0);
    });
    if (!chosen) return chosen.error();
    Samples samples;
    std::size_t number = 0;
    for (const BlobId& id : *chosen) {
        if (samples.bytes >= max_training_bytes) break;
        auto text = blob::read(store, id, 0, max_training_sample_bytes);
        if (!text && text.error().code == Errc::unavailable) return text.error();
        // Gone meanwhile or damaged, or a part of a message.
        if (!text || !is_mail(*text)) continue;
        samples.bytes += text->size();
        auto& kind = ++number % tested_one_in == 0 ? samples.tested : samples.learned;
        kind.push_back(std::move(*text));
        if (progress && number % 100 == 0) progress(chosen->size(), chosen->size(), number);
    }
    if (number < min_samples) {
        return Error{Errc::invalid, "too little mail to train a dictionary: the store has " +
                                        std::to_string(number) + " messages that can be read, " +
                                        std::to_string(min_samples) + " are needed"};
    }
    return samples;
}

std::uint64_t stored_bytes(const std::vector<std::string>& texts, const blob::Dictionary* with) {
    std::uint64_t bytes = 0;
    for (const std::string& text : texts) bytes += blob::encode(text, with).size();
    return bytes;
}

}  // namespace

Result<TrainReport> train_dictionary(kv::Store& store, const Progress& progress,
                                     const TrainOptions& options) {
    const auto samples = read_samples(store, progress, options.min_samples);
    if (!samples) return samples.error();
    auto trained = blob::train(samples->learned);
    if (!trained) return trained.error();
    const blob::Dictionary dictionary(*trained);
    const auto dictionaries = blob::Dictionaries::of(store);
    TrainReport report;
    report.id = dictionary.id();
    report.dictionary_bytes = trained->size();
    report.samples = samples->learned.size() + samples->tested.size();
    report.sample_bytes = samples->bytes;
    for (const std::string& text : samples->tested) report.tested_bytes += text.size();
    report.before_bytes = stored_bytes(samples->tested, dictionaries->newest().get());
    report.after_bytes = stored_bytes(samples->tested, &dictionary);
    const auto worth = static_cast<double>(report.before_bytes) * (1 - options.min_gain);
    if (static_cast<double>(report.after_bytes) > worth) return report;
    const auto added = dictionaries->add(std::move(*trained));
    if (!added) return added.error();
    report.kept = true;
    return report;
}

}  // namespace postern::care

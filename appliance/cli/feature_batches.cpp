#include "appliance/cli/feature_batches.h"

#include "filters/pipeline/learned.h"
#include "protocols/mime/message.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>

namespace postern::cli {

namespace {

Extracted extract(mailsource::Item item, const scan::Scanner* judge, Pick judged) {
    Extracted extracted;
    extracted.name = std::move(item.name);
    extracted.problem = std::move(item.problem);
    if (!extracted.problem.empty()) return extracted;
    const auto parsed = mime::parse(item.bytes);
    extracted.features = scan::Scanner::features(item.bytes, parsed);
    if (judge != nullptr && judged(extracted.features)) {
        const auto report = judge->scan(item.bytes, parsed, {}, Time{});
        extracted.rules_score = report.score;
        extracted.modest_score = filters::modest_rules_score(report);
    }
    return extracted;
}

}  // namespace

std::vector<Extracted> features_of(std::vector<mailsource::Item> items, const scan::Scanner* judge,
                                   Pick judged) {
    std::vector<Extracted> batch(items.size());
    std::atomic<std::size_t> next{0};
    const auto work = [&] {
        for (std::size_t i = next++; i < items.size(); i = next++) {
            batch[i] = extract(std::move(items[i]), judge, judged);
        }
    };
    std::vector<std::thread> helpers;
    const auto cores = std::max(1U, std::thread::hardware_concurrency());
    while (helpers.size() + 1 < cores && helpers.size() + 1 < items.size()) {
        helpers.emplace_back(work);
    }
    work();
    for (auto& helper : helpers) helper.join();
    return batch;
}

std::vector<Extracted> next_batch(mailsource::MailSource& source) {
    std::vector<mailsource::Item> items;
    std::size_t bytes = 0;
    while (items.size() < batch_messages && bytes < batch_message_bytes) {
        auto item = source.next();
        if (!item) break;
        bytes += item->bytes.size();
        items.push_back(std::move(*item));
    }
    return features_of(std::move(items));
}

}  // namespace postern::cli

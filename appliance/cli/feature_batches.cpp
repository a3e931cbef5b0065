#include "appliance/cli/feature_batches.h"

#include "gateway/scan/scanner.h"
#include "protocols/mime/message.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>

namespace postern::cli {

std::vector<Extracted> next_batch(mailsource::MailSource& source) {
    std::vector<mailsource::Item> items;
    std::size_t bytes = 0;
    while (items.size() < batch_messages && bytes < batch_message_bytes) {
        auto item = source.next();
        if (!item) break;
        bytes += item->bytes.size();
        items.push_back(std::move(*item));
    }
    std::vector<Extracted> batch(items.size());
    std::atomic<std::size_t> next{0};
    const auto work = [&] {
        for (std::size_t i = next++; i < items.size(); i = next++) {
            auto& item = items[i];
            if (item.problem.empty()) {
                batch[i].features = scan::Scanner::features(item.bytes, mime::parse(item.bytes));
            }
            batch[i].name = std::move(item.name);
            batch[i].problem = std::move(item.problem);
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

}  // namespace postern::cli

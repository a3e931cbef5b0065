// Parsing real mail into offsets, summarizing it for IMAP, reading its HTML. One item is one
// message or one HTML part.
#include "protocols/mime/decode.h"
#include "protocols/mime/html.h"
#include "protocols/mime/message.h"
#include "protocols/mime/summary.h"
#include "tests/bench/corpus_files.h"

#include <benchmark/benchmark.h>

namespace postern::bench {
namespace {

template <class Work>
void over_corpus(benchmark::State& state, Work work) {
    std::size_t next = 0, bytes = 0;
    for (auto _ : state) {
        const auto& message = corpus()[next++ % corpus().size()];
        work(message);
        bytes += message.size();
    }
    state.SetItemsProcessed(state.iterations());
    state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
}

void parse(benchmark::State& state) {
    over_corpus(state,
                [](const std::string& message) { benchmark::DoNotOptimize(mime::parse(message)); });
}
BENCHMARK(parse);

void parse_and_summarize(benchmark::State& state) {
    over_corpus(state, [](const std::string& message) {
        const auto parsed = mime::parse(message);
        benchmark::DoNotOptimize(mime::encode_summary(mime::summarize(parsed, message)));
    });
}
BENCHMARK(parse_and_summarize);

void extract_html(benchmark::State& state) {
    std::vector<std::string> pages;
    for (const std::string& message : corpus()) {
        for (const mime::Part& part : mime::parse(message).parts) {
            if (part.type != "text" || part.subtype != "html") continue;
            pages.push_back(mime::decoded_text(part, message, message.size()));
        }
    }
    std::size_t next = 0, bytes = 0;
    for (auto _ : state) {
        const std::string& page = pages[next++ % pages.size()];
        benchmark::DoNotOptimize(mime::extract_html(page, page.size()));
        bytes += page.size();
    }
    state.SetItemsProcessed(state.iterations());
    state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
}
BENCHMARK(extract_html);

}  // namespace
}  // namespace postern::bench

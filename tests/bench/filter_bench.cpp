// Judging and learning real mail on one core. One item is one message; the rate is of CPU time. The
// models know all of the messages but each tenth; the rules are 2,000 regex rules made of the
// corpus's own words, or those of the file in POSTERN_BENCH_RULES.
#include "filters/features/features.h"
#include "filters/models/models.h"
#include "filters/pipeline/pipeline.h"
#include "gateway/config/rules_file.h"
#include "tests/bench/corpus_files.h"

#include <benchmark/benchmark.h>

#include <random>
#include <set>

namespace postern::bench {
namespace {

constexpr std::size_t rule_count = 2000;

std::vector<std::string> corpus_words() {
    std::set<std::string> words;
    for (const std::string& message : corpus()) {
        std::string word;
        for (const char c : message.substr(message.find("\r\n\r\n"))) {
            if (c >= 'a' && c <= 'z') {
                word += c;
                continue;
            }
            if (word.size() >= 4 && word.size() <= 12) words.insert(word);
            word.clear();
        }
    }
    return {words.begin(), words.end()};
}

// As rule sets are: mostly phrases in bodies, some with gaps and choices, then subjects, links and
// other fields.
filters::Rule make_rule(std::size_t number, const std::vector<std::string>& words,
                        std::mt19937& random) {
    const auto word = [&] { return words[random() % words.size()]; };
    filters::Rule rule;
    rule.name = "BENCH_" + std::to_string(number);
    rule.group = "body";
    rule.description = "d";
    rule.score = 0.01;
    rule.caseless = number % 3 != 0;
    const std::size_t kind = number % 20;
    rule.target = kind < 12   ? "body"
                  : kind < 16 ? "header:Subject"
                  : kind < 18 ? "url"
                  : kind < 19 ? "header:From"
                              : "source";
    if (kind >= 16 && kind < 18) {
        rule.pattern = "^https?://[^/]{1,60}" + word() + "[^/]{0,30}/";
    } else if (number % 4 == 0) {
        rule.pattern = "\\b" + word() + " " + word() + "\\b";
    } else if (number % 4 == 1) {
        rule.pattern = "\\b(?:" + word() + "|" + word() + "|" + word() + ") .{0,20}\\b" + word();
    } else if (number % 4 == 2) {
        rule.pattern = "\\b" + word() + "(?:s|ed|ing)? (?:the|your|our) " + word();
    } else {
        rule.pattern = word() + "[-_. ]{1,3}" + word() + "\\s+\\d{1,6}";
    }
    return rule;
}

std::vector<filters::Rule> bench_rules() {
    if (const char* file = std::getenv("POSTERN_BENCH_RULES")) {
        auto rules = config::load_rules({file});
        if (rules) return *rules;
        std::cerr << rules.error().text << "\n";
        std::exit(1);
    }
    const auto words = corpus_words();
    std::mt19937 random(17);
    std::vector<filters::Rule> rules;
    while (rules.size() < rule_count) rules.push_back(make_rule(rules.size(), words, random));
    return rules;
}

std::shared_ptr<filters::Models> trained_models() {
    auto models = filters::make_models(filters::min_model_bytes);
    std::ifstream index(POSTERN_SOURCE_DIR "/tests/corpus/index");
    std::size_t at = 0;
    for (std::string label, path; index >> label >> path; ++at) {
        if (at % 10 == 0) continue;
        const std::string& message = corpus()[at];
        models->learn(filters::extract({message, mime::parse(message), {}, Time{}}).vector,
                      label == "spam" ? filters::Class::spam : filters::Class::ham);
    }
    return models;
}

template <class Work>
void over_corpus(benchmark::State& state, Work work) {
    std::size_t next = 0;
    for (auto _ : state) work(corpus()[next++ % corpus().size()]);
    state.SetItemsProcessed(state.iterations());
}

void scan_with(benchmark::State& state, const std::vector<filters::Rule>& rules, bool learned) {
    filters::PipelineOptions options;
    options.learned = learned;
    const auto pipeline = filters::Pipeline::build(rules, options, trained_models());
    if (!pipeline) return state.SkipWithError(pipeline.error().text.c_str());
    over_corpus(state, [&](const std::string& message) {
        const auto parsed = mime::parse(message);
        benchmark::DoNotOptimize((*pipeline)->scan({message, parsed, {}, Time{}}));
    });
}

void scan_no_rules(benchmark::State& state) {
    scan_with(state, {}, true);
}
BENCHMARK(scan_no_rules);

void scan_2000_rules(benchmark::State& state) {
    scan_with(state, bench_rules(), true);
}
BENCHMARK(scan_2000_rules);

void rules_without_models(benchmark::State& state) {
    scan_with(state, bench_rules(), false);
}
BENCHMARK(rules_without_models);

void parse_and_extract(benchmark::State& state) {
    over_corpus(state, [](const std::string& message) {
        benchmark::DoNotOptimize(filters::extract({message, mime::parse(message), {}, Time{}}));
    });
}
BENCHMARK(parse_and_extract);

// Parsing and features included, as when a user moves a message to Junk. Every message is new to
// the models, since learning one again is cheap.
void learn(benchmark::State& state) {
    auto models = filters::make_models(filters::min_model_bytes);
    std::size_t next = 0;
    for (auto _ : state) {
        const std::string& message = corpus()[next % corpus().size()];
        auto vector = filters::extract({message, mime::parse(message), {}, Time{}}).vector;
        vector.digest.bytes[0] = static_cast<std::uint8_t>(next);
        vector.digest.bytes[1] = static_cast<std::uint8_t>(next >> 8);
        vector.digest.bytes[2] = static_cast<std::uint8_t>(next >> 16);
        models->learn(vector, next % 2 == 0 ? filters::Class::spam : filters::Class::ham);
        ++next;
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(learn);

}  // namespace
}  // namespace postern::bench

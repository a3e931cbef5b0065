#include "filters/features/features.h"

#include "filters/features/feature_sources.h"
#include "filters/features/token_sink.h"

namespace postern::filters {

void FeatureNames::clear() {
    text_.clear();
    words_.clear();
    tokens_.clear();
    pairs_.clear();
}

void FeatureNames::reserve(std::size_t tokens, std::size_t pairs) {
    text_.reserve(tokens * 8);
    words_.reserve(tokens * 2);
    tokens_.reserve(tokens);
    pairs_.reserve(pairs);
}

std::uint32_t FeatureNames::note_word(std::string_view kind, std::string_view word) {
    words_.push_back(
        {kind, static_cast<std::uint32_t>(text_.size()), static_cast<std::uint32_t>(word.size())});
    text_ += word;
    return static_cast<std::uint32_t>(words_.size() - 1);
}

void FeatureNames::pair_is(std::uint32_t first, std::uint32_t second, std::size_t distance) {
    pairs_.push_back({first, second, static_cast<std::uint32_t>(distance)});
}

std::string FeatureNames::name_of(const Word& word) const {
    std::string name(word.kind);
    if (!name.empty()) name += ':';
    return name.append(text_, word.begin, word.size);
}

std::string FeatureNames::of(std::size_t index) const {
    if (index < tokens_.size()) return name_of(words_[tokens_[index]]);
    index -= tokens_.size();
    if (index >= pairs_.size()) return {};
    const Pair& pair = pairs_[index];
    std::string name = name_of(words_[pair.first]);
    for (std::uint32_t i = 1; i < pair.distance; ++i) name += " _";
    const Word& second = words_[pair.second];
    return name.append(" ").append(text_, second.begin, second.size);
}

void extract(const Content& content, Names names, Features& features) {
    features.names.clear();
    TokenSink sink(features.vector, names == Names::kept ? &features.names : nullptr);
    add_header_tokens(content, sink);
    sink.begin_section(true);
    add_body_tokens(content, sink);
    sink.finish();
    features.vector.grams = head_grams(content);
    features.vector.digest = content_digest(content);
}

Features extract(const Content& content, Names names) {
    Features features;
    extract(content, names, features);
    return features;
}

Features extract(const ScanInput& input, Names names) {
    return extract(read_content(input), names);
}

}  // namespace postern::filters

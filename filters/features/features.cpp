#include "filters/features/features.h"

#include "filters/features/feature_sources.h"
#include "filters/features/token_sink.h"

namespace postern::filters {

void FeatureNames::clear() {
    text_.clear();
    words_.clear();
    keep(0, 0);
}

void FeatureNames::make_room(std::size_t tokens, std::size_t pairs) {
    if (tokens_.size() < tokens) tokens_.resize(tokens);
    if (pairs_.size() < pairs) pairs_.resize(pairs);
}

void FeatureNames::keep(std::size_t tokens, std::size_t pairs) {
    token_count_ = tokens;
    pair_count_ = pairs;
}

std::string FeatureNames::name_of(const Word& word) const {
    std::string name;
    name.reserve(word.kind.size() + 1 + word.size);
    name = word.kind;
    if (!name.empty()) name += ':';
    return name.append(text_, word.begin, word.size);
}

std::string FeatureNames::of(std::size_t index) const {
    if (index < token_count_) return name_of(words_[tokens_[index]]);
    index -= token_count_;
    if (index >= pair_count_) return {};
    const Pair& pair = pairs_[index];
    std::string name = name_of(words_[pair.first]);
    for (std::uint32_t i = 1; i < pair.distance; ++i) name += " _";
    const Word& second = words_[pair.second];
    return name.append(" ").append(text_, second.begin, second.size);
}

void extract(const Content& content, Names names, Features& features, const ModelPlaces& places) {
    features.names.clear();
    {
        TokenSink sink(features.vector, names == Names::kept ? &features.names : nullptr, places);
        add_header_tokens(content, sink);
        sink.begin_section(true);
        add_body_tokens(content, sink);
        sink.finish();
    }
    head_grams(content, features.vector.grams, places);
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

#include "filters/pipeline/learned.h"

#include "filters/evidence.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace postern::filters {

namespace {
// Alone, the models reach the usual threshold of 5 at a probability of 0.98.
constexpr double score_per_log_odds = 1.3;
}  // namespace

double round_score(double score) {
    return static_cast<double>(std::lround(score * 100)) / 100;
}

Symbol learned_symbol(const ModelScore& score, const Features& features) {
    Symbol symbol{std::string(learned_symbol_name),
                  "statistics",
                  "What the learned models say of such mail",
                  0,
                  {}};
    const auto trained = static_cast<double>(std::min(score.trained_ham, score.trained_spam));
    const double weight = std::min(1.0, trained / full_weight_messages);
    symbol.score = round_score(weight * std::clamp(score.log_odds * score_per_log_odds,
                                                   min_learned_score, max_learned_score));
    char text[96];
    std::snprintf(text, sizeof text, "probability %.4f, from %llu ham and %llu spam",
                  score.probability, static_cast<unsigned long long>(score.trained_ham),
                  static_cast<unsigned long long>(score.trained_spam));
    symbol.evidence.emplace_back(text);
    for (const auto& [index, probability] : score.strongest) {
        if (index >= features.names.size()) continue;
        std::snprintf(text, sizeof text, " %.3f", probability);
        symbol.evidence.push_back(quote_evidence(features.names[index]) + text);
    }
    return symbol;
}

}  // namespace postern::filters

// What the learned models say, as a symbol like the others.
#pragma once

#include "filters/features/features.h"
#include "filters/models/models.h"
#include "filters/report.h"

#include <string_view>

namespace postern::filters {

inline constexpr std::string_view learned_symbol_name = "LEARNED_PROBABILITY";
// With so many messages of the rarer class the models' word counts half. The more they stand on,
// the more it counts: mail unlike anything learned must not be called spam by a few chance
// likenesses.
inline constexpr double half_weight_messages = 40;
// Likewise for a message of which so many features are known: a line of text says little.
inline constexpr double half_weight_features = 25;
inline constexpr double max_learned_score = 9;
inline constexpr double min_learned_score = -6;

double round_score(double score);  // to hundredths

double learned_weight(const ModelScore& score);  // 0 to 1

// `features` with names: they are the evidence. The shares in it add up to the log-odds.
Symbol learned_symbol(const ModelScore& score, const Features& features);

}  // namespace postern::filters

// What the learned models say, as a symbol like the others.
#pragma once

#include "filters/features/features.h"
#include "filters/models/models.h"
#include "filters/report.h"

#include <string_view>

namespace postern::filters {

inline constexpr std::string_view learned_symbol_name = "LEARNED_PROBABILITY";
inline constexpr double max_learned_score = 9;
inline constexpr double min_learned_score = -6;

double round_score(double score);  // to hundredths

// What the models add to a message's score.
double learned_score(const ModelScore& score);

// `features` with names: they are the evidence. The shares in it add up to the log-odds.
Symbol learned_symbol(const ModelScore& score, const Features& features);

}  // namespace postern::filters

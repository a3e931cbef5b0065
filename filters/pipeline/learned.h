// What the learned models say, as a symbol like the others.
#pragma once

#include "filters/features/features.h"
#include "filters/models/layers.h"
#include "filters/models/models.h"
#include "filters/report.h"

#include <string_view>
#include <vector>

namespace postern::filters {

inline constexpr std::string_view learned_symbol_name = "LEARNED_PROBABILITY";
inline constexpr double score_per_log_odds = 2.5;
inline constexpr double max_learned_score = 9;
inline constexpr double min_learned_score = -6;

inline constexpr std::string_view user_symbol_name = "LEARNED_FROM_USER";
inline constexpr std::string_view domain_symbol_name = "LEARNED_FROM_DOMAIN";

inline constexpr std::string_view over_rules_symbol_name = "LEARNED_OVER_RULES";
inline constexpr double share_over_rules = 0.5;

double round_score(double score);  // to hundredths

// What the models add to a message's score.
double learned_score(const ModelScore& score);

// `features` with names: they are the evidence. The shares in it add up to the log-odds.
Symbol learned_symbol(const ModelScore& score, const Features& features);

// What the report's symbols have together, but for those that make a message spam by themselves:
// who wrote such a rule wants it to. For a report of rules and checks alone.
double modest_rules_score(const Report& report);
// What the models take back of that score: they have learned what such mail looks like, so that the
// same signs would count twice. 0 where the rules speak for ham, and with models that have no
// voice.
double over_rules_score(double modest_score, const ModelScore& score);
Symbol over_rules_symbol(double modest_score, const ModelScore& score);

// What the layers of the recipient and of the recipient's domain say; those that are silent are
// left out.
std::vector<Symbol> layer_symbols(const Layers& layers, std::string_view recipient,
                                  const Sketch& message);

}  // namespace postern::filters

// From which score on a message is spam, by how much ham may be lost.
#pragma once

namespace postern::filters {

// Ham judged spam, in percent of all ham.
inline constexpr double default_ham_loss = 0.1;
inline constexpr double min_ham_loss = 0.001;
inline constexpr double max_ham_loss = 1;

inline constexpr double default_spam_threshold = 5;
// Whatever may be lost: a message of which nothing is known has a score of about 0.
inline constexpr double min_spam_threshold = 1;
inline constexpr double unsure_share = 0.6;  // of the spam threshold: from there on, unsure

// The learned models' score grows by score_per_log_odds where the odds of spam grow by e, so a
// tenth of the loss costs as much as odds ten times as high. The default's place on that line was
// measured (docs/benchmarks.md). ham_loss: min_ham_loss to max_ham_loss.
double spam_threshold_for(double ham_loss);

}  // namespace postern::filters

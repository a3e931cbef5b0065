// The figures of the TREC spam track for a list of scored messages with known labels.
// Pure; cost n log n.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace postern::filters {

struct Scored {
    bool spam = false;  // the truth
    double score =
        0;  // larger: more like spam; any scale, see ranking_score (filters/report.h); NaN is 0
    bool decided_spam = false;  // what the filter would have done
};

// All rates in percent; 0 where there is no message of the class they are about.
struct Metrics {
    std::size_t ham = 0;
    std::size_t spam = 0;
    double roc_area_above = 0;  // (1-ROCA)%: chance that a ham outranks a spam; a tie counts half
    double ham_misjudged = 0;   // ham decided spam
    double spam_missed = 0;     // spam not decided spam
    double lam = 0;             // logistic average of both, each with half a message added (TREC)
    double spam_missed_at_01 =
        0;  // spam missed with the threshold that misjudges at most 0.1 % of ham
    double spam_missed_at_1 = 0;  // the same for 1 %
};

Metrics evaluate(std::vector<Scored> messages);

// The 95 % interval of (1-ROCA)%, from the variance of the area (DeLong 1988) on the logit scale,
// with half a pair added so that a perfect order is not infinitely sure. 0 to 100 where a class has
// fewer than two messages.
struct Interval {
    double low = 0;
    double high = 100;
};
Interval roc_area_interval(std::vector<Scored> messages);

// Spam missed, in percent, among the first `messages` of the stream; 0 where there is no spam.
double missed_among_first(const std::vector<Scored>& stream, std::size_t messages);

// The ROC curve (both axes logarithmic) and the learning curve of a stream, in its order, as one
// self-contained SVG. `title` is escaped.
std::string to_svg(const std::vector<Scored>& stream, const std::string& title);

// Spam missed, in percent, when the threshold is the lowest that misjudges at most `ham_loss`
// percent of the ham. Messages of equal score are judged alike.
double spam_missed_at(std::vector<Scored> messages, double ham_loss);

}  // namespace postern::filters

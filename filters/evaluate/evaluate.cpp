#include "filters/evaluate/evaluate.h"

#include "filters/evaluate/logit.h"

#include <algorithm>
#include <cmath>

namespace postern::filters {

namespace {

double percent(double part, double whole) {
    return whole == 0 ? 0 : 100 * part / whole;
}

// Half a message is added to each cell, so that a perfect filter on few messages is not infinitely
// good.
double smoothed_rate(double wrong, double all) {
    return (wrong + 0.5) / (all + 1);
}

void sort_spammiest_first(std::vector<Scored>& messages) {
    for (Scored& each : messages) {
        if (std::isnan(each.score)) each.score = 0;
    }
    std::sort(messages.begin(), messages.end(),
              [](const Scored& a, const Scored& b) { return a.score > b.score; });
}

// Calls visit(ham, spam) for each group of equal scores, spammiest first.
template <class Visit>
void for_each_group(const std::vector<Scored>& sorted, Visit visit) {
    for (std::size_t i = 0; i < sorted.size();) {
        std::size_t ham = 0;
        std::size_t spam = 0;
        std::size_t j = i;
        for (; j < sorted.size() && sorted[j].score == sorted[i].score; ++j) {
            (sorted[j].spam ? spam : ham) += 1;
        }
        if (!visit(ham, spam)) return;
        i = j;
    }
}

double area_above(const std::vector<Scored>& sorted, double ham_all, double spam_all) {
    double spam_seen = 0;
    double inversions = 0;
    for_each_group(sorted, [&](std::size_t ham, std::size_t spam) {
        inversions += ham * (spam_all - spam_seen - spam) + 0.5 * ham * spam;
        spam_seen += spam;
        return true;
    });
    return percent(inversions, ham_all * spam_all);
}

double missed_at(const std::vector<Scored>& sorted, double ham_all, double spam_all, double loss) {
    const double allowed = std::floor(ham_all * loss / 100 + 1e-9);
    double ham_seen = 0;
    double spam_seen = 0;
    for_each_group(sorted, [&](std::size_t ham, std::size_t spam) {
        if (ham_seen + ham > allowed) return false;
        ham_seen += ham;
        spam_seen += spam;
        return true;
    });
    return percent(spam_all - spam_seen, spam_all);
}

}  // namespace

double spam_missed_at(std::vector<Scored> messages, double ham_loss) {
    sort_spammiest_first(messages);
    const double spam = std::count_if(messages.begin(), messages.end(),
                                      [](const Scored& each) { return each.spam; });
    return missed_at(messages, messages.size() - spam, spam, ham_loss);
}

Metrics evaluate(std::vector<Scored> messages) {
    Metrics metrics;
    double ham_wrong = 0;
    double spam_wrong = 0;
    for (const Scored& each : messages) {
        (each.spam ? metrics.spam : metrics.ham) += 1;
        if (each.spam && !each.decided_spam) spam_wrong += 1;
        if (!each.spam && each.decided_spam) ham_wrong += 1;
    }
    const double ham = metrics.ham;
    const double spam = metrics.spam;
    metrics.ham_misjudged = percent(ham_wrong, ham);
    metrics.spam_missed = percent(spam_wrong, spam);
    const double mean =
        (logit(smoothed_rate(ham_wrong, ham)) + logit(smoothed_rate(spam_wrong, spam))) / 2;
    metrics.lam = 100 / (1 + std::exp(-mean));
    sort_spammiest_first(messages);
    metrics.roc_area_above = area_above(messages, ham, spam);
    metrics.spam_missed_at_01 = missed_at(messages, ham, spam, 0.1);
    metrics.spam_missed_at_1 = missed_at(messages, ham, spam, 1);
    return metrics;
}

}  // namespace postern::filters

#include "filters/evaluate/evaluate.h"
#include "filters/evaluate/logit.h"

#include <algorithm>
#include <cmath>

namespace postern::filters {

namespace {

constexpr double normal_95 = 1.959964;

double variance(double sum, double squares, double count) {
    return std::max(0.0, (squares - sum * sum / count) / (count - 1));
}

struct Moments {
    double sum = 0;
    double squares = 0;
    void add(double value, double times) {
        sum += value * times;
        squares += value * value * times;
    }
};

}  // namespace

Interval roc_area_interval(std::vector<Scored> messages) {
    for (Scored& each : messages) {
        if (std::isnan(each.score)) each.score = 0;
    }
    std::sort(messages.begin(), messages.end(),
              [](const Scored& a, const Scored& b) { return a.score < b.score; });
    const auto spam_all = static_cast<double>(std::count_if(
        messages.begin(), messages.end(), [](const Scored& each) { return each.spam; }));
    const double ham_all = static_cast<double>(messages.size()) - spam_all;
    if (spam_all < 2 || ham_all < 2) return {};
    // For each spam the share of ham above it, for each ham the share of spam below it; ties half.
    Moments of_spam;
    Moments of_ham;
    double ham_below = 0;
    double spam_below = 0;
    for (std::size_t i = 0; i < messages.size();) {
        double ham = 0;
        double spam = 0;
        std::size_t j = i;
        for (; j < messages.size() && messages[j].score == messages[i].score; ++j) {
            (messages[j].spam ? spam : ham) += 1;
        }
        of_spam.add((ham_all - ham_below - ham / 2) / ham_all, spam);
        of_ham.add((spam_below + spam / 2) / spam_all, ham);
        ham_below += ham;
        spam_below += spam;
        i = j;
    }
    const double pairs = ham_all * spam_all;
    const double area = (of_spam.sum / spam_all * pairs + 0.5) / (pairs + 1);
    const double error =
        std::sqrt(variance(of_spam.sum, of_spam.squares, spam_all) / spam_all +
                  variance(of_ham.sum, of_ham.squares, ham_all) / ham_all + 0.25 / (pairs * pairs));
    const double spread = normal_95 * error / (area * (1 - area));
    const auto percent = [](double odds) { return 100 / (1 + std::exp(-odds)); };
    return {percent(logit(area) - spread), percent(logit(area) + spread)};
}

double missed_among_first(const std::vector<Scored>& stream, std::size_t messages) {
    double spam = 0;
    double missed = 0;
    for (std::size_t i = 0; i < std::min(messages, stream.size()); ++i) {
        if (!stream[i].spam) continue;
        spam += 1;
        if (!stream[i].decided_spam) missed += 1;
    }
    return spam == 0 ? 0 : 100 * missed / spam;
}

}  // namespace postern::filters

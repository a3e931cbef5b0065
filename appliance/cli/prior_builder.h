// Makes a prior of labelled mail and dumps, and foretells what it will buy: one message in five is
// held out until the end, and streamed through a cold filter and through one with the prior.
#pragma once

#include "appliance/cli/labelled_mail.h"
#include "filters/models/models.h"
#include "gateway/scan/scanner.h"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace postern::cli {

inline constexpr std::size_t max_held_out = 2000;
inline constexpr std::size_t min_held_out = 20;  // fewer of either class foretell nothing

struct ImportTotals {
    std::uint64_t ham = 0, spam = 0;                           // messages taken in
    std::uint64_t known = 0;                                   // taken in before
    std::vector<std::pair<std::string, std::string>> skipped;  // name, problem
};

// What a stream of held-out mail met with.
struct Foretold {
    std::size_t ham = 0, spam = 0;
    std::size_t ham_misjudged = 0, spam_missed = 0;
    std::size_t first_spam = 0, first_missed = 0;  // among the first 100 messages
};
struct Forecast {
    bool made = false;
    Foretold cold, warm;
};

class PriorBuilder {
public:
    // judge: a scanner over untaught models, for the score of rules and checks; nullptr: nothing is
    // held out. spam_threshold: of the verdict.
    PriorBuilder(std::shared_ptr<filters::Models> models, std::uint64_t memory_bytes,
                 const scan::Scanner* judge, double spam_threshold);

    // Called now and then with the fraction done and the messages so far.
    using Progress = std::function<void(double, std::uint64_t)>;
    void add(LabelledMail& mail, const Progress& progress);
    // Evaluates on what was held out and takes that in, too.
    Forecast finish();

    const ImportTotals& totals() const { return totals_; }
    filters::Models& models() { return *models_; }

private:
    struct HeldOut {
        filters::FeatureVector features;
        double rules_score = 0;
        double modest_score = 0;
        bool spam = false;
    };
    void take(const filters::FeatureVector& features, bool spam);
    void hold_out(HeldOut message);
    Foretold stream(const std::string& prior) const;

    const std::shared_ptr<filters::Models> models_;
    const std::uint64_t memory_bytes_;
    const scan::Scanner* judge_;
    const double spam_threshold_;
    ImportTotals totals_;
    std::vector<HeldOut> held_out_;
};

}  // namespace postern::cli

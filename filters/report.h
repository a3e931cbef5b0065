// What the filter says of a message, with its reasons. Plain values, no dependence on how they came
// about.
#pragma once

#include "protocols/base/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::filters {

enum class Verdict : std::uint8_t { ham, unsure, spam };
const char* to_string(Verdict verdict);

struct Symbol {
    std::string name;   // upper case, e.g. SUBJECT_ALL_CAPS
    std::string group;  // headers, body, urls, mime, statistics, policy
    std::string description;
    double score = 0;                   // what it added to the sum; may be negative
    std::vector<std::string> evidence;  // what was seen, shortened, UTF-8
};

// What the layers of one recipient add, where a message has several.
struct PersonalSymbols {
    std::string recipient;
    std::vector<Symbol> symbols;
};

// Every symbol's score is a multiple of 0.01, and added up in their order they are `score` exactly.
struct Report {
    Verdict verdict = Verdict::ham;
    double score = 0;
    double spam_threshold = 0;      // score >= this: spam
    double unsure_threshold = 0;    // score >= this: unsure
    double probability = 0.5;       // the learned models' probability of spam
    double log_odds = 0;            // ln(p / (1 - p)) of the same, without rounding: ranks messages
    std::uint64_t trained_ham = 0;  // messages the models stand on
    std::uint64_t trained_spam = 0;
    std::vector<Symbol> symbols;  // strongest first (by |score|)
    // Not part of the sum, nor of what is encoded; see report_for.
    std::vector<PersonalSymbols> personal;
};

// Works out score, verdict and the order of the symbols from the symbols and the thresholds.
void conclude(Report& report);
// The report as it is for that recipient: with the symbols that only this one gets.
Report report_for(const Report& report, std::string_view recipient);

// The symbol that pulled most towards the verdict; nullptr when there is none.
const Symbol* strongest(const Report& report);

// Continuous order of messages from ham to spam for ROC curves: the models' log-odds and the score.
double ranking_score(const Report& report);

// One line for X-Spam-Status: "Yes, score=7.2 required=5.0 probability=0.998 tests=A=3.5,B=1.2".
// Folding is the caller's.
std::string status_line(const Report& report);

// JSON text, kept with the message for `explain`; at most max_bytes: evidence is dropped first,
// then descriptions, then the weakest symbols are joined into one named OTHERS, so that the sum
// still holds.
inline constexpr std::size_t min_report_bytes = 512;  // a smaller max_bytes counts as this
std::string encode_report(const Report& report, std::size_t max_bytes);
// Errors: corrupt (not JSON, not a report, of a newer version).
Result<Report> decode_report(std::string_view json);

}  // namespace postern::filters

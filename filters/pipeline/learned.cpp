#include "filters/pipeline/learned.h"

#include "filters/evidence.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <iterator>

namespace postern::filters {

namespace {

// Where 0.1 % of the ham is misjudged, the log-odds are about 2: there well-trained models alone
// reach the usual threshold of 5.
constexpr std::size_t max_feature_name_bytes = 48;
static_assert(min_learned_score == -6 && max_learned_score == 9);  // shown without decimals

constexpr std::size_t line_bytes = 120;  // nearly all lines of evidence fit in

// A number, rounded as printf does, and what comes after it.
void append_number(std::string& line, double value, int decimals, std::string_view unit) {
    char text[32];
    const auto end = std::to_chars(text, std::end(text), value, std::chars_format::fixed, decimals);
    line.append(text, end.ptr).append(unit);
}

// "+1.25"
void append_signed(std::string& line, double value, std::string_view unit) {
    if (!std::signbit(value)) line += '+';
    append_number(line, value, 2, unit);
}

void append_count(std::string& line, std::uint64_t count, std::string_view unit) {
    char text[24];
    const auto end = std::to_chars(text, std::end(text), count);
    line.append(text, end.ptr).append(unit);
}

std::string share_line(double share, std::string_view what) {
    std::string line;
    line.reserve(line_bytes);
    append_signed(line, share, " ");
    return line.append(what);
}

}  // namespace

double round_score(double score) {
    return static_cast<double>(std::lround(score * 100)) / 100;
}

double learned_score(const ModelScore& score) {
    return round_score(
        std::clamp(score.voiced() * score_per_log_odds, min_learned_score, max_learned_score));
}

namespace {

// "2.5 x (0.86 x +3.10 learned here + 0.95 x +1.20 prior)": how the score came about.
std::string sum_line(const ModelScore& score) {
    std::string line;
    line.reserve(line_bytes);
    append_signed(line += "score ", learned_score(score), " = ");
    append_number(line, score_per_log_odds, 1, " x (");
    append_number(line, score.own_voice, 2, " x ");
    append_signed(line, score.log_odds - score.from_prior, " learned here");
    if (score.prior_ham + score.prior_spam > 0) {
        append_number(line += " + ", score.heard_of_prior(), 2, " x ");
        append_signed(line, score.from_prior, " prior");
    }
    append_number(line += "), kept within ", min_learned_score, 0, " to ");
    append_number(line, max_learned_score, 0, "");
    return line;
}

}  // namespace

Symbol learned_symbol(const ModelScore& score, const Features& features) {
    Symbol symbol{std::string(learned_symbol_name),
                  "statistics",
                  "What the learned models say of such mail",
                  0,
                  {}};
    symbol.score = learned_score(score);
    symbol.evidence.reserve(score.strongest.size() + 5);
    std::string sure("probability ");
    append_number(sure, score.probability, 4, " (log-odds ");
    append_signed(sure, score.log_odds, "), from ");
    append_count(sure, score.trained_ham, " ham and ");
    append_count(sure, score.trained_spam, " spam");
    symbol.evidence.push_back(std::move(sure));
    if (score.prior_ham + score.prior_spam > 0) {
        std::string prior = share_line(score.from_prior, "prior knowledge from ");
        append_count(prior, score.prior_ham, " ham and ");
        append_count(prior, score.prior_spam, " spam");
        symbol.evidence.push_back(std::move(prior));
    }
    for (const FeatureShare& each : score.strongest) {
        const std::string name = features.names.of(each.index);
        if (name.empty()) continue;
        std::string line = share_line(each.share, quote_evidence(name, max_feature_name_bytes));
        append_count(line += " (in ", each.ham, " ham, ");
        append_count(line, each.spam, " spam)");
        symbol.evidence.push_back(std::move(line));
    }
    symbol.evidence.push_back(share_line(score.from_head, "byte patterns of the head"));
    symbol.evidence.push_back(share_line(score.rest, "all other features"));
    symbol.evidence.push_back(sum_line(score));
    return symbol;
}

double modest_rules_score(const Report& report) {
    double sum = 0;
    for (const Symbol& each : report.symbols) {
        if (each.score < report.spam_threshold) sum += each.score;
    }
    return round_score(sum);
}

double over_rules_score(double modest_score, const ModelScore& score) {
    const double back = share_over_rules * score.own_voice * std::max(modest_score, 0.0);
    return back > 0 ? -round_score(back) : 0;
}

Symbol over_rules_symbol(double modest_score, const ModelScore& score) {
    std::string text;
    append_number(text, share_over_rules, 1, " x ");
    append_number(text, score.own_voice, 2, ", of what rules and checks add: ");
    append_signed(text, modest_score, "");
    return {std::string(over_rules_symbol_name),
            "statistics",
            "What the learned models know already of what rules and checks found",
            over_rules_score(modest_score, score),
            {std::move(text)}};
}

namespace {

void add_layer(const LayerOpinion& opinion, std::string_view name, const char* description,
               std::vector<Symbol>& symbols) {
    const double score = round_score(opinion.score);
    if (score == 0) return;
    std::string line = "like ";
    append_count(line, opinion.spam, " moved to Junk and ");
    append_count(line, opinion.ham, " kept out of it, the closest by ");
    append_count(line, static_cast<std::uint64_t>(std::lround(opinion.closest * 100)), " %");
    symbols.push_back({std::string(name), "statistics", description, score, {std::move(line)}});
}

}  // namespace

std::vector<Symbol> layer_symbols(const Layers& layers, std::string_view recipient,
                                  const Sketch& message) {
    std::vector<Symbol> symbols;
    add_layer(layers.of_user(recipient, message), user_symbol_name,
              "What the recipient said of mail like this", symbols);
    add_layer(layers.of_domain(recipient, message), domain_symbol_name,
              "What others of the domain said of mail like this", symbols);
    return symbols;
}

}  // namespace postern::filters

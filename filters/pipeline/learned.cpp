#include "filters/pipeline/learned.h"

#include "filters/evidence.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <iterator>

namespace postern::filters {

namespace {

// Where 0.1 % of the ham is misjudged, the log-odds are about 2: there well-trained models alone
// reach the usual threshold of 5.
constexpr double score_per_log_odds = 2.5;
constexpr std::size_t max_feature_name_bytes = 48;

// "+1.25 what", rounded as printf does.
std::string share_line(double share, std::string_view what) {
    char text[32];
    const auto end = std::to_chars(text, std::end(text), share, std::chars_format::fixed, 2);
    std::string line(share < 0 || text[0] == '-' ? "" : "+");
    line.append(text, end.ptr);
    return line.append(" ").append(what);
}

void append_count(std::string& line, std::uint64_t count, std::string_view unit) {
    char text[24];
    const auto end = std::to_chars(text, std::end(text), count);
    line.append(text, end.ptr).append(unit);
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
    char text[160];
    int size = std::snprintf(text, sizeof text, "score %+.2f = %.1f x (%.2f x %+.2f learned here",
                             learned_score(score), score_per_log_odds, score.own_voice,
                             score.log_odds - score.from_prior);
    std::string line(text, static_cast<std::size_t>(size));
    if (score.prior_ham + score.prior_spam > 0) {
        size = std::snprintf(text, sizeof text, " + %.2f x %+.2f prior",
                             score.heard_of_prior(), score.from_prior);
        line.append(text, static_cast<std::size_t>(size));
    }
    char bounds[48];
    std::snprintf(bounds, sizeof bounds, "), kept within %g to %g", min_learned_score,
                  max_learned_score);
    return line + bounds;
}

}  // namespace

Symbol learned_symbol(const ModelScore& score, const Features& features) {
    Symbol symbol{std::string(learned_symbol_name),
                  "statistics",
                  "What the learned models say of such mail",
                  0,
                  {}};
    symbol.score = learned_score(score);
    char text[160];
    std::snprintf(
        text, sizeof text, "probability %.4f (log-odds %+.2f), from %llu ham and %llu spam",
        score.probability, score.log_odds, static_cast<unsigned long long>(score.trained_ham),
        static_cast<unsigned long long>(score.trained_spam));
    symbol.evidence.reserve(score.strongest.size() + 5);
    symbol.evidence.emplace_back(text);
    if (score.prior_ham + score.prior_spam > 0) {
        std::snprintf(text, sizeof text, "%+.2f prior knowledge from %llu ham and %llu spam",
                      score.from_prior, static_cast<unsigned long long>(score.prior_ham),
                      static_cast<unsigned long long>(score.prior_spam));
        symbol.evidence.emplace_back(text);
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
    char text[128];
    std::snprintf(text, sizeof text, "%.1f x %.2f, of what rules and checks add: %+.2f",
                  share_over_rules, score.own_voice, modest_score);
    return {std::string(over_rules_symbol_name),
            "statistics",
            "What the learned models know already of what rules and checks found",
            over_rules_score(modest_score, score),
            {text}};
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

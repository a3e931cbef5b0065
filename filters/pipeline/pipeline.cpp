#include "filters/pipeline/pipeline.h"

#include "filters/checks/check.h"
#include "filters/evidence.h"
#include "filters/features/ascii.h"
#include "filters/features/content.h"
#include "filters/features/features.h"
#include "filters/models/models.h"
#include "filters/patterns/matcher.h"
#include "filters/pipeline/learned.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace postern::filters {

namespace {

using ScoreTable = std::map<std::string, double, std::less<>>;

// Scores are whole hundredths, so that a sum on paper is the sum in the report.
double sum_of(const std::vector<Symbol>& symbols) {
    long hundredths = 0;
    for (const Symbol& symbol : symbols) hundredths += std::lround(symbol.score * 100);
    return static_cast<double>(hundredths) / 100;
}

double score_of(const ScoreTable& overrides, std::string_view name, double usual) {
    const auto found = overrides.find(name);
    return round_score(found == overrides.end() ? usual : found->second);
}

std::vector<Subject> subjects_of(const Content& content, const Matcher& matcher,
                                 std::vector<std::string>& owned) {
    std::vector<Subject> subjects;
    const bool all_headers = matcher.looks_at(Target::all_headers);
    owned.reserve(content.headers.size());
    for (const HeaderText& header : content.headers) {
        if (matcher.looks_at_header(to_lower(header.name))) {
            subjects.push_back({Target::header, header.name, header.value});
        }
        if (all_headers) {
            owned.push_back(std::string(header.name) + ": " + header.value);
            subjects.push_back({Target::all_headers, {}, owned.back()});
        }
    }
    if (matcher.looks_at(Target::body)) subjects.push_back({Target::body, {}, content.text});
    if (matcher.looks_at(Target::raw)) subjects.push_back({Target::raw, {}, content.message});
    if (matcher.looks_at(Target::url)) {
        for (const Url& url : content.urls) subjects.push_back({Target::url, {}, url.text});
    }
    return subjects;
}

class WholePipeline final : public Pipeline {
public:
    WholePipeline(std::vector<Rule> rules, std::unique_ptr<Matcher> matcher,
                  PipelineOptions options, std::shared_ptr<Models> models)
        : rules_(std::move(rules)),
          matcher_(std::move(matcher)),
          options_(std::move(options)),
          scores_(options_.scores.begin(), options_.scores.end()),
          models_(std::move(models)) {}

    Report scan(const ScanInput& input) const override {
        Report report;
        report.spam_threshold = options_.spam_threshold;
        report.unsure_threshold = options_.unsure_threshold;
        const Content content = read_content(input);
        add_checks(input, content, report);
        add_rules(content, report);
        add_learned(content, report);
        report.score = sum_of(report.symbols);
        std::stable_sort(
            report.symbols.begin(), report.symbols.end(),
            [](const Symbol& a, const Symbol& b) { return std::abs(a.score) > std::abs(b.score); });
        if (report.score >= options_.spam_threshold) {
            report.verdict = Verdict::spam;
        } else if (report.score >= options_.unsure_threshold) {
            report.verdict = Verdict::unsure;
        }
        return report;
    }

private:
    void add_checks(const ScanInput& input, const Content& content, Report& report) const {
        const CheckInput check_input{input, content};
        for (const Check& check : all_checks()) {
            const Finding finding = check.run(check_input);
            if (!finding) continue;
            report.symbols.push_back({check.name,
                                      check.group,
                                      check.description,
                                      score_of(scores_, check.name, check.score),
                                      {quote_evidence(*finding)}});
        }
    }

    void add_rules(const Content& content, Report& report) const {
        std::vector<std::string> owned;
        for (PatternHit& hit : matcher_->match(subjects_of(content, *matcher_, owned))) {
            const Rule& rule = rules_[hit.rule];
            Symbol symbol{rule.name,
                          rule.group,
                          rule.description,
                          score_of(scores_, rule.name, rule.score),
                          {}};
            if (!hit.evidence.empty()) symbol.evidence.push_back(std::move(hit.evidence));
            report.symbols.push_back(std::move(symbol));
        }
    }

    void add_learned(const Content& content, Report& report) const {
        const Features features = extract(content, Names::kept);
        const ModelScore score = models_->score(features.vector);
        report.probability = score.probability;
        report.log_odds = score.log_odds;
        report.trained_ham = score.trained_ham;
        report.trained_spam = score.trained_spam;
        if (score.own_voice == 0 && score.prior_voice == 0) return;
        Symbol symbol = learned_symbol(score, features);
        symbol.score = score_of(scores_, symbol.name, symbol.score);
        report.symbols.push_back(std::move(symbol));
    }

    const std::vector<Rule> rules_;
    const std::unique_ptr<Matcher> matcher_;
    const PipelineOptions options_;
    const ScoreTable scores_;
    const std::shared_ptr<Models> models_;
};

Result<void> check_names(const std::vector<Rule>& rules) {
    std::set<std::string_view> names{learned_symbol_name};
    for (const Check& check : all_checks()) names.insert(check.name);
    for (const Rule& rule : rules) {
        if (!names.insert(rule.name).second) {
            return Error{Errc::invalid, "rule " + rule.name + ": the name is in use already"};
        }
    }
    return {};
}

}  // namespace

Result<std::unique_ptr<Pipeline>> Pipeline::build(const std::vector<Rule>& rules,
                                                  const PipelineOptions& options,
                                                  std::shared_ptr<Models> models) {
    const auto named = check_names(rules);
    if (!named) return named.error();
    auto matcher = make_matcher(rules);
    if (!matcher) return matcher.error();
    return std::unique_ptr<Pipeline>(
        new WholePipeline(rules, std::move(*matcher), options, std::move(models)));
}

}  // namespace postern::filters

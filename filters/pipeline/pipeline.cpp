#include "filters/pipeline/pipeline.h"

#include "filters/checks/check.h"
#include "filters/evidence.h"
#include "filters/features/content.h"
#include "filters/features/features.h"
#include "filters/metas/meta_set.h"
#include "filters/models/layers.h"
#include "filters/models/models.h"
#include "filters/patterns/matcher.h"
#include "filters/pipeline/learned.h"
#include "filters/pipeline/subjects.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

namespace postern::filters {

namespace {

// Further recipients of a message get it as it is for all.
constexpr std::size_t max_personal_recipients = 100;

using ScoreTable = std::map<std::string, double, std::less<>>;

double score_of(const ScoreTable& overrides, std::string_view name, double usual) {
    const auto found = overrides.find(name);
    return round_score(found == overrides.end() ? usual : found->second);
}

// What metas may use: the checks in their order, then the rules that are no metas.
struct SymbolNames {
    std::vector<std::string> names;
    std::vector<std::size_t> of_rule;  // place in `names`; of a meta rule: its place among metas
    std::vector<std::size_t> meta_rules;
    std::vector<MetaRule> metas;
};

SymbolNames names_of(const std::vector<Rule>& rules) {
    SymbolNames all;
    for (const Check& check : all_checks()) all.names.emplace_back(check.name);
    for (std::size_t i = 0; i < rules.size(); ++i) {
        if (rules[i].is_meta()) {
            all.of_rule.push_back(all.metas.size());
            all.meta_rules.push_back(i);
            all.metas.push_back({rules[i].name, rules[i].meta});
        } else {
            all.of_rule.push_back(all.names.size());
            all.names.push_back(rules[i].name);
        }
    }
    return all;
}

class WholePipeline final : public Pipeline {
public:
    WholePipeline(std::vector<Rule> rules, SymbolNames names, std::unique_ptr<Matcher> matcher,
                  MetaSet metas, PipelineOptions options, std::shared_ptr<Models> models)
        : rules_(std::move(rules)),
          names_(std::move(names)),
          matcher_(std::move(matcher)),
          metas_(std::move(metas)),
          options_(std::move(options)),
          scores_(options_.scores.begin(), options_.scores.end()),
          models_(std::move(models)) {}

    Report scan(const ScanInput& input) const override {
        Report report;
        report.spam_threshold = options_.spam_threshold;
        report.unsure_threshold = options_.unsure_threshold;
        thread_local Content content;  // its memory is for the next one
        read_content(input, content);
        std::vector<SymbolValue> fired;
        add_checks(input, content, report, fired);
        add_rules(input, content, report, fired);
        add_metas(report, fired);
        if (options_.learned) add_learned(content, input.connection.recipients, report);
        conclude(report);
        return report;
    }

    void prepare(const std::function<bool()>& go_on) const override { matcher_->prepare(go_on); }

private:
    void add_checks(const ScanInput& input, const Content& content, Report& report,
                    std::vector<SymbolValue>& fired) const {
        const CheckInput check_input{input, content};
        const std::vector<Check>& checks = all_checks();
        for (std::size_t i = 0; i < checks.size(); ++i) {
            const Check& check = checks[i];
            const Finding finding = check.run(check_input);
            if (!finding) continue;
            fired.push_back({i, 1});
            report.symbols.push_back({check.name,
                                      check.group,
                                      check.description,
                                      score_of(scores_, check.name, check.score),
                                      {quote_evidence(*finding)}});
        }
    }

    void add_rules(const ScanInput& input, const Content& content, Report& report,
                   std::vector<SymbolValue>& fired) const {
        const Subjects subjects(input, content, *matcher_);
        for (PatternHit& hit : matcher_->match(subjects.all())) {
            fired.push_back({names_.of_rule[hit.rule], static_cast<double>(hit.count)});
            add_rule(rules_[hit.rule], std::move(hit.evidence), report);
        }
    }

    void add_metas(Report& report, const std::vector<SymbolValue>& fired) const {
        for (const MetaHit& hit : metas_.evaluate(fired)) {
            const Rule& rule = rules_[names_.meta_rules[hit.meta]];
            if (rule.is_hidden() && !options_.show_hidden) continue;
            std::string evidence;
            for (const std::string& name : hit.because) {
                if (!evidence.empty()) evidence += ", ";
                evidence += name;
            }
            add_rule(rule, quote_evidence(evidence), report);
        }
    }

    void add_rule(const Rule& rule, std::string evidence, Report& report) const {
        if (rule.is_hidden() && !options_.show_hidden) return;
        Symbol symbol{
            rule.name, rule.group, rule.description, score_of(scores_, rule.name, rule.score), {}};
        if (!evidence.empty()) symbol.evidence.push_back(std::move(evidence));
        report.symbols.push_back(std::move(symbol));
    }

    void add_learned(const Content& content, const std::vector<std::string>& recipients,
                     Report& report) const {
        thread_local Features features;  // its memory is for the next one
        extract(content, Names::kept, features, models_->places());
        const ModelScore score = models_->score(features.vector);
        const double modest_score = modest_rules_score(report);
        report.probability = score.probability;
        report.log_odds = score.log_odds;
        report.trained_ham = score.trained_ham;
        report.trained_spam = score.trained_spam;
        add_layers(features.vector, recipients, report);
        if (score.own_voice == 0 && score.prior_voice == 0) return;
        add_symbol(learned_symbol(score, features), report);
        if (over_rules_score(modest_score, score) == 0) return;
        add_symbol(over_rules_symbol(modest_score, score), report);
    }

    void add_symbol(Symbol symbol, Report& report) const {
        symbol.score = score_of(scores_, symbol.name, symbol.score);
        report.symbols.push_back(std::move(symbol));
    }

    void add_layers(const FeatureVector& features, const std::vector<std::string>& recipients,
                    Report& report) const {
        const Layers& layers = models_->layers();
        if (recipients.empty() || layers.lessons() == 0) return;
        const Sketch sketch = sketch_of(features);
        const std::size_t count = std::min(recipients.size(), max_personal_recipients);
        for (std::size_t i = 0; i < count; ++i) {
            std::vector<Symbol> symbols = layer_symbols(layers, recipients[i], sketch);
            if (symbols.empty()) continue;
            for (Symbol& symbol : symbols) {
                symbol.score = score_of(scores_, symbol.name, symbol.score);
            }
            if (recipients.size() > 1) {
                report.personal.push_back({recipients[i], std::move(symbols)});
            } else {
                std::move(symbols.begin(), symbols.end(), std::back_inserter(report.symbols));
            }
        }
    }

    const std::vector<Rule> rules_;
    const SymbolNames names_;
    const std::unique_ptr<Matcher> matcher_;
    const MetaSet metas_;
    const PipelineOptions options_;
    const ScoreTable scores_;
    const std::shared_ptr<Models> models_;
};

Result<void> check_names(const std::vector<Rule>& rules) {
    std::set<std::string_view> names{learned_symbol_name, over_rules_symbol_name, user_symbol_name,
                                     domain_symbol_name};
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
                                                  std::shared_ptr<Models> models,
                                                  CompiledCache* cache) {
    const auto named = check_names(rules);
    if (!named) return named.error();
    SymbolNames names = names_of(rules);
    auto metas = MetaSet::make(names.names, names.metas);
    if (!metas) return metas.error();
    auto matcher = make_matcher(rules, cache);
    if (!matcher) return matcher.error();
    return std::unique_ptr<Pipeline>(new WholePipeline(rules, std::move(names), std::move(*matcher),
                                                       std::move(*metas), options,
                                                       std::move(models)));
}

}  // namespace postern::filters

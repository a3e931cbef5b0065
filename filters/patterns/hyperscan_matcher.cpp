#include "filters/evidence.h"
#include "filters/patterns/hyperscan.h"
#include "filters/patterns/matcher.h"
#include "filters/patterns/vetting.h"

#include <algorithm>
#include <climits>
#include <map>
#include <mutex>
#include <unordered_set>
#include <utility>

namespace postern::filters {

namespace {

// How far around a match its text is looked for.
constexpr std::size_t evidence_window_bytes = 512;
constexpr std::size_t evidence_tail_bytes = 128;
constexpr std::uint32_t no_header = UINT32_MAX;

struct CompiledRule {
    Target target = Target::body;
    std::uint32_t header = no_header;  // id of the field's name
    bool negated = false;
    unsigned flags = 0;
    std::string pattern;
};

// The database of one rule that tells where a match starts, made when the rule first fires: telling
// starts for all rules at once would slow every scan.
struct Locator {
    std::once_flag once;
    Database database;
};

struct Found {
    std::size_t rule = 0;
    std::size_t subject = 0;
    std::size_t end = 0;
};

// What one match() works with; kept for the next one.
struct Workspace {
    Scratch scratch;
    std::vector<bool> seen;
    std::vector<Found> found;
};

class HyperscanMatcher final : public Matcher {
public:
    static Result<std::unique_ptr<Matcher>> make(const std::vector<Rule>& rules);

    std::vector<PatternHit> match(const std::vector<Subject>& subjects) const override;

    bool looks_at(Target target) const override { return looks_at_[static_cast<int>(target)]; }
    bool looks_at_header(std::string_view name) const override {
        return headers_.find(name) != headers_.end();
    }

private:
    struct Pass {
        const HyperscanMatcher* matcher;
        Workspace* workspace;
        std::size_t subject;
        Target target;
        std::uint32_t header;
    };

    Result<void> add(const Rule& rule);
    Result<void> compile(const std::vector<Rule>& rules);
    static int on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
                        void* context);
    void scan(const std::vector<Subject>& subjects, Workspace& workspace) const;
    std::string evidence(const Found& found, std::string_view text, Scratch& scratch) const;
    std::uint32_t header_id(std::string_view name) const;
    std::unique_ptr<Workspace> borrow() const;
    void give_back(std::unique_ptr<Workspace> workspace) const;

    std::vector<CompiledRule> rules_;
    std::map<std::string, std::uint32_t, std::less<>> headers_;
    bool looks_at_[target_count] = {};
    Database database_;
    std::unique_ptr<Locator[]> locators_;
    mutable std::mutex mutex_;  // guards spare_
    mutable std::vector<std::unique_ptr<Workspace>> spare_;
};

Error in_rule(const Rule& rule, const std::string& why) {
    return {Errc::invalid, "rule " + rule.name + ": " + why};
}

Result<std::unique_ptr<Matcher>> HyperscanMatcher::make(const std::vector<Rule>& rules) {
    if (rules.size() > max_rules) {
        return Error{Errc::invalid, "more than " + std::to_string(max_rules) + " rules"};
    }
    auto matcher = std::make_unique<HyperscanMatcher>();
    std::unordered_set<std::string_view> names;
    for (const Rule& rule : rules) {
        if (!names.insert(rule.name).second) return in_rule(rule, "there are two of that name");
        const auto added = matcher->add(rule);
        if (!added) return in_rule(rule, added.error().text);
    }
    const auto compiled = matcher->compile(rules);
    if (!compiled) return compiled.error();
    return std::unique_ptr<Matcher>(std::move(matcher));
}

Result<void> HyperscanMatcher::add(const Rule& rule) {
    const auto fit = check_rule(rule);
    if (!fit) return fit.error();
    auto target = *parse_target(rule.target);
    CompiledRule compiled;
    compiled.target = target.target;
    compiled.negated = rule.negated;
    compiled.flags = (rule.caseless ? HS_FLAG_CASELESS : 0U);
    if (target.target == Target::body || target.target == Target::raw) {
        compiled.flags |= HS_FLAG_MULTILINE;
    }
    compiled.pattern = rule.pattern;
    if (target.target == Target::header) {
        const auto next = static_cast<std::uint32_t>(headers_.size());
        compiled.header = headers_.emplace(std::move(target.header), next).first->second;
    }
    looks_at_[static_cast<int>(target.target)] = true;
    rules_.push_back(std::move(compiled));
    return {};
}

Result<void> HyperscanMatcher::compile(const std::vector<Rule>& rules) {
    locators_ = std::make_unique<Locator[]>(rules.size());
    if (rules.empty()) return {};
    std::vector<Expression> expressions;
    for (const CompiledRule& rule : rules_) {
        expressions.push_back({rule.pattern, rule.flags | HS_FLAG_SINGLEMATCH});
    }
    std::size_t culprit = rules.size();
    auto database = compile_database(expressions, culprit);
    if (!database) {
        if (culprit < rules.size()) return in_rule(rules[culprit], database.error().text);
        return database.error();
    }
    database_ = std::move(*database);
    return {};
}

std::uint32_t HyperscanMatcher::header_id(std::string_view name) const {
    std::string lower(name);
    for (char& c : lower) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    const auto found = headers_.find(lower);
    return found == headers_.end() ? no_header : found->second;
}

int HyperscanMatcher::on_match(unsigned id, unsigned long long, unsigned long long to, unsigned,
                               void* context) {
    const auto& pass = *static_cast<const Pass*>(context);
    const CompiledRule& rule = pass.matcher->rules_[id];
    if (rule.target != pass.target || rule.header != pass.header) return 0;
    if (pass.workspace->seen[id]) return 0;
    pass.workspace->seen[id] = true;
    pass.workspace->found.push_back({id, pass.subject, static_cast<std::size_t>(to)});
    return 0;
}

void HyperscanMatcher::scan(const std::vector<Subject>& subjects, Workspace& workspace) const {
    for (std::size_t i = 0; i < subjects.size(); ++i) {
        const Subject& subject = subjects[i];
        if (!looks_at(subject.target)) continue;
        Pass pass{this, &workspace, i, subject.target, no_header};
        if (subject.target == Target::header) {
            pass.header = header_id(subject.name);
            if (pass.header == no_header) continue;
        }
        scan_text(database_, workspace.scratch, subject.text, &on_match, &pass);
    }
}

std::vector<PatternHit> HyperscanMatcher::match(const std::vector<Subject>& subjects) const {
    std::vector<PatternHit> hits;
    if (rules_.empty()) return hits;
    auto workspace = borrow();
    scan(subjects, *workspace);
    for (const Found& found : workspace->found) {
        if (rules_[found.rule].negated) continue;
        hits.push_back(
            {found.rule, evidence(found, subjects[found.subject].text, workspace->scratch)});
    }
    for (std::size_t i = 0; i < rules_.size(); ++i) {
        if (rules_[i].negated && !workspace->seen[i]) hits.push_back({i, ""});
    }
    std::sort(hits.begin(), hits.end(),
              [](const PatternHit& a, const PatternHit& b) { return a.rule < b.rule; });
    give_back(std::move(workspace));
    return hits;
}

struct Span {
    std::size_t begin = 0;
    std::size_t end = 0;
};

constexpr std::size_t max_spans = 1024;

int on_located(unsigned, unsigned long long from, unsigned long long to, unsigned, void* context) {
    auto& spans = *static_cast<std::vector<Span>*>(context);
    spans.push_back({static_cast<std::size_t>(from), static_cast<std::size_t>(to)});
    return spans.size() < max_spans ? 0 : 1;
}

// The longest match that starts where the one that ends at `end` starts. A window that begins
// inside the text can show other matches, such as a ^ at its first byte.
Span choose_span(const std::vector<Span>& spans, std::size_t end) {
    Span best;
    for (const Span& span : spans) {
        if (span.end == end || (best.end > 0 && span.begin == best.begin)) best = span;
    }
    return best;
}

std::string HyperscanMatcher::evidence(const Found& found, std::string_view text,
                                       Scratch& scratch) const {
    const CompiledRule& rule = rules_[found.rule];
    Locator& locator = locators_[found.rule];
    std::call_once(locator.once, [&] {
        std::size_t culprit = 0;
        auto database =
            compile_database({{rule.pattern, rule.flags | HS_FLAG_SOM_LEFTMOST}}, culprit);
        // A pattern too large to tell starts: its evidence is the text up to the end of the match.
        if (database) locator.database = std::move(*database);
    });
    const std::size_t begin = found.end - std::min(found.end, evidence_window_bytes);
    const std::string_view window = text.substr(begin, found.end - begin + evidence_tail_bytes);
    std::vector<Span> spans;
    if (locator.database) scan_text(locator.database, scratch, window, &on_located, &spans);
    const Span span = choose_span(spans, found.end - begin);
    if (span.end > span.begin) {
        return quote_evidence(window.substr(span.begin, span.end - span.begin));
    }
    const std::size_t back = std::min(found.end, max_evidence_bytes / 2);
    return quote_evidence(text.substr(found.end - back, back));
}

std::unique_ptr<Workspace> HyperscanMatcher::borrow() const {
    std::unique_ptr<Workspace> workspace;
    {
        const std::lock_guard lock(mutex_);
        if (!spare_.empty()) {
            workspace = std::move(spare_.back());
            spare_.pop_back();
        }
    }
    if (!workspace) workspace = std::make_unique<Workspace>();
    workspace->seen.assign(rules_.size(), false);
    workspace->found.clear();
    return workspace;
}

void HyperscanMatcher::give_back(std::unique_ptr<Workspace> workspace) const {
    const std::lock_guard lock(mutex_);
    spare_.push_back(std::move(workspace));
}

}  // namespace

Result<std::unique_ptr<Matcher>> make_matcher(const std::vector<Rule>& rules) {
    return HyperscanMatcher::make(rules);
}

}  // namespace postern::filters

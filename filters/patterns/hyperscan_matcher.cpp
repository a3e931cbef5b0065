#include "filters/patterns/compiled_rules.h"
#include "filters/patterns/hyperscan.h"
#include "filters/patterns/locator.h"
#include "filters/patterns/looser.h"
#include "filters/patterns/matcher.h"
#include "filters/patterns/vetting.h"

#include <algorithm>
#include <climits>
#include <mutex>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace postern::filters {

namespace {

constexpr std::uint32_t no_field = UINT32_MAX;

struct CompiledRule {
    Target target = Target::body;
    std::uint32_t field = no_field;  // of header, part, envelope: what it looks at
    std::uint32_t pattern = 0;       // in its target's group
    std::uint32_t max_hits = 1;
    bool negated = false;
    bool hidden = false;
    bool looser = false;   // what the database finds of it is to be checked
    bool located = false;  // where its matches are will be asked
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
    std::vector<std::uint32_t> unchecked;  // rules, of one subject
};

struct NameHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
        return std::hash<std::string_view>()(text);
    }
};

// Fields that rules look at, by target and lower-case name.
class Fields {
public:
    std::uint32_t add(const ParsedTarget& target) {
        auto [place, fresh] = fields_.try_emplace(key(target.target, target.name));
        if (fresh) place->second.index = static_cast<std::uint32_t>(fields_.size() - 1);
        place->second.forms.add(target.form);
        return id(place->second.index, target.form);
    }
    Forms forms_of(Target target, std::string_view name) const {
        const Field* field = find(target, name);
        return field == nullptr ? Forms() : field->forms;
    }
    std::uint32_t id_of(const Subject& subject) const {
        const Field* field = find(subject.target, subject.name);
        return field == nullptr ? no_field : id(field->index, subject.form);
    }

private:
    struct Field {
        std::uint32_t index = 0;
        Forms forms;
    };
    static std::uint32_t id(std::uint32_t index, Form form) {
        return index * form_count + static_cast<std::uint32_t>(form);
    }
    static std::string key(Target target, std::string_view name) {
        return static_cast<char>('0' + static_cast<int>(target)) + std::string(name);
    }
    const Field* find(Target target, std::string_view name) const {
        if (name.size() > max_rule_name_bytes) return nullptr;
        char text[max_rule_name_bytes + 1];
        text[0] = static_cast<char>('0' + static_cast<int>(target));
        for (std::size_t i = 0; i < name.size(); ++i) {
            const char c = name[i];
            text[i + 1] = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        }
        const auto found = fields_.find(std::string_view(text, name.size() + 1));
        return found == fields_.end() ? nullptr : &found->second;
    }
    std::unordered_map<std::string, Field, NameHash, std::equal_to<>> fields_;
};

class HyperscanMatcher final : public Matcher {
public:
    static Result<std::unique_ptr<Matcher>> make(const std::vector<Rule>& rules,
                                                 CompiledCache* cache);

    std::vector<PatternHit> match(const std::vector<Subject>& subjects) const override;

    void prepare(const std::function<bool()>& go_on) const override;

    bool looks_at(Target target) const override { return group_of(target).database != nullptr; }
    Forms forms_of(Target target, std::string_view name) const override {
        return fields_.forms_of(target, name);
    }

private:
    struct Pass {
        const HyperscanMatcher* matcher;
        const Group* group;
        Workspace* workspace;
        std::size_t subject;
        std::uint32_t field;
    };

    Result<void> add(const Rule& rule);
    const Group& group_of(Target target) const { return groups_[static_cast<std::size_t>(target)]; }
    const Pattern& pattern_of(const CompiledRule& rule) const {
        return group_of(rule.target).patterns[rule.pattern];
    }
    static int on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
                        void* context);
    void scan(const std::vector<Subject>& subjects, Workspace& workspace) const;
    void check(const std::vector<Subject>& subjects, std::size_t subject,
               Workspace& workspace) const;
    std::uint32_t count(const Found& found, const std::vector<Subject>& subjects,
                        Scratch& scratch) const;
    std::unique_ptr<Workspace> borrow() const;
    void give_back(std::unique_ptr<Workspace> workspace) const;

    std::vector<CompiledRule> rules_;
    std::vector<std::size_t> negated_;
    Fields fields_;
    Groups groups_;
    std::unique_ptr<Locator[]> locators_;
    mutable std::mutex mutex_;  // guards spare_
    mutable std::vector<std::unique_ptr<Workspace>> spare_;
};

Error in_rule(const Rule& rule, const std::string& why) {
    return {Errc::invalid, "rule " + rule.name + ": " + why};
}

Result<std::unique_ptr<Matcher>> HyperscanMatcher::make(const std::vector<Rule>& rules,
                                                        CompiledCache* cache) {
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
    matcher->locators_ = std::make_unique<Locator[]>(rules.size());
    const auto compiled = compile_groups(matcher->groups_, rules, cache);
    if (!compiled) return compiled.error();
    return std::unique_ptr<Matcher>(std::move(matcher));
}

Result<void> HyperscanMatcher::add(const Rule& rule) {
    const auto fit = check_rule(rule);
    if (!fit) return fit.error();
    CompiledRule compiled;
    compiled.hidden = rule.is_hidden();
    compiled.max_hits = rule.max_hits;
    if (rule.is_meta()) {
        rules_.push_back(compiled);
        return {};
    }
    const auto target = *parse_target(rule.target);
    compiled.target = target.target;
    compiled.negated = rule.negated;
    if (has_name(target.target)) compiled.field = fields_.add(target);
    unsigned flags = HS_FLAG_SINGLEMATCH;
    if (rule.caseless) flags |= HS_FLAG_CASELESS;
    if (is_long(target.target)) flags |= HS_FLAG_MULTILINE;
    Group& group = groups_[static_cast<std::size_t>(target.target)];
    compiled.looser = looser(rule.pattern, target.target).size() < rule.pattern.size();
    compiled.located =
        compiled.looser || (!rule.negated && (!compiled.hidden || rule.max_hits > 1));
    compiled.pattern = static_cast<std::uint32_t>(group.patterns.size());
    group.patterns.push_back({rule.pattern, flags});
    group.rules.push_back(static_cast<std::uint32_t>(rules_.size()));
    if (compiled.negated) negated_.push_back(rules_.size());
    rules_.push_back(compiled);
    return {};
}

int HyperscanMatcher::on_match(unsigned id, unsigned long long, unsigned long long to, unsigned,
                               void* context) {
    const auto& pass = *static_cast<const Pass*>(context);
    const std::uint32_t rule = pass.group->rules[id];
    const CompiledRule& compiled = pass.matcher->rules_[rule];
    if (compiled.field != pass.field || pass.workspace->seen[rule]) return 0;
    if (compiled.looser) {
        pass.workspace->unchecked.push_back(rule);
        return 0;
    }
    pass.workspace->seen[rule] = true;
    pass.workspace->found.push_back({rule, pass.subject, static_cast<std::size_t>(to)});
    return 0;
}

void HyperscanMatcher::scan(const std::vector<Subject>& subjects, Workspace& workspace) const {
    for (std::size_t i = 0; i < subjects.size(); ++i) {
        const Subject& subject = subjects[i];
        const Group& group = group_of(subject.target);
        if (!group.database) continue;
        Pass pass{this, &group, &workspace, i, no_field};
        if (has_name(subject.target)) {
            pass.field = fields_.id_of(subject);
            if (pass.field == no_field) continue;
        }
        scan_text(group.database, workspace.scratch, subject.text, &on_match, &pass);
        if (!workspace.unchecked.empty()) check(subjects, i, workspace);
    }
}

void HyperscanMatcher::check(const std::vector<Subject>& subjects, std::size_t subject,
                             Workspace& workspace) const {
    for (const std::uint32_t rule : workspace.unchecked) {
        const auto end = locators_[rule].first_end(pattern_of(rules_[rule]), subjects[subject].text,
                                                   workspace.scratch);
        if (!end) continue;
        workspace.seen[rule] = true;
        workspace.found.push_back({rule, subject, *end});
    }
    workspace.unchecked.clear();
}

std::uint32_t HyperscanMatcher::count(const Found& found, const std::vector<Subject>& subjects,
                                      Scratch& scratch) const {
    const CompiledRule& rule = rules_[found.rule];
    std::uint32_t total = 0;
    // The first one that has a match is known; what comes before it has none.
    for (std::size_t i = found.subject; i < subjects.size() && total < rule.max_hits; ++i) {
        const Subject& subject = subjects[i];
        if (subject.target != rule.target) continue;
        if (has_name(subject.target) && fields_.id_of(subject) != rule.field) continue;
        total += locators_[found.rule].count(pattern_of(rule), subject.text, rule.max_hits - total,
                                             scratch);
    }
    return std::max(total, 1U);
}

std::vector<PatternHit> HyperscanMatcher::match(const std::vector<Subject>& subjects) const {
    std::vector<PatternHit> hits;
    if (rules_.empty()) return hits;
    auto workspace = borrow();
    scan(subjects, *workspace);
    for (const Found& found : workspace->found) {
        const CompiledRule& rule = rules_[found.rule];
        if (rule.negated) continue;
        PatternHit hit{found.rule, "", 1};
        if (!rule.hidden) {
            hit.evidence = locators_[found.rule].evidence(
                pattern_of(rule), subjects[found.subject].text, found.end, workspace->scratch);
        }
        if (rule.max_hits > 1) hit.count = count(found, subjects, workspace->scratch);
        hits.push_back(std::move(hit));
    }
    for (const std::size_t i : negated_) {
        if (!workspace->seen[i]) hits.push_back({i, "", 1});
    }
    std::sort(hits.begin(), hits.end(),
              [](const PatternHit& a, const PatternHit& b) { return a.rule < b.rule; });
    give_back(std::move(workspace));
    return hits;
}

void HyperscanMatcher::prepare(const std::function<bool()>& go_on) const {
    std::vector<std::pair<std::size_t, std::size_t>> order;  // states, rule
    for (std::size_t i = 0; i < rules_.size(); ++i) {
        if (!rules_[i].located) continue;
        order.emplace_back(count_states(pattern_of(rules_[i]).pattern), i);
    }
    std::sort(order.begin(), order.end());
    std::size_t bytes = 0;
    for (const auto& [states, rule] : order) {
        if (bytes >= max_prepared_bytes || !go_on()) return;
        bytes += locators_[rule].prepare(pattern_of(rules_[rule]));
    }
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
    workspace->unchecked.clear();
    return workspace;
}

void HyperscanMatcher::give_back(std::unique_ptr<Workspace> workspace) const {
    const std::lock_guard lock(mutex_);
    spare_.push_back(std::move(workspace));
}

}  // namespace

Result<std::unique_ptr<Matcher>> make_matcher(const std::vector<Rule>& rules,
                                              CompiledCache* cache) {
    return HyperscanMatcher::make(rules, cache);
}

}  // namespace postern::filters

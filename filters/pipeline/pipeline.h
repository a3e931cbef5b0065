// The judgement: features, regex rules, checks and learned models to one explained verdict.
//
// A Pipeline is immutable after construction apart from its models and safe for concurrent scans;
// rules are replaced by building a new Pipeline around the same models. Learning and scanning may
// run at once.
#pragma once

#include "filters/input.h"
#include "filters/pipeline/thresholds.h"
#include "filters/report.h"
#include "filters/rule.h"
#include "protocols/base/result.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::filters {

struct PipelineOptions {
    double spam_threshold = default_spam_threshold;
    double unsure_threshold = default_spam_threshold * unsure_share;
    std::vector<std::pair<std::string, double>> scores;  // overrides of a symbol's score
    bool show_hidden = false;  // also report the rules that are parts of meta rules
    bool learned = true;       // false: without what the models say
};

class Models;         // filters/models/models.h: the learned state
class CompiledCache;  // filters/patterns/compiled_cache.h

class Pipeline {
public:
    // cache: nullptr, or where compiled rules are kept. Errors: invalid (a pattern does not
    // compile, a meta rule is wrong; text names the rule and the reason).
    static Result<std::unique_ptr<Pipeline>> build(const std::vector<Rule>& rules,
                                                   const PipelineOptions& options,
                                                   std::shared_ptr<Models> models,
                                                   CompiledCache* cache = nullptr);
    virtual ~Pipeline() = default;
    virtual Report scan(const ScanInput& input) const = 0;
    // Makes in advance what the first match of each rule has to wait for (see Matcher::prepare):
    // seconds of CPU time. Any thread.
    virtual void prepare(const std::function<bool()>& go_on) const = 0;
};

}  // namespace postern::filters

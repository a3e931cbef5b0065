// The one place that judges a message: the current rules and checks over the learned models.
//
// Thread rule: every function from any thread. reload() swaps the whole pipeline at once: a scan
// under way ends with the rules that it began with, and learning is never lost, since the models
// stay. One reload() at a time.
#pragma once

#include "filters/models/models.h"
#include "filters/patterns/compiled_cache.h"
#include "filters/pipeline/pipeline.h"
#include "filters/report.h"
#include "protocols/base/result.h"
#include "protocols/base/time.h"
#include "protocols/mime/message.h"

#include <functional>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

namespace postern::scan {

class Scanner {
public:
    // cache: nullptr, or where compiled rules are kept. Errors: invalid (a rule does not compile;
    // the text names it).
    static Result<std::unique_ptr<Scanner>> make(
        const std::vector<filters::Rule>& rules, const filters::PipelineOptions& options,
        std::shared_ptr<filters::Models> models,
        std::unique_ptr<filters::CompiledCache> cache = nullptr);

    // Errors: as make; the rules in force then stay as they are.
    Result<void> reload(const std::vector<filters::Rule>& rules,
                        const filters::PipelineOptions& options);

    // `bytes` is the whole message, `parsed` is mime::parse of it. CPU only, about a millisecond
    // for a usual message and bounded by filters::max_scanned_bytes.
    filters::Report scan(std::string_view bytes, const mime::Message& parsed,
                         filters::Connection connection, Time now) const;

    // Makes in advance what the first match of each rule has to wait for, for the rules in force
    // now: seconds of CPU time, on the calling thread; ends early when go_on says no.
    void prepare(const std::function<bool()>& go_on) const;

    // What learning needs of a message; the same parts that scan looks at.
    static filters::FeatureVector features(std::string_view bytes, const mime::Message& parsed);

    const std::shared_ptr<filters::Models>& models() const { return models_; }

private:
    Scanner(std::shared_ptr<const filters::Pipeline> pipeline,
            std::shared_ptr<filters::Models> models, std::unique_ptr<filters::CompiledCache> cache);

    std::shared_ptr<const filters::Pipeline> current() const;

    mutable std::mutex mutex_;  // guards the pointer only, never held while scanning
    std::shared_ptr<const filters::Pipeline> pipeline_;
    const std::shared_ptr<filters::Models> models_;
    const std::unique_ptr<filters::CompiledCache> cache_;  // of reload(), one at a time
};

}  // namespace postern::scan

#include "gateway/scan/scanner.h"

#include "filters/features/features.h"

#include <utility>

namespace postern::scan {

Scanner::Scanner(std::shared_ptr<const filters::Pipeline> pipeline,
                 std::shared_ptr<filters::Models> models,
                 std::unique_ptr<filters::CompiledCache> cache)
    : pipeline_(std::move(pipeline)), models_(std::move(models)), cache_(std::move(cache)) {}

Result<std::unique_ptr<Scanner>> Scanner::make(const std::vector<filters::Rule>& rules,
                                               const filters::PipelineOptions& options,
                                               std::shared_ptr<filters::Models> models,
                                               std::unique_ptr<filters::CompiledCache> cache) {
    auto built = filters::Pipeline::build(rules, options, models, cache.get());
    if (!built) return built.error();
    return std::unique_ptr<Scanner>(
        new Scanner(std::move(*built), std::move(models), std::move(cache)));
}

Result<void> Scanner::reload(const std::vector<filters::Rule>& rules,
                             const filters::PipelineOptions& options) {
    auto built = filters::Pipeline::build(rules, options, models_, cache_.get());
    if (!built) return built.error();
    std::shared_ptr<const filters::Pipeline> next = std::move(*built);
    {
        const std::lock_guard lock(mutex_);
        pipeline_.swap(next);
    }
    // The old pipeline dies here, outside the lock: freeing a pattern database takes a while.
    return {};
}

std::shared_ptr<const filters::Pipeline> Scanner::current() const {
    const std::lock_guard lock(mutex_);
    return pipeline_;
}

filters::Report Scanner::scan(std::string_view bytes, const mime::Message& parsed,
                              filters::Connection connection, Time now) const {
    return current()->scan({bytes, parsed, std::move(connection), now});
}

void Scanner::prepare(const std::function<bool()>& go_on) const {
    current()->prepare(go_on);
}

filters::FeatureVector Scanner::features(std::string_view bytes, const mime::Message& parsed) {
    return filters::extract({bytes, parsed, {}, Time{}}).vector;
}

}  // namespace postern::scan

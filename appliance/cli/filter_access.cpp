#include "appliance/cli/filter_access.h"

#include "gateway/config/shipped.h"
#include "gateway/scan/compiled_file.h"
#include "gateway/scan/from_config.h"
#include "protocols/mime/message.h"

#include <filesystem>
#include <utility>

namespace postern::cli {

namespace {

// Only where there is a data folder already: judging a message should not make one.
std::unique_ptr<filters::CompiledCache> compiled_rules(const config::Config& config) {
    std::error_code ignored;
    if (!std::filesystem::is_directory(config.filter_folder(), ignored)) return nullptr;
    return std::make_unique<scan::CompiledFile>(
        config.filter_folder() + "/" + scan::compiled_file_name, nullptr);
}

}  // namespace

Result<std::unique_ptr<scan::Scanner>> make_scanner(const config::Config& config,
                                                    std::shared_ptr<filters::Models> models) {
    const auto settings = scan::settings_from(config);
    if (!settings) return settings.error();
    return scan::Scanner::make(settings->rules, settings->options, std::move(models),
                               compiled_rules(config));
}

learning::LearningOptions learning_options(const config::Config& config) {
    learning::LearningOptions options;
    options.folder = config.filter_folder();
    if (config.filter.starter_model) options.starter = config::shipped_starter_model();
    options.warn = [](std::string_view text) { note(text); };
    return options;
}

Result<std::shared_ptr<filters::Models>> load_models(const config::Config& config) {
    auto models =
        filters::make_models(config.filter.memory_bytes, config.filter.layer_memory_bytes);
    std::error_code ignored;
    if (!std::filesystem::exists(config.store_folder(), ignored)) {
        learning::take_prior(*models, learning_options(config));
        return models;
    }
    auto store = open_store(config, Opening::existing);
    if (!store) return store.error();
    auto learning = learning::Learning::open(*(*store)->kv, models, learning_options(config));
    if (!learning) return learning.error();
    return models;
}

Result<void> judge_all(const std::vector<std::string>& paths, const scan::Scanner& scanner,
                       const std::function<void(Judged)>& each) {
    auto source = mailsource::MailSource::open(paths, {});
    if (!source) return source.error();
    while (auto item = source->next()) {
        Judged judged{std::move(item->name), std::move(item->problem), {}};
        if (judged.problem.empty()) {
            judged.report = scanner.scan(item->bytes, mime::parse(item->bytes), {}, now());
        }
        each(std::move(judged));
    }
    return {};
}

}  // namespace postern::cli

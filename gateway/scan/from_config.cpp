#include "gateway/scan/from_config.h"

#include "gateway/config/rules_file.h"

namespace postern::scan {

Result<Settings> settings_from(const config::Config& config) {
    Settings settings;
    auto rules = config::load_rules(config.filter.rules);
    if (!rules) return rules.error();
    settings.rules = std::move(*rules);
    settings.options.spam_threshold = config.filter.spam_threshold;
    settings.options.unsure_threshold = config.filter.unsure_threshold;
    settings.options.scores = config.filter.scores;
    return settings;
}

}  // namespace postern::scan

// The rules and thresholds that the configuration asks for.
#pragma once

#include "filters/pipeline/pipeline.h"
#include "gateway/config/config.h"
#include "protocols/base/result.h"

#include <vector>

namespace postern::scan {

struct Settings {
    std::vector<filters::Rule> rules;
    filters::PipelineOptions options;
};

// Errors: as config::load_rules.
Result<Settings> settings_from(const config::Config& config);

}  // namespace postern::scan

// Rules, models and scanner as the command line uses them.
#pragma once

#include "appliance/cli/store_access.h"
#include "filters/models/models.h"
#include "gateway/config/config.h"
#include "gateway/learning/learning.h"
#include "gateway/mailsource/mail_source.h"
#include "gateway/scan/scanner.h"
#include "protocols/base/result.h"

#include <memory>
#include <string>
#include <vector>

namespace postern::cli {

// The rules and scores of the configuration over `models`. Errors: invalid, not_found.
Result<std::unique_ptr<scan::Scanner>> make_scanner(const config::Config& config,
                                                    std::shared_ptr<filters::Models> models);

// What was learned so far: the snapshot and the log behind it; untrained when there is no store
// yet.
Result<std::shared_ptr<filters::Models>> load_models(const config::Config& config);

learning::LearningOptions learning_options(const config::Config& config);

// A message that was read from somewhere with what the filter made of it.
struct Judged {
    std::string name;
    std::string problem;  // not empty: there is no report
    filters::Report report;
};

// Judges every message of the paths, in order. `each` is called as they come.
Result<void> judge_all(const std::vector<std::string>& paths, const scan::Scanner& scanner,
                       const std::function<void(Judged)>& each);

}  // namespace postern::cli

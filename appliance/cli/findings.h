// Findings on a terminal and in JSON.
#pragma once

#include "gateway/health/health.h"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <vector>

namespace postern::cli {

nlohmann::json json_of(const std::vector<health::Finding>& findings);

// A line each, with its remedy below it; for print_styled().
std::string text_of(const std::vector<health::Finding>& findings);

}  // namespace postern::cli

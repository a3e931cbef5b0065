// A filter report as text for a person and as JSON for a program.
#pragma once

#include "filters/report.h"

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace postern::cli {

// One line: verdict, score, probability, name, symbols with scores. Without the line end.
std::string summary_line(const std::string& name, const filters::Report& report);

// Every symbol with score, description and evidence, then the sum. Ends with a line end.
std::string full_text(const std::string& name, const filters::Report& report);

nlohmann::json to_json(const std::string& name, const filters::Report& report);

// "7.20", "-0.05"
std::string decimal(double value, int digits);

}  // namespace postern::cli

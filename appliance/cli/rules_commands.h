// The parts of "postern rules".
#pragma once

#include "appliance/cli/context.h"
#include "gateway/scan/from_config.h"

#include <map>
#include <string>

namespace CLI {
class App;
}

namespace postern::cli {

void add_rules(CLI::App& app, Action& chosen);

// Every check and rule with the score in force, by name.
std::map<std::string, double> known_rules(const scan::Settings& settings);

void add_rules_import(CLI::App& group, Action& chosen);
void add_rules_test(CLI::App& group, Action& chosen);

}  // namespace postern::cli

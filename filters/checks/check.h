// Checks: small pure functions that look for one thing each and show what they saw.
//
// A check gives a symbol its name, group, description and default score; the configuration decides
// what it is worth (PipelineOptions::scores). What is unknown never counts against a message.
#pragma once

#include "filters/features/content.h"
#include "filters/input.h"

#include <optional>
#include <string>
#include <vector>

namespace postern::filters {

struct CheckInput {
    const ScanInput& scan;
    const Content& content;
};

// What was seen, quoted; nullopt: the check does not fire.
using Finding = std::optional<std::string>;

struct Check {
    const char* name;
    const char* group;
    const char* description;
    double score;
    Finding (*run)(const CheckInput& input);
};

// All of them, each name once.
const std::vector<Check>& all_checks();

// By group, for all_checks().
std::vector<Check> header_checks();
std::vector<Check> address_checks();
std::vector<Check> body_checks();
std::vector<Check> attachment_checks();

}  // namespace postern::filters

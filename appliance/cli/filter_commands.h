// `postern filter ...`: the learned state as a whole.
#pragma once

#include "appliance/cli/context.h"

#include <string>
#include <vector>

namespace postern::cli {

struct FilterOptions {
    std::vector<std::string> sources;
    std::vector<std::string> spam;
    std::vector<std::string> ham;
    std::vector<std::string> words;
    bool dry_run = false;
    bool replace = false;
    bool forecast = true;
    std::string file;      // of export
    bool compact = false;  // of export
    bool learned = false;  // reset: what was learned here
    bool prior = false;    // reset: what was imported
    bool yes = false;
};

int filter_import(Context& context, const FilterOptions& options);
int filter_stats(Context& context);
int filter_export(Context& context, const FilterOptions& options);
int filter_reset(Context& context, const FilterOptions& options);

}  // namespace postern::cli

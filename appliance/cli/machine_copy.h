// What belongs to a gateway beside its store: configuration, certificates, keys, the learned model.
#pragma once

#include "gateway/config/config.h"
#include "protocols/base/result.h"

#include <string>
#include <vector>

namespace postern::cli {

inline constexpr std::size_t kept_machine_copies = 14;

// Adds FOLDER/machine/NAME, whole or not at all, and drops all but the last kept_machine_copies.
// Errors: unavailable.
Result<void> save_machine(const config::Config& config, const std::string& config_file,
                          const std::string& folder, const std::string& name);

// Brings the last copy not after `name` back: the configuration into the folder of `config_file`,
// the rest into the data folder. Answers files outside both that it did not touch, since they are
// there. Errors: not_found, unavailable.
Result<std::vector<std::string>> restore_machine(const config::Config& config,
                                                 const std::string& config_file,
                                                 const std::string& folder,
                                                 const std::string& name);

}  // namespace postern::cli

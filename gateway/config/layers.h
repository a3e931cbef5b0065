// The files that lie beside a configuration file and are read on top of it: local.d/*.yaml, what
// this machine has of its own, then override.d/*.yaml, what has the last word; each in the order of
// their names. A value of a later file takes the place of an earlier one, lists as a whole,
// mappings of free names (scores, transports, keys) name by name. Each file has to make sense on
// top of those before it, and is refused with its own name and line.
#pragma once

#include "protocols/base/result.h"

#include <cstddef>
#include <string>
#include <vector>

namespace postern::config {

inline constexpr std::size_t max_layers = 100;  // files of both folders together

// In the order that load_config reads them after `path`. Errors: invalid (more than max_layers),
// unavailable.
Result<std::vector<std::string>> layer_files(const std::string& path);

// backup.target of the file and its layers, which the command line alone asks for: a folder, or
// ssh:[USER@]HOST:/FOLDER; empty: none. Errors: as load_config.
Result<std::string> load_backup_target(const std::string& path);

}  // namespace postern::config

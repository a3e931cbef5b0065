// What an upgrade of a store's format leaves to go back to.
#pragma once

#include "protocols/base/result.h"
#include "store/kv/lmdb_environment.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace postern::kv {

// Where the store as it was with `format` is kept: beside it, "STORE-format-2".
std::string snapshot_folder(const std::string& store_folder, std::uint32_t format);

// Makes all of them environments of lmdb_format_version. Before the first is changed, a copy of all
// goes to snapshot_folder, whole or not at all; a folder of that name that is there already, as
// after an upgrade that was cut short, stands for the copy. Nothing happens when all are of this
// version. Blocks for as long as copying takes. Errors: unavailable (no room, with what to do).
Result<void> upgrade_environments(
    const std::string& store_folder,
    const std::vector<std::unique_ptr<LmdbEnvironment>>& environments);

}  // namespace postern::kv

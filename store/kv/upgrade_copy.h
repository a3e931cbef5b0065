// What open_lmdb_store leaves beside a store whose format it upgraded.
#pragma once

#include <string>

namespace postern::kv {

// The folder with the store as it was before its newest upgrade; empty when there is none. It is
// the admin's to remove.
std::string copy_before_upgrade(const std::string& store_folder);

}  // namespace postern::kv

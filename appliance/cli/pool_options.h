// Putting a user into a quota pool, from `pool assign` and `user add --pool`.
#pragma once

#include "appliance/cli/store_access.h"
#include "store/mail/pools.h"

#include <string>

namespace postern::cli {

inline constexpr const char* no_pool = "none";

// `pool` may be no_pool; an empty cap is none. Errors: not_found, invalid, unavailable.
Result<void> assign_pool(StoreAccess& store, const std::string& address, const std::string& pool,
                         const std::string& cap);

}  // namespace postern::cli

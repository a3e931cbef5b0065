// Whether an address that the DNS names as a mail server's leads back to this gateway.
#pragma once

#include "gateway/config/config.h"

#include <cstdint>
#include <string>

namespace postern::outbound {

// address: numeric. True: this machine has it, and an smtp listener takes connections to it at that
// port. Behind NAT it is false: only names tell there.
bool is_own_address(const config::Config& config, const std::string& address, std::uint16_t port);

}  // namespace postern::outbound

// What the configuration means for a domain's records in the DNS.
#pragma once

#include "gateway/config/config.h"
#include "gateway/health/records.h"
#include "protocols/base/result.h"

#include <string>

namespace postern::cli {

// Errors: those of reading the domain's DKIM key.
Result<health::DomainPlan> plan_of(const config::Config& config, const std::string& domain);

}  // namespace postern::cli

// The pages of the http, https and metrics listeners.
#pragma once

#include "gateway/autoconfig/autoconfig.h"
#include "gateway/config/current.h"
#include "gateway/http/http.h"

#include <functional>
#include <string>

namespace postern::serve {

inline constexpr std::size_t max_acme_token_bytes = 256;
inline constexpr std::size_t max_acme_answer_bytes = 4096;

// Settings for mail programs, the MTA-STS policy (over TLS only), ACME challenges (RFC 8555 section
// 8.3; `certbot --webroot -w DATA_DIR/acme` writes them). Only for domains that `is_ours` knows.
http::Response public_page(const http::Request& request, const config::Config& config,
                           const autoconfig::Offer& offer,
                           const std::function<bool(const std::string& domain)>& is_ours);

}  // namespace postern::serve

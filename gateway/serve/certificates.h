// Which certificate is shown to whoever asks for no name of another.
#pragma once

#include "gateway/config/config.h"
#include "gateway/net/tls.h"

namespace postern::serve {

// What the configuration names, else what came by ACME when it did. Empty names: neither, so a
// self-signed one.
net::CertificateFiles chosen_certificate(const config::Config& config);

}  // namespace postern::serve

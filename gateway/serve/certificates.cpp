#include "gateway/serve/certificates.h"

#include <unistd.h>

namespace postern::serve {

net::CertificateFiles chosen_certificate(const config::Config& config) {
    if (!config.tls.certificate.empty()) return {config.tls.certificate, config.tls.key, false};
    if (!config.by_acme()) return {};
    net::CertificateFiles files{config.acme_certificate(), config.acme_key(), false};
    const bool came = ::access(files.certificate.c_str(), F_OK) == 0 &&
                      ::access(files.key.c_str(), F_OK) == 0;
    return came ? files : net::CertificateFiles();
}

}  // namespace postern::serve

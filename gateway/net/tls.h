// TLS as the whole gateway speaks it: one place for versions, ciphers and certificates.
//
// Policy: TLS 1.2 and 1.3; in 1.2 only ECDHE with AEAD ciphers; no compression, no renegotiation.
#pragma once

#include "protocols/base/result.h"

#include <memory>
#include <string>

struct ssl_ctx_st;

namespace postern::net {

// A certificate with its key, ready for handshakes. Immutable; sessions keep the one they began
// with.
class TlsContext {
public:
    // PEM files, the certificate first and its chain after it. Errors: not_found, invalid (does not
    // parse, key and certificate do not belong together).
    static Result<std::shared_ptr<const TlsContext>> load(const std::string& certificate_file,
                                                          const std::string& key_file);
    ~TlsContext();
    TlsContext(const TlsContext&) = delete;
    TlsContext& operator=(const TlsContext&) = delete;

    ssl_ctx_st* native() const { return context_; }
    const std::string& fingerprint() const { return fingerprint_; }  // SHA-256, hex

private:
    explicit TlsContext(ssl_ctx_st* context) : context_(context) {}

    ssl_ctx_st* context_;
    std::string fingerprint_;
};

struct CertificateFiles {
    std::string certificate;
    std::string key;
    bool made = false;  // by this call
};

// The self-signed certificate in `folder`, made when it is missing: ECDSA P-256, for `hostname`,
// valid ten years, the key readable by its owner alone. Errors: unavailable (cannot be written).
Result<CertificateFiles> ensure_self_signed(const std::string& folder, const std::string& hostname);

}  // namespace postern::net

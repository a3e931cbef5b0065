// TLS as the whole gateway speaks it: one place for versions, ciphers and certificates.
//
// Policy: TLS 1.2 and 1.3; in 1.2 only ECDHE with AEAD ciphers; no compression, no renegotiation.
// Session tickets are sealed with keys that change twice a day. A client that names protocols
// (ALPN, RFC 7301) and not ours is turned away, so that no browser can be led into a mail session.
#pragma once

#include "protocols/base/result.h"
#include "protocols/base/time.h"

#include <memory>
#include <string>
#include <vector>

struct ssl_ctx_st;
struct ssl_st;

namespace postern::net {

class TicketKeys;

struct CertificateFiles {
    std::string certificate;
    std::string key;
    bool made = false;  // by this call
};

// Certificates with their keys, ready for handshakes. Immutable; sessions keep the one they began
// with.
class TlsContext {
public:
    // PEM files, the certificate first and its chain after it. Errors: not_found, invalid (does not
    // parse, key and certificate do not belong together).
    //
    // `more`: certificates for other names. A client that asks for a name (SNI, RFC 6066) gets the
    // first one of them that is valid for it, `*.example.org` included; else the one above.
    static Result<std::shared_ptr<const TlsContext>> load(
        const std::string& certificate_file, const std::string& key_file,
        const std::vector<CertificateFiles>& more = {});
    ~TlsContext();
    TlsContext(const TlsContext&) = delete;
    TlsContext& operator=(const TlsContext&) = delete;

    // A server's session; alpn: what a client that names protocols must name, "imap"; empty:
    // anything. nullptr: no memory. The caller owns it, and must keep this alive as long.
    ssl_st* make_session(const char* alpn) const;
    const std::string& fingerprint() const { return fingerprint_; }  // SHA-256, hex
    Time expires() const { return expires_; }          // the first of all certificates that does
    bool self_signed() const { return self_signed_; }  // the one without a name
    bool names(const std::string& host) const;         // whether one of them is valid for the host

private:
    TlsContext();

    std::unique_ptr<TicketKeys> tickets_;
    std::vector<ssl_ctx_st*> contexts_;  // the first serves whoever asks for no name of another
    std::string fingerprint_;
    Time expires_{};
    bool self_signed_ = false;
};

// The self-signed certificate in `folder`, made when it is missing: ECDSA P-256, for `hostname`,
// valid ten years, the key readable by its owner alone. Errors: unavailable (cannot be written).
Result<CertificateFiles> ensure_self_signed(const std::string& folder, const std::string& hostname);

}  // namespace postern::net

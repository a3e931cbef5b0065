#include "gateway/net/client_tls.h"

#include "protocols/wire/ip_address.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <map>
#include <memory>
#include <mutex>

namespace postern::net {

namespace {

struct FreeContext {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
struct FreeSession {
    void operator()(SSL* session) const { SSL_free(session); }
};
using Context = std::unique_ptr<SSL_CTX, FreeContext>;
using TlsSession = std::unique_ptr<SSL, FreeSession>;

Context make_context(const std::string& ca_file) {
    Context context(SSL_CTX_new(TLS_client_method()));
    if (!context) return nullptr;
    SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
    SSL_CTX_set_options(context.get(), SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                        SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_AUTO_RETRY);
    SSL_CTX_dane_enable(context.get());
    const bool trusted = ca_file.empty()
                             ? SSL_CTX_set_default_verify_paths(context.get()) == 1
                             : SSL_CTX_load_verify_file(context.get(), ca_file.c_str()) == 1;
    ERR_clear_error();
    return trusted ? std::move(context) : nullptr;
}

// Loading the system's roots takes milliseconds: once for each CA file.
SSL_CTX* context_for(const std::string& ca_file) {
    static std::mutex mutex;
    static std::map<std::string, Context> made;
    std::lock_guard lock(mutex);
    auto& context = made[ca_file];
    if (!context) context = make_context(ca_file);
    return context.get();
}

bool add_tlsa(SSL* session, const TlsPeer& peer) {
    if (SSL_dane_enable(session, peer.hostname.c_str()) != 1) return false;
    SSL_set_hostflags(session, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    for (const auto& name : peer.more_names) {
        if (SSL_add1_host(session, name.c_str()) != 1) return false;
    }
    bool usable = false;
    for (const Tlsa& each : peer.tlsa) {
        if (!each.is_usable()) continue;
        const auto* data = reinterpret_cast<const unsigned char*>(each.data.data());
        usable |= SSL_dane_tlsa_add(session, each.usage, each.selector, each.matching, data,
                                    each.data.size()) == 1;
    }
    // A name in the certificate of a DANE-EE record does not matter (section 3.1.1).
    SSL_dane_set_flags(session, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
    return usable;
}

}  // namespace

// DANE-TA(2) and DANE-EE(3); matching 1 and 2 are SHA-256 and SHA-512 (RFC 6698 section 7).
bool Tlsa::is_usable() const {
    const std::size_t digest_bytes = matching == 1 ? 32 : matching == 2 ? 64 : data.size();
    return (usage == 2 || usage == 3) && selector <= 1 && matching <= 2 && !data.empty() &&
           data.size() == digest_bytes;
}

Result<ssl_st*> make_client_session(const TlsPeer& peer) {
    SSL_CTX* context = context_for(peer.ca_file);
    if (context == nullptr) {
        return Error{Errc::invalid, "the CA certificates cannot be read: " +
                                        (peer.ca_file.empty() ? "the system's" : peer.ca_file)};
    }
    TlsSession session(SSL_new(context));
    if (!session) return Error{Errc::unavailable, "no memory for TLS"};
    const bool numeric = wire::parse_ip(peer.hostname).has_value();
    // Records of which none can be used ask for TLS, no more (RFC 7672 section 2.2).
    if (!peer.tlsa.empty() && add_tlsa(session.get(), peer)) {
        SSL_set_verify(session.get(), SSL_VERIFY_PEER, nullptr);
    } else if (peer.verify) {
        SSL_set_hostflags(session.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        // Without a name OpenSSL would take anybody's certificate.
        const bool named = numeric ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session.get()),
                                                                   peer.hostname.c_str()) == 1
                                   : !peer.hostname.empty() &&
                                         SSL_set1_host(session.get(), peer.hostname.c_str()) == 1;
        if (!named) return Error{Errc::invalid, "no name to verify the certificate for"};
        SSL_set_verify(session.get(), SSL_VERIFY_PEER, nullptr);
    }
    if (!peer.hostname.empty() && !numeric)
        SSL_set_tlsext_host_name(session.get(), peer.hostname.c_str());
    ERR_clear_error();
    return session.release();
}

}  // namespace postern::net

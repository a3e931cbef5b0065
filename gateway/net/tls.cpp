#include "gateway/net/tls.h"

#include "gateway/net/ticket_keys.h"

#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <string_view>

namespace postern::net {

namespace {

constexpr const char* tls12_ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20";

std::string openssl_error() {
    const auto code = ERR_peek_last_error();
    const char* reason = code != 0 ? ERR_reason_error_string(code) : nullptr;
    ERR_clear_error();
    return reason != nullptr ? reason : "unknown reason";
}

std::string hex(const unsigned char* bytes, unsigned count) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string out;
    for (unsigned i = 0; i < count; ++i) {
        out += digits[bytes[i] >> 4];
        out += digits[bytes[i] & 15];
    }
    return out;
}

// RFC 7301 section 3.2: a client whose protocols are all unknown is told so and turned away.
int choose_protocol(SSL* session, const unsigned char** chosen, unsigned char* chosen_size,
                    const unsigned char* offered, unsigned offered_size, void*) {
    const auto* ours = static_cast<const char*>(SSL_get_app_data(session));
    if (ours == nullptr) return SSL_TLSEXT_ERR_NOACK;
    for (unsigned at = 0; at < offered_size; at += 1 + offered[at]) {
        const std::string_view name(reinterpret_cast<const char*>(offered) + at + 1, offered[at]);
        if (name != ours) continue;
        *chosen = offered + at + 1;
        *chosen_size = offered[at];
        return SSL_TLSEXT_ERR_OK;
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

// A session is resumed only for the name and the protocol it was made for (RFC 6066 section 3).
int tie_session(SSL* session, int*, void*) {
    const unsigned char* names = nullptr;
    std::size_t names_size = 0;
    SSL_client_hello_get0_ext(session, TLSEXT_TYPE_server_name, &names, &names_size);
    const auto* protocol = static_cast<const char*>(SSL_get_app_data(session));
    std::string use = protocol != nullptr ? protocol : "";
    use += '\0';
    if (names_size > 0) use.append(reinterpret_cast<const char*>(names), names_size);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    const bool done =
        EVP_Digest(use.data(), use.size(), digest, &size, EVP_sha256(), nullptr) == 1 &&
        SSL_set_session_id_context(session, digest, size) == 1;
    return done ? SSL_CLIENT_HELLO_SUCCESS : SSL_CLIENT_HELLO_ERROR;
}

int choose_certificate(SSL* session, int*, void* list) {
    const char* name = SSL_get_servername(session, TLSEXT_NAMETYPE_host_name);
    if (name == nullptr) return SSL_TLSEXT_ERR_OK;
    const auto& contexts = *static_cast<const std::vector<SSL_CTX*>*>(list);
    for (std::size_t i = 1; i < contexts.size(); ++i) {
        X509* certificate = SSL_CTX_get0_certificate(contexts[i]);
        if (X509_check_host(certificate, name, std::strlen(name), 0, nullptr) != 1) continue;
        SSL_set_SSL_CTX(session, contexts[i]);
        break;
    }
    return SSL_TLSEXT_ERR_OK;
}

bool use(const TicketKey& key, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
         bool encrypt) {
    char digest[] = "SHA256";
    OSSL_PARAM mac_parameters[] = {
        OSSL_PARAM_construct_octet_string(
            OSSL_MAC_PARAM_KEY, const_cast<unsigned char*>(key.mac.data()), key.mac.size()),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end()};
    return EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key.aes.data(), iv,
                             encrypt ? 1 : 0) == 1 &&
           EVP_MAC_CTX_set_params(mac, mac_parameters) == 1;
}

// As SSL_CTX_set_tlsext_ticket_key_evp_cb asks: -1 fails, 0 goes on without a ticket, 1 uses it,
// 2 uses it and gives the client a new one.
int seal_ticket(SSL* session, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                EVP_MAC_CTX* mac, int encrypt) {
    auto* keys = static_cast<TicketKeys*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(session)));
    const auto now = TicketKeys::Clock::now();
    if (encrypt != 0) {
        const auto key = keys->current(now);
        if (!key || RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1) return 0;
        std::memcpy(name, key->name.data(), key->name.size());
        return use(*key, iv, cipher, mac, true) ? 1 : -1;
    }
    const auto found = keys->find(name, now);
    if (!found) return 0;
    if (!use(found->key, iv, cipher, mac, false)) return -1;
    return found->renew ? 2 : 1;
}

void apply_policy(SSL_CTX* context, TicketKeys* tickets) {
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(context, tls12_ciphers);
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    // Released buffers keep an idle connection small; partial writes let back-pressure work.
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_app_data(context, tickets);
    SSL_CTX_set_tlsext_ticket_key_evp_cb(context, seal_ticket);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
}

std::string fingerprint_of(SSL_CTX* context) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    X509* certificate = SSL_CTX_get0_certificate(context);
    if (certificate == nullptr || X509_digest(certificate, EVP_sha256(), digest, &length) != 1)
        return "";
    return hex(digest, length);
}

Time expiry_of(SSL_CTX* context) {
    std::tm parts{};
    X509* certificate = SSL_CTX_get0_certificate(context);
    if (certificate == nullptr || ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &parts) != 1) {
        return {};
    }
    return from_unix_ms(std::int64_t{timegm(&parts)} * 1000);
}

bool is_self_signed(SSL_CTX* context) {
    X509* certificate = SSL_CTX_get0_certificate(context);
    return certificate != nullptr && X509_NAME_cmp(X509_get_subject_name(certificate),
                                                   X509_get_issuer_name(certificate)) == 0;
}

Result<void> load_files(SSL_CTX* context, const CertificateFiles& files) {
    for (const auto& file : {files.certificate, files.key}) {
        const int handle = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
        if (handle < 0 && errno == ENOENT) return Error{Errc::not_found, file + ": no such file"};
        if (handle < 0) {
            return Error{Errc::invalid,
                         file + ": the gateway's user cannot read it: " + std::strerror(errno)};
        }
        ::close(handle);
    }
    if (SSL_CTX_use_certificate_chain_file(context, files.certificate.c_str()) != 1) {
        return Error{Errc::invalid,
                     files.certificate + ": expected a PEM certificate: " + openssl_error()};
    }
    if (SSL_CTX_use_PrivateKey_file(context, files.key.c_str(), SSL_FILETYPE_PEM) != 1) {
        return Error{Errc::invalid, files.key + ": expected the PEM key of " + files.certificate +
                                        ": " + openssl_error()};
    }
    return {};
}

}  // namespace

TlsContext::TlsContext() : tickets_(std::make_unique<TicketKeys>()) {}

TlsContext::~TlsContext() {
    for (SSL_CTX* context : contexts_) SSL_CTX_free(context);
}

Result<std::shared_ptr<const TlsContext>> TlsContext::load(
    const std::string& certificate_file, const std::string& key_file,
    const std::vector<CertificateFiles>& more) {
    std::shared_ptr<TlsContext> made(new TlsContext);
    std::vector<CertificateFiles> all{{certificate_file, key_file, false}};
    all.insert(all.end(), more.begin(), more.end());
    for (const auto& files : all) {
        SSL_CTX* context = SSL_CTX_new(TLS_server_method());
        if (context == nullptr) return Error{Errc::unavailable, "TLS: " + openssl_error()};
        made->contexts_.push_back(context);
        apply_policy(context, made->tickets_.get());
        if (const auto loaded = load_files(context, files); !loaded) return loaded.error();
    }
    SSL_CTX* first = made->contexts_.front();
    SSL_CTX_set_client_hello_cb(first, tie_session, nullptr);
    SSL_CTX_set_tlsext_servername_callback(first, choose_certificate);
    SSL_CTX_set_tlsext_servername_arg(first, &made->contexts_);
    made->fingerprint_ = fingerprint_of(first);
    made->self_signed_ = is_self_signed(first);
    made->expires_ = expiry_of(first);
    for (SSL_CTX* context : made->contexts_) {
        made->expires_ = std::min(made->expires_, expiry_of(context));
    }
    return std::shared_ptr<const TlsContext>(std::move(made));
}

bool TlsContext::names(const std::string& host) const {
    return std::any_of(contexts_.begin(), contexts_.end(), [&](SSL_CTX* context) {
        X509* certificate = SSL_CTX_get0_certificate(context);
        return certificate != nullptr &&
               X509_check_host(certificate, host.data(), host.size(), 0, nullptr) == 1;
    });
}

ssl_st* TlsContext::make_session(const char* alpn) const {
    SSL* session = SSL_new(contexts_.front());
    if (session != nullptr && alpn != nullptr && *alpn != '\0') {
        SSL_set_app_data(session, const_cast<char*>(alpn));
    }
    return session;
}

}  // namespace postern::net

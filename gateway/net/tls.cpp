#include "gateway/net/tls.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>

#include <filesystem>

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

void apply_policy(SSL_CTX* context) {
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(context, tls12_ciphers);
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    // Released buffers keep an idle connection small; partial writes let back-pressure work.
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_AUTO_RETRY);
    static constexpr unsigned char session_context[] = "postern";
    SSL_CTX_set_session_id_context(context, session_context, sizeof session_context - 1);
}

std::string fingerprint_of(SSL_CTX* context) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    X509* certificate = SSL_CTX_get0_certificate(context);
    if (certificate == nullptr || X509_digest(certificate, EVP_sha256(), digest, &length) != 1)
        return "";
    return hex(digest, length);
}

}  // namespace

TlsContext::~TlsContext() {
    SSL_CTX_free(context_);
}

Result<std::shared_ptr<const TlsContext>> TlsContext::load(const std::string& certificate_file,
                                                           const std::string& key_file) {
    for (const auto& file : {certificate_file, key_file}) {
        std::error_code ignored;
        if (!std::filesystem::exists(file, ignored)) {
            return Error{Errc::not_found, file + ": no such file"};
        }
    }
    SSL_CTX* context = SSL_CTX_new(TLS_server_method());
    if (context == nullptr) return Error{Errc::unavailable, "TLS: " + openssl_error()};
    std::shared_ptr<TlsContext> made(new TlsContext(context));
    apply_policy(context);
    if (SSL_CTX_use_certificate_chain_file(context, certificate_file.c_str()) != 1) {
        return Error{Errc::invalid,
                     certificate_file + ": expected a PEM certificate: " + openssl_error()};
    }
    if (SSL_CTX_use_PrivateKey_file(context, key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
        return Error{Errc::invalid, key_file + ": expected the PEM key of " + certificate_file +
                                        ": " + openssl_error()};
    }
    made->fingerprint_ = fingerprint_of(context);
    return std::shared_ptr<const TlsContext>(std::move(made));
}

}  // namespace postern::net

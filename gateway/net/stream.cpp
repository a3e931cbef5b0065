#include "gateway/net/stream.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <climits>

namespace postern::net {

Stream::~Stream() {
    SSL_free(ssl_);
}

IoResult Stream::read(char* into, std::size_t size) {
    if (ssl_ != nullptr) {
        ERR_clear_error();
        std::size_t bytes = 0;
        const int returned = SSL_read_ex(ssl_, into, std::min<std::size_t>(size, INT_MAX), &bytes);
        if (returned != 1) return tls_outcome(returned);
        may_have_more_ = true;
        return {Io::done, bytes};
    }
    ssize_t got = 0;
    do got = ::recv(fd_, into, size, 0);
    while (got < 0 && errno == EINTR);
    may_have_more_ = got == static_cast<ssize_t>(size);
    if (got > 0) return {Io::done, static_cast<std::size_t>(got)};
    if (got == 0) return {Io::end, 0};
    return {errno == EAGAIN || errno == EWOULDBLOCK ? Io::needs_read : Io::failed, 0};
}

IoResult Stream::write(std::string_view bytes) {
    if (ssl_ != nullptr) {
        ERR_clear_error();
        std::size_t sent = 0;
        const int returned =
            SSL_write_ex(ssl_, bytes.data(), std::min<std::size_t>(bytes.size(), INT_MAX), &sent);
        return returned == 1 ? IoResult{Io::done, sent} : tls_outcome(returned);
    }
    ssize_t sent = 0;
    do sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent >= 0) return {Io::done, static_cast<std::size_t>(sent)};
    return {errno == EAGAIN || errno == EWOULDBLOCK ? Io::needs_write : Io::failed, 0};
}

IoResult Stream::tls_outcome(int returned) {
    may_have_more_ = false;
    switch (SSL_get_error(ssl_, returned)) {
        case SSL_ERROR_WANT_READ:
            return {Io::needs_read, 0};
        case SSL_ERROR_WANT_WRITE:
            return {Io::needs_write, 0};
        case SSL_ERROR_ZERO_RETURN:
            return {Io::end, 0};
        default:
            break;
    }
    const auto code = ERR_peek_last_error();
    const char* reason = code != 0 ? ERR_reason_error_string(code) : nullptr;
    failure_ = reason != nullptr ? reason : "connection lost";
    const long verdict = SSL_get_verify_result(ssl_);
    if (verdict != X509_V_OK && SSL_get_verify_mode(ssl_) != SSL_VERIFY_NONE) {
        failure_ = X509_verify_cert_error_string(verdict);
    }
    ERR_clear_error();
    established_ = false;
    return {Io::failed, 0};
}

bool Stream::start_tls(std::shared_ptr<const TlsContext> context, const char* alpn) {
    context_ = std::move(context);
    ssl_ = context_->make_session(alpn);
    if (ssl_ == nullptr || SSL_set_fd(ssl_, fd_) != 1) return false;
    SSL_set_accept_state(ssl_);
    return true;
}

bool Stream::start_client_tls(ssl_st* session) {
    ssl_ = session;
    if (SSL_set_fd(ssl_, fd_) != 1) return false;
    SSL_set_connect_state(ssl_);
    return true;
}

IoResult Stream::handshake() {
    ERR_clear_error();
    const int returned = SSL_do_handshake(ssl_);
    if (returned != 1) return tls_outcome(returned);
    established_ = true;
    may_have_more_ = true;  // application data may have come along with the last flight
    return {Io::done, 0};
}

std::string Stream::protocol() const {
    return established_ ? SSL_get_version(ssl_) : "";
}
std::string Stream::cipher() const {
    return established_ ? SSL_get_cipher_name(ssl_) : "";
}

namespace {

// RFC 5929 section 4.1: the certificate under the hash of its signature, but never a weak one.
std::string certificate_hash(SSL* ssl) {
    X509* certificate = SSL_get_certificate(ssl);
    if (certificate == nullptr) return "";
    int digest_nid = NID_undef;
    OBJ_find_sigid_algs(X509_get_signature_nid(certificate), &digest_nid, nullptr);
    const EVP_MD* digest = EVP_get_digestbynid(digest_nid);
    if (digest == nullptr || digest_nid == NID_md5 || digest_nid == NID_sha1) {
        digest = EVP_sha256();
    }
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (X509_digest(certificate, digest, out, &size) != 1) return "";
    return {reinterpret_cast<const char*>(out), size};
}

}  // namespace

std::string Stream::channel_binding(std::string_view type) const {
    if (!established_) return "";
    if (type == "tls-server-end-point") return certificate_hash(ssl_);
    if (type != "tls-exporter") return "";
    // Before TLS 1.3 two connections can share a master secret without it (RFC 9266 section 4.2).
    if (SSL_version(ssl_) < TLS1_3_VERSION && SSL_get_extms_support(ssl_) != 1) return "";
    static constexpr std::string_view label = "EXPORTER-Channel-Binding";
    unsigned char out[32];
    const int done = SSL_export_keying_material(ssl_, out, sizeof out, label.data(), label.size(),
                                                nullptr, 0, 1);
    return done == 1 ? std::string(reinterpret_cast<const char*>(out), sizeof out) : "";
}

void Stream::close_notify() {
    if (established_) SSL_shutdown(ssl_);
    ERR_clear_error();
}

}  // namespace postern::net

#include "gateway/crypto/crypto.h"

#include "gateway/crypto/octets.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

#include <cstdio>
#include <cstdlib>

namespace postern::crypto {

namespace {

constexpr std::size_t digest_bytes = 32;
constexpr int min_rsa_bits = 1024;  // RFC 8301 section 3.2

struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
};
struct FreeDigest {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

}  // namespace

std::string sha1(std::string_view bytes) {
    std::string out(20, '\0');
    EVP_Digest(bytes.data(), bytes.size(), data_of(out), nullptr, EVP_sha1(), nullptr);
    return out;
}

std::string sha256(std::string_view bytes) {
    std::string out(digest_bytes, '\0');
    EVP_Digest(bytes.data(), bytes.size(), data_of(out), nullptr, EVP_sha256(), nullptr);
    return out;
}

std::string hmac_sha256(std::string_view key, std::string_view bytes) {
    std::string out(digest_bytes, '\0');
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), data_of(bytes), bytes.size(),
         data_of(out), nullptr);
    return out;
}

std::string pbkdf2_sha256(std::string_view password, std::string_view salt,
                          std::uint32_t iterations) {
    std::string out(digest_bytes, '\0');
    PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), data_of(salt),
                      static_cast<int>(salt.size()), static_cast<int>(iterations), EVP_sha256(),
                      static_cast<int>(out.size()), data_of(out));
    return out;
}

std::string random_bytes(std::size_t count) {
    std::string out(count, '\0');
    // Secrets that can be guessed are worse than none.
    if (RAND_bytes(data_of(out), static_cast<int>(count)) != 1) std::abort();
    return out;
}

bool equal(std::string_view a, std::string_view b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

Result<std::shared_ptr<const PrivateKey>> PrivateKey::load(const std::string& file) {
    const std::unique_ptr<std::FILE, CloseFile> in(std::fopen(file.c_str(), "r"));
    if (!in) return Error{Errc::not_found, file + ": cannot be opened"};
    EVP_PKEY* key = PEM_read_PrivateKey(in.get(), nullptr, nullptr, nullptr);
    ERR_clear_error();
    if (key == nullptr) return Error{Errc::invalid, file + ": expected a private key in PEM"};
    const int kind = EVP_PKEY_get_base_id(key);
    std::shared_ptr<const PrivateKey> made(new PrivateKey(key, kind == EVP_PKEY_ED25519));
    if (kind != EVP_PKEY_ED25519 &&
        (kind != EVP_PKEY_RSA || EVP_PKEY_get_bits(key) < min_rsa_bits)) {
        return Error{Errc::invalid, file + ": expected an Ed25519 key, or RSA of at least " +
                                        std::to_string(min_rsa_bits) + " bits"};
    }
    return made;
}

PrivateKey::~PrivateKey() {
    EVP_PKEY_free(key_);
}

Result<std::string> PrivateKey::sign(std::string_view bytes) const {
    const std::unique_ptr<EVP_MD_CTX, FreeDigest> context(EVP_MD_CTX_new());
    const EVP_MD* digest = ed25519_ ? nullptr : EVP_sha256();
    std::size_t size = 0;
    const bool sized =
        context && EVP_DigestSignInit(context.get(), nullptr, digest, nullptr, key_) == 1 &&
        EVP_DigestSign(context.get(), nullptr, &size, data_of(bytes), bytes.size()) == 1;
    std::string out(size, '\0');
    if (!sized ||
        EVP_DigestSign(context.get(), data_of(out), &size, data_of(bytes), bytes.size()) != 1) {
        ERR_clear_error();
        return Error{Errc::internal, "signing failed"};
    }
    out.resize(size);
    return out;
}

Result<std::string> PrivateKey::public_bytes() const {
    if (ed25519_) {
        std::string raw(32, '\0');
        std::size_t size = raw.size();
        if (EVP_PKEY_get_raw_public_key(key_, data_of(raw), &size) == 1 && size == raw.size()) {
            return raw;
        }
    } else {
        unsigned char* der = nullptr;
        const int size = i2d_PUBKEY(key_, &der);
        if (size > 0) {
            std::string bytes(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
            OPENSSL_free(der);
            return bytes;
        }
    }
    ERR_clear_error();
    return Error{Errc::internal, "the key has no public half"};
}

}  // namespace postern::crypto

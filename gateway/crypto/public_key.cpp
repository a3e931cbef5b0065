#include "gateway/crypto/public_key.h"

#include "gateway/crypto/octets.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <string>

namespace postern::crypto {

namespace {

constexpr std::size_t coordinate_bytes = 32;

template <auto free_it>
struct Free {
    template <class T>
    void operator()(T* owned) const {
        free_it(owned);
    }
};
using Number = std::unique_ptr<BIGNUM, Free<BN_free>>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, Free<OSSL_PARAM_BLD_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, Free<OSSL_PARAM_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Free<EVP_PKEY_CTX_free>>;
using Digest = std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX_free>>;
using EcdsaSignature = std::unique_ptr<ECDSA_SIG, Free<ECDSA_SIG_free>>;

Number number_of(std::string_view bytes) {
    return Number(BN_bin2bn(data_of(bytes), static_cast<int>(bytes.size()), nullptr));
}

EVP_PKEY* make_key(const char* type, OSSL_PARAM* parameters) {
    const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
    EVP_PKEY* key = nullptr;
    const bool made = context && parameters != nullptr &&
                      EVP_PKEY_fromdata_init(context.get()) == 1 &&
                      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters) == 1;
    ERR_clear_error();
    return made ? key : nullptr;
}

Error no_key(const char* expected) {
    return {Errc::invalid, std::string("expected ") + expected};
}

// The numbers r and s as OpenSSL wants them: a DER sequence.
std::string der_of(std::string_view signature) {
    const EcdsaSignature both(ECDSA_SIG_new());
    Number r = number_of(signature.substr(0, coordinate_bytes));
    Number s = number_of(signature.substr(coordinate_bytes));
    if (!both || !r || !s || ECDSA_SIG_set0(both.get(), r.get(), s.get()) != 1) return "";
    (void)r.release();  // set0 took them
    (void)s.release();
    unsigned char* der = nullptr;
    const int size = i2d_ECDSA_SIG(both.get(), &der);
    if (size <= 0) return "";
    std::string out(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
    OPENSSL_free(der);
    return out;
}

}  // namespace

Result<std::shared_ptr<const PublicKey>> PublicKey::rsa(std::string_view modulus,
                                                        std::string_view exponent) {
    const Builder builder(OSSL_PARAM_BLD_new());
    const Number n = number_of(modulus);
    const Number e = number_of(exponent);
    const bool filled = builder && n && e &&
                        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) &&
                        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get());
    const Parameters parameters(filled ? OSSL_PARAM_BLD_to_param(builder.get()) : nullptr);
    EVP_PKEY* key = make_key("RSA", parameters.get());
    if (key == nullptr) return no_key("an RSA key");
    std::shared_ptr<const PublicKey> made(new PublicKey(key, Kind::rsa));
    if (EVP_PKEY_get_bits(key) < min_token_rsa_bits) return no_key("RSA of at least 2048 bits");
    return made;
}

Result<std::shared_ptr<const PublicKey>> PublicKey::p256(std::string_view x, std::string_view y) {
    if (x.size() != coordinate_bytes || y.size() != coordinate_bytes) {
        return no_key("coordinates of 32 bytes");
    }
    std::string point = "\x04";  // uncompressed
    point.append(x).append(y);
    char group[] = "prime256v1";
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
        OSSL_PARAM_construct_end()};
    EVP_PKEY* key = make_key("EC", parameters);
    if (key == nullptr) return no_key("a point of the curve P-256");
    return std::shared_ptr<const PublicKey>(new PublicKey(key, Kind::p256));
}

Result<std::shared_ptr<const PublicKey>> PublicKey::ed25519(std::string_view x) {
    EVP_PKEY* key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, data_of(x), x.size());
    ERR_clear_error();
    if (key == nullptr) return no_key("an Ed25519 key of 32 bytes");
    return std::shared_ptr<const PublicKey>(new PublicKey(key, Kind::ed25519));
}

PublicKey::~PublicKey() {
    EVP_PKEY_free(key_);
}

bool PublicKey::verify(std::string_view bytes, std::string_view signature) const {
    std::string der;
    if (kind_ == Kind::p256) {
        if (signature.size() != 2 * coordinate_bytes) return false;
        der = der_of(signature);
        signature = der;
    }
    const Digest context(EVP_MD_CTX_new());
    const EVP_MD* digest = kind_ == Kind::ed25519 ? nullptr : EVP_sha256();
    const bool good = context &&
                      EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, key_) == 1 &&
                      EVP_DigestVerify(context.get(), data_of(signature), signature.size(),
                                       data_of(bytes), bytes.size()) == 1;
    ERR_clear_error();
    return good;
}

}  // namespace postern::crypto

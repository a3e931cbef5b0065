// Public keys that check signatures, made from the numbers in which JSON Web Keys carry them.
//
// Thread rule: immutable, any thread.
#pragma once

#include "protocols/base/result.h"

#include <cstdint>
#include <memory>
#include <string_view>

struct evp_pkey_st;

namespace postern::crypto {

inline constexpr int min_token_rsa_bits = 2048;  // RFC 7518 section 3.3

class PublicKey {
public:
    enum class Kind : std::uint8_t { rsa, p256, ed25519 };

    // Big-endian numbers (RFC 7518 section 6.3.1). Errors: invalid (no key, RSA that is too short).
    static Result<std::shared_ptr<const PublicKey>> rsa(std::string_view modulus,
                                                        std::string_view exponent);
    // Coordinates of 32 bytes each (RFC 7518 section 6.2.1). Errors: invalid (not on the curve).
    static Result<std::shared_ptr<const PublicKey>> p256(std::string_view x, std::string_view y);
    // 32 bytes (RFC 8037 section 2). Errors: invalid.
    static Result<std::shared_ptr<const PublicKey>> ed25519(std::string_view x);

    ~PublicKey();
    PublicKey(const PublicKey&) = delete;
    PublicKey& operator=(const PublicKey&) = delete;

    Kind kind() const { return kind_; }
    // RSA: PKCS #1 v1.5 with SHA-256; P-256: ECDSA with SHA-256, the signature being the two
    // numbers of 32 bytes each (RFC 7518 section 3.4); Ed25519: over the bytes themselves.
    bool verify(std::string_view bytes, std::string_view signature) const;

private:
    PublicKey(evp_pkey_st* key, Kind kind) : key_(key), kind_(kind) {}

    evp_pkey_st* key_;
    Kind kind_;
};

}  // namespace postern::crypto

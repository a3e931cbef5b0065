// The few primitives that mail needs, from OpenSSL's libcrypto.
//
// Thread rule: any function from any thread.
#pragma once

#include "protocols/base/result.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct evp_pkey_st;

namespace postern::crypto {

std::string sha1(std::string_view bytes);    // 20 bytes; only to read what others hashed so
std::string sha256(std::string_view bytes);  // 32 bytes
std::string hmac_sha256(std::string_view key, std::string_view bytes);  // 32 bytes
std::string pbkdf2_sha256(std::string_view password, std::string_view salt,
                          std::uint32_t iterations);  // 32 bytes
std::string random_bytes(std::size_t count);
// Takes the same time wherever they differ.
bool equal(std::string_view a, std::string_view b);

// An RSA or Ed25519 key that signs. Immutable.
class PrivateKey {
public:
    // PEM. Errors: not_found, invalid (no such key, RSA under 1024 bits).
    static Result<std::shared_ptr<const PrivateKey>> load(const std::string& file);
    ~PrivateKey();
    PrivateKey(const PrivateKey&) = delete;
    PrivateKey& operator=(const PrivateKey&) = delete;

    bool is_ed25519() const { return ed25519_; }
    // RSA: PKCS #1 v1.5 over SHA-256 of bytes; Ed25519: over the bytes themselves. Errors:
    // internal.
    Result<std::string> sign(std::string_view bytes) const;
    // Its public half as the DNS carries it for DKIM: RSA in DER (RFC 6376 section 3.6.1), Ed25519
    // as 32 bytes (RFC 8463 section 4.2). Errors: internal.
    Result<std::string> public_bytes() const;

private:
    PrivateKey(evp_pkey_st* key, bool ed25519) : key_(key), ed25519_(ed25519) {}

    evp_pkey_st* key_;
    bool ed25519_;
};

}  // namespace postern::crypto

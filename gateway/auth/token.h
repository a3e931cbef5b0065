// Access tokens instead of passwords: JSON Web Tokens (RFC 7519) that an identity provider of the
// admin's signed, checked against its published keys (RFC 7517), without asking it.
//
// RS256, ES256 and EdDSA (Ed25519). A token without an end, of another issuer or for another
// audience is refused, and so is any algorithm that the key itself is not for.
#pragma once

#include "gateway/config/config.h"
#include "gateway/crypto/public_key.h"
#include "protocols/base/result.h"
#include "protocols/base/time.h"

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace postern::auth {

inline constexpr std::size_t max_token_bytes = 8192;
inline constexpr std::size_t max_token_keys = 100;
inline constexpr std::size_t max_key_file_bytes = 1024 * 1024;
inline constexpr std::chrono::seconds token_clock_skew{60};

// Immutable. Thread rule: any thread.
class TokenVerifier {
public:
    // settings.keys_file names a JSON Web Key Set; keys of other kinds in it are passed over.
    // Errors: not_found, invalid (no key set, no usable key, no issuer or audience).
    static Result<std::shared_ptr<const TokenVerifier>> make(const config::OAuth& settings);
    // The same from the text of the key set.
    static Result<std::shared_ptr<const TokenVerifier>> make(const config::OAuth& settings,
                                                             std::string_view key_set);

    // The user's name as the token states it. Errors: invalid, with the reason for the log.
    Result<std::string> verify(std::string_view token, Time now) const;

private:
    struct Key {
        std::string id;  // empty: fits any token
        std::shared_ptr<const crypto::PublicKey> key;
    };

    config::OAuth settings_;
    std::vector<Key> keys_;
};

// The client's first message in OAUTHBEARER (RFC 7628) or XOAUTH2 (Google's form).
struct TokenMessage {
    std::string user;  // may be empty in OAUTHBEARER
    std::string token;
};
// Errors: invalid (malformed).
Result<TokenMessage> parse_oauthbearer(std::string_view message);
Result<TokenMessage> parse_xoauth2(std::string_view message);

// What a client is told whose token was refused (RFC 7628 section 3.2.2).
inline constexpr std::string_view token_refused = R"({"status":"invalid_token"})";
// The same in XOAUTH2, whose clients look for an HTTP status to know that a new token may help.
inline constexpr std::string_view xoauth2_refused = R"({"status":"400","schemes":"Bearer"})";

}  // namespace postern::auth

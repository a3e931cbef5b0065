// DKIM signatures (RFC 6376, RFC 8463): relaxed/relaxed, rsa-sha256 or ed25519-sha256 by the key.
#pragma once

#include "gateway/crypto/crypto.h"
#include "protocols/base/time.h"

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::dkim {

struct SigningKey {
    std::string selector;
    std::shared_ptr<const crypto::PrivateKey> key;
};

// Immutable once made. Thread rule: any thread.
class Signer {
public:
    // Domain to "SELECTOR:FILE". Errors: invalid, not_found.
    static Result<std::shared_ptr<const Signer>> make(
        const std::vector<std::pair<std::string, std::string>>& keys);

    // The DKIM-Signature field for the message, with CRLF; empty where there is no key for the
    // domain of its From, nor for `other_domain`.
    std::string sign(std::string_view message, std::string_view other_domain, Time now) const;

    // The message with that field in front. Where there is a key it is brought to 7 bit first, as
    // far as it can be (mime::to_seven_bit): no server on its way then has to change what is signed
    // (RFC 6376 section 5.3).
    std::string signed_message(std::string message, std::string_view other_domain, Time now) const;

private:
    bool has_key(std::string_view message, std::string_view other_domain) const;
    const std::pair<const std::string, SigningKey>* key_for(std::string_view domain) const;

    std::map<std::string, SigningKey> keys_;
};

// Canonical forms (RFC 6376 section 3.4), for tests as well.
std::string relaxed_body(std::string_view body);
std::string relaxed_field(std::string_view name, std::string_view value);  // without CRLF

}  // namespace postern::dkim

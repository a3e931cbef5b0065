#include "gateway/auth/scram.h"

#include "gateway/auth/saslname.h"
#include "gateway/crypto/crypto.h"
#include "protocols/wire/base64.h"
#include "protocols/wire/text.h"

#include <algorithm>
#include <utility>

namespace postern::auth {

namespace {

constexpr std::size_t scram_salt_bytes = 16;
constexpr std::size_t proof_bytes = 32;  // of SHA-256
constexpr std::size_t max_message_bytes = 4096;
constexpr std::size_t max_scram_name_bytes = 255;

// "a=value" off the front of `text`, up to the comma. nullopt: it does not begin with that letter.
std::optional<std::string_view> take_attribute(std::string_view& text, char letter) {
    if (text.size() < 2 || text[0] != letter || text[1] != '=') return std::nullopt;
    const std::size_t comma = std::min(text.find(','), text.size());
    const auto value = text.substr(2, comma - 2);
    text.remove_prefix(std::min(comma + 1, text.size()));
    return value;
}

std::optional<std::string> decode_name(std::string_view text) {
    auto name = decode_saslname(text);
    const bool good = name && name->size() <= max_scram_name_bytes && wire::is_utf8(*name) &&
                      name->find('\0') == std::string::npos;
    return good ? std::move(name) : std::nullopt;
}

std::string exclusive_or(std::string a, std::string_view b) {
    for (std::size_t i = 0; i < a.size(); ++i) a[i] = static_cast<char>(a[i] ^ b[i]);
    return a;
}

directory::ScramKeys keys_from(std::string_view password, std::string salt) {
    const auto salted = crypto::pbkdf2_sha256(password, salt, scram_iterations);
    return {std::move(salt), scram_iterations,
            crypto::sha256(crypto::hmac_sha256(salted, "Client Key")),
            crypto::hmac_sha256(salted, "Server Key")};
}

}  // namespace

directory::ScramKeys make_scram_keys(std::string_view password, std::string salt) {
    if (salt.empty()) salt = crypto::random_bytes(scram_salt_bytes);
    return keys_from(password, std::move(salt));
}

directory::ScramKeys impossible_scram_keys(std::string_view user, std::string_view secret) {
    auto salt = crypto::hmac_sha256(secret, user).substr(0, scram_salt_bytes);
    return {std::move(salt), scram_iterations, crypto::random_bytes(proof_bytes),
            crypto::random_bytes(proof_bytes)};
}

bool ScramServer::first(std::string_view message) {
    if (message.size() > max_message_bytes) return false;
    const std::size_t flag_end = message.find(',');
    const std::size_t header_end =
        flag_end == std::string_view::npos ? flag_end : message.find(',', flag_end + 1);
    if (header_end == std::string_view::npos) return false;
    const auto flag = message.substr(0, flag_end);
    if (flag.starts_with("p=")) {
        if (!plus_ || flag.size() == 2) return false;
        binding_type_ = flag.substr(2);
    } else if (flag == "y") {
        // The client could, and thinks that we cannot: somebody took the -PLUS out of our list.
        if (plus_ || plus_offered_) return false;
    } else if (flag != "n" || plus_) {
        return false;
    }
    auto identity = message.substr(flag_end + 1, header_end - flag_end - 1);
    if (!identity.empty()) {
        const auto name = take_attribute(identity, 'a');
        const auto decoded = name ? decode_name(*name) : std::nullopt;
        if (!decoded) return false;
        authorization_id_ = *decoded;
    }
    gs2_header_ = message.substr(0, header_end + 1);
    std::string_view bare = message.substr(header_end + 1);
    client_first_bare_ = bare;
    const auto name = take_attribute(bare, 'n');
    const auto nonce = name ? take_attribute(bare, 'r') : std::nullopt;
    const auto user = name ? decode_name(*name) : std::nullopt;
    if (!nonce || nonce->empty() || !user || user->empty()) return false;
    user_ = *user;
    nonce_ = *nonce;
    return true;
}

std::string ScramServer::challenge(std::vector<directory::ScramKeys> keys,
                                   std::string_view server_nonce) {
    keys_ = std::move(keys);
    nonce_ += server_nonce;
    server_first_ = "r=" + nonce_ + ",s=" + wire::base64_encode(keys_.front().salt) +
                    ",i=" + std::to_string(keys_.front().iterations);
    return server_first_;
}

std::optional<std::string> ScramServer::finish(std::string_view message,
                                               std::string_view binding_data) {
    if (message.size() > max_message_bytes) return std::nullopt;
    const std::size_t proof_at = message.rfind(",p=");
    if (proof_at == std::string_view::npos) return std::nullopt;
    const auto proof = wire::base64_decode(message.substr(proof_at + 3));
    const auto without_proof = message.substr(0, proof_at);
    auto rest = without_proof;
    const auto binding = take_attribute(rest, 'c');
    const auto nonce = binding ? take_attribute(rest, 'r') : std::nullopt;
    if (!proof || proof->size() != proof_bytes || !nonce) return std::nullopt;
    const auto wanted = gs2_header_ + (binding_type_.empty() ? "" : std::string(binding_data));
    const auto given = wire::base64_decode(*binding);
    if (!given || *given != wanted || *nonce != nonce_) return std::nullopt;
    return verdict(without_proof, *proof);
}

std::optional<std::string> ScramServer::verdict(std::string_view without_proof,
                                                std::string_view proof) {
    const std::string auth_message =
        client_first_bare_ + "," + server_first_ + "," + std::string(without_proof);
    for (const auto& keys : keys_) {
        const auto client_key =
            exclusive_or(std::string(proof), crypto::hmac_sha256(keys.stored_key, auth_message));
        if (!crypto::equal(crypto::sha256(client_key), keys.stored_key)) continue;
        return "v=" + wire::base64_encode(crypto::hmac_sha256(keys.server_key, auth_message));
    }
    return std::nullopt;
}

}  // namespace postern::auth

#include "gateway/auth/app_password.h"

#include "gateway/crypto/crypto.h"
#include "protocols/wire/text.h"

namespace postern::auth {

namespace {

constexpr std::size_t letters = 20;
constexpr std::size_t group = 4;
// 32 that are not mistaken for each other.
constexpr std::string_view alphabet = "abcdefghijkmnpqrstuvwxyz23456789";

}  // namespace

std::string make_app_password() {
    static_assert(alphabet.size() == 32);
    std::string out;
    for (const char byte : crypto::random_bytes(letters)) {
        if (!out.empty() && out.size() % (group + 1) == group) out += '-';
        out += alphabet[static_cast<unsigned char>(byte) % alphabet.size()];
    }
    return out;
}

std::string app_password_hash(std::string_view password) {
    std::string plain;
    for (const char c : password) {
        if (c != '-' && c != ' ') plain += wire::to_lower(c);
    }
    return crypto::sha256(plain);
}

}  // namespace postern::auth

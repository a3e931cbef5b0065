#include "gateway/auth/password.h"

#include <argon2.h>
#include <sys/random.h>

#include <array>

namespace postern::auth {

namespace {

// OWASP's first choice for argon2id; memory keeps graphics cards away, two passes keep a login at
// 25 ms.
constexpr std::uint32_t memory_kib = 19456;
constexpr std::uint32_t passes = 2;
constexpr std::uint32_t lanes = 1;
constexpr std::size_t salt_bytes = 16;
constexpr std::size_t hash_bytes = 32;

bool fill_random(std::array<unsigned char, salt_bytes>& out) {
    return getrandom(out.data(), out.size(), 0) == static_cast<ssize_t>(out.size());
}

}  // namespace

Result<std::string> hash_password(std::string_view password) {
    if (password.empty()) return Error{Errc::invalid, "an empty password is not allowed"};
    if (password.size() > max_password_bytes) {
        return Error{Errc::invalid,
                     "a password has at most " + std::to_string(max_password_bytes) + " bytes"};
    }
    std::array<unsigned char, salt_bytes> salt{};
    if (!fill_random(salt)) return Error{Errc::unavailable, "no random bytes for the salt"};

    std::string phc(argon2_encodedlen(passes, memory_kib, lanes, salt_bytes, hash_bytes, Argon2_id),
                    '\0');
    const int outcome =
        argon2id_hash_encoded(passes, memory_kib, lanes, password.data(), password.size(),
                              salt.data(), salt.size(), hash_bytes, phc.data(), phc.size());
    if (outcome != ARGON2_OK) {
        return Error{Errc::unavailable, std::string("argon2: ") + argon2_error_message(outcome)};
    }
    phc.resize(phc.find('\0'));
    return phc;
}

bool verify_password(std::string_view phc, std::string_view password) {
    if (password.size() > max_password_bytes) return false;
    return argon2id_verify(std::string(phc).c_str(), password.data(), password.size()) == ARGON2_OK;
}

const std::string& impossible_hash() {
    // The hash of random bytes that are thrown away.
    static const std::string phc = [] {
        std::array<unsigned char, salt_bytes> secret{};
        (void)fill_random(secret);
        auto made = hash_password({reinterpret_cast<const char*>(secret.data()), secret.size()});
        return made ? *made : std::string();
    }();
    return phc;
}

}  // namespace postern::auth

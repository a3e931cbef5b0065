#include "gateway/addresses/srs.h"

#include "gateway/crypto/crypto.h"
#include "protocols/wire/text.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <optional>

namespace postern::addresses {

namespace {

constexpr std::string_view base32 = "abcdefghijklmnopqrstuvwxyz234567";
constexpr std::size_t hash_chars = 8;
constexpr int day_cycle = 1024;  // two characters
constexpr std::size_t secret_bytes = 32;
constexpr mode_t secret_mode = 0600;

int day_of(Time now) {
    const auto days = std::chrono::duration_cast<std::chrono::days>(now.time_since_epoch()).count();
    return static_cast<int>(days % day_cycle);
}

std::string day_text(int day) {
    return {base32[static_cast<std::size_t>(day / 32)], base32[static_cast<std::size_t>(day % 32)]};
}

std::optional<int> day_number(std::string_view text) {
    if (text.size() != 2) return std::nullopt;
    const auto high = base32.find(wire::to_lower(text[0]));
    const auto low = base32.find(wire::to_lower(text[1]));
    if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
    return static_cast<int>(high * 32 + low);
}

struct Parts {
    std::string_view local, domain;
};
std::optional<Parts> split(std::string_view address) {
    const auto at = address.rfind('@');
    if (at == std::string_view::npos || at == 0 || at + 1 == address.size()) return std::nullopt;
    return Parts{address.substr(0, at), address.substr(at + 1)};
}

// "SRS0" or "SRS1" and one of the separators that forwarders use.
bool begins(std::string_view local, char digit) {
    return local.size() > 5 && wire::equals_ignoring_case(local.substr(0, 3), "SRS") &&
           local[3] == digit && std::string_view("=+-").find(local[4]) != std::string_view::npos;
}

// Up to the next '=', which is taken away too; nullopt: there is none.
std::optional<std::string_view> take_word(std::string_view& text) {
    const auto end = text.find('=');
    if (end == std::string_view::npos) return std::nullopt;
    const auto word = text.substr(0, end);
    text.remove_prefix(end + 1);
    return word;
}

Error invalid() {
    return {Errc::invalid, "an address of the Sender Rewriting Scheme that was not made here"};
}

}  // namespace

std::string Srs::hash(std::string_view text) const {
    const auto digest = crypto::hmac_sha256(secret_, wire::lower_case(text));
    std::string out;
    for (std::size_t i = 0; i < hash_chars; ++i) {
        out += base32[static_cast<unsigned char>(digest[i]) & 31];
    }
    return out;
}

bool Srs::is_srs(std::string_view address) {
    const auto parts = split(address);
    return parts && (begins(parts->local, '0') || begins(parts->local, '1'));
}

std::string Srs::forward(std::string_view sender, std::string_view domain, Time now) const {
    const auto parts = split(sender);
    if (!parts) return std::string(sender);
    std::string local;
    if (begins(parts->local, '1')) {
        // Another forwarder's SRS1: its hash is replaced by ours, the way back is the same.
        auto rest = parts->local.substr(5);
        if (!take_word(rest)) return std::string(sender);
        local = "SRS1=" + hash(rest) + "=" + std::string(rest);
    } else if (begins(parts->local, '0')) {
        const auto rest = std::string(parts->domain) + "=" + std::string(parts->local.substr(4));
        local = "SRS1=" + hash(rest) + "=" + rest;
    } else {
        const auto rest = day_text(day_of(now)) + "=" + std::string(parts->domain) + "=" +
                          std::string(parts->local);
        local = "SRS0=" + hash(rest) + "=" + rest;
    }
    const auto path = local + "@" + std::string(domain);
    return path.size() <= max_srs_path_bytes ? path : std::string(sender);
}

Result<std::string> Srs::reverse(std::string_view address, Time now) const {
    const auto parts = split(address);
    if (!parts || !is_srs(address)) return invalid();
    auto rest = parts->local.substr(5);
    const auto given = take_word(rest);
    if (!given || !crypto::equal(wire::lower_case(*given), hash(rest))) return invalid();
    if (begins(parts->local, '1')) {
        // domain, '=', and what came after "SRS0" there, its separator first.
        const auto domain = take_word(rest);
        if (!domain || domain->empty() || rest.size() < 2) return invalid();
        return "SRS0" + std::string(rest) + "@" + std::string(*domain);
    }
    const auto day = take_word(rest);
    const auto domain = take_word(rest);
    const auto made = day ? day_number(*day) : std::nullopt;
    if (!made || !domain || domain->empty() || rest.empty()) return invalid();
    const int age = (day_of(now) - *made + day_cycle) % day_cycle;
    if (age > srs_valid_days) {
        return Error{Errc::not_found, "the address of a forwarded message has run out"};
    }
    return std::string(rest) + "@" + std::string(*domain);
}

Result<std::string> load_or_make_secret(const std::string& file) {
    const auto failed = [&](const char* what) {
        return Error{Errc::unavailable, file + ": the secret cannot be " + what};
    };
    std::string secret(secret_bytes, '\0');
    int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        const auto got = ::read(fd, secret.data(), secret.size());
        ::close(fd);
        if (got != static_cast<ssize_t>(secret.size())) return failed("read: remove the file");
        return secret;
    }
    secret = crypto::random_bytes(secret_bytes);
    const std::string partial = file + ".partial";
    ::unlink(partial.c_str());
    fd = ::open(partial.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, secret_mode);
    if (fd < 0) return failed("written");
    const bool written =
        ::write(fd, secret.data(), secret.size()) == static_cast<ssize_t>(secret.size()) &&
        ::fsync(fd) == 0;
    ::close(fd);
    if (!written || ::rename(partial.c_str(), file.c_str()) != 0) return failed("written");
    return secret;
}

}  // namespace postern::addresses

// The policy of a domain in MTA-STS (RFC 8461), as text and read.
#pragma once

#include "protocols/base/result.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::outbound {

inline constexpr std::size_t max_sts_policy_bytes = 64 * 1024;  // RFC 8461 section 3.3
inline constexpr std::size_t max_sts_patterns = 1000;
inline constexpr std::chrono::seconds max_sts_age{31'557'600};  // section 3.2
inline constexpr std::size_t max_sts_domains = 10'000;          // remembered

struct StsPolicy {
    enum class Mode : std::uint8_t { none, testing, enforce };
    Mode mode = Mode::none;
    std::chrono::seconds max_age{0};
    std::vector<std::string> patterns;  // "mx.example.org", "*.example.org"; lower case

    bool allows(std::string_view host) const;  // section 4.1
};

// "none", "testing", "enforce"; nullopt: another word.
std::optional<StsPolicy::Mode> sts_mode(std::string_view word);
// The text of a policy. Errors: invalid.
Result<StsPolicy> parse_sts_policy(std::string_view text);
// The id in the records of _mta-sts.DOMAIN; nullopt: none, or several (section 3.1).
std::optional<std::string> sts_id(const std::vector<std::string>& records);

}  // namespace postern::outbound

// App passwords: made by us, for one device, so long that guessing is hopeless.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace postern::auth {

// "abcd-efgh-..." of 20 letters and digits in groups of four: 100 random bits.
std::string make_app_password();
inline constexpr std::size_t min_app_password_bytes = 20;

// What is kept of one. Hyphens, spaces and case do not matter.
std::string app_password_hash(std::string_view password);

}  // namespace postern::auth

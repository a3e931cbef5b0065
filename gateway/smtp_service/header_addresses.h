// The addresses in a user's message that say whom it is from.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace postern::smtp_service {

inline constexpr std::size_t max_header_addresses = 100;  // of one message; later ones stay

// Puts what `rewrite` makes of each address in From, Sender and Reply-To in its place, where it
// stands in one piece (no comment or quotes inside). All else stays as it is, byte for byte.
void rewrite_header_addresses(std::string& message,
                              const std::function<std::string(std::string_view)>& rewrite);

}  // namespace postern::smtp_service

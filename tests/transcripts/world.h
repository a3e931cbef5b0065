// The users that every transcript knows (README.md).
#pragma once

#include <algorithm>
#include <string_view>

namespace postern::transcripts {

inline constexpr std::string_view world_host = "mx.example.net";
inline constexpr std::string_view world_password = "secret";
inline constexpr std::string_view world_users[] = {"alice@example.net", "bob@example.net",
                                                   "carol@example.net"};

inline bool is_world_user(std::string_view address) {
    return std::find(std::begin(world_users), std::end(world_users), address) !=
           std::end(world_users);
}

}  // namespace postern::transcripts

// The addresses in a user's message that say whom it is from.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::smtp_service {

inline constexpr std::size_t max_header_addresses = 100;  // of one message; later ones stay

// Puts what `rewrite` makes of each address in From, Sender and Reply-To in its place, where it
// stands in one piece (no comment or quotes inside). All else stays as it is, byte for byte.
void rewrite_header_addresses(std::string& message,
                              const std::function<std::string(std::string_view)>& rewrite);

// Whom a message says that it is from.
struct HeaderSenders {
    // Each address of its From and Sender fields, and of those a resender adds (Resent-From,
    // Resent-Sender); without those that have no domain.
    std::vector<std::string> addresses;
    bool too_many = false;  // over max_header_addresses; the others are left out
    // Some of it is no address, or not all was read: clients may show another one.
    bool unreadable = false;
};
HeaderSenders header_senders(std::string_view message);

}  // namespace postern::smtp_service

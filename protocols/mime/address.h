// Address lists of From, To, Cc...: RFC 5322 section 3.4 with the obsolete syntax of section 4.4.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postern::mime {

inline constexpr std::size_t max_addresses = 1000;  // of one list; later ones are left out

struct Address {
    enum class Kind : std::uint8_t { mailbox, group_start, group_end };
    Kind kind = Kind::mailbox;
    std::string
        name;  // display name or group name, unquoted, encoded words as written; may be empty
    std::string local;    // before the '@', unquoted
    std::string domain;   // after the '@'; empty: none was written
    std::string route{};  // "@a,@b" of the obsolete "<@a,@b:joe@c>"; mostly empty
    bool operator==(const Address&) const = default;
    std::string addr_spec() const { return domain.empty() ? local : local + "@" + domain; }
};

// value: raw or unfolded. Never fails: what is no address is passed over or kept as a name. A
// comment after an address without display name is its name, as old mailers write it.
std::vector<Address> parse_addresses(std::string_view value);

}  // namespace postern::mime

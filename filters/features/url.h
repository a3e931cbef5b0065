// Web addresses of a message: found in text, and taken apart (RFC 3986, tolerantly).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace postern::filters {

inline constexpr std::size_t max_urls = 200;        // of one message; later ones are left out
inline constexpr std::size_t max_url_bytes = 1024;  // longer ones are cut

struct Url {
    std::string text;    // as written
    std::string scheme;  // lower case; "http" where a text begins with www.
    std::string host;    // lower case, percent-decoded, without brackets; empty: none
    std::string port;
    std::string path;       // with query and fragment
    bool has_user = false;  // something before an '@': a favourite disguise
    bool is_ip = false;     // host is a number in any notation that browsers take
};

Url parse_url(std::string_view text);

// http, https and ftp addresses and bare www. names in running text, at most `room` of them.
void find_urls(std::string_view text, std::size_t room, std::vector<std::string_view>& found);

// What an owner registers: the last two labels, or three below a suffix such as co.uk. An estimate
// by the shape of the name, good enough to compare and count. Numbers are returned whole.
std::string_view registered_domain(std::string_view host);

}  // namespace postern::filters

#include "gateway/config/yaml_reader.h"

#include <arpa/inet.h>

#include <charconv>

namespace postern::config {

std::string to_string(const Endpoint& endpoint) {
    const bool v6 = endpoint.address.find(':') != std::string::npos;
    return (v6 ? "[" + endpoint.address + "]" : endpoint.address) + ":" +
           std::to_string(endpoint.port);
}

std::vector<Endpoint> everywhere(std::uint16_t port) {
    return {{"0.0.0.0", port}, {"::", port}};
}

bool parse_endpoint(const std::string& text, Endpoint& endpoint) {
    const auto colon = text.rfind(':');
    if (colon == std::string::npos || colon == 0) return false;
    std::string address = text.substr(0, colon);
    const bool bracketed = address.front() == '[' && address.back() == ']';
    if (bracketed) address = address.substr(1, address.size() - 2);

    unsigned char binary[sizeof(in6_addr)];
    if (inet_pton(bracketed ? AF_INET6 : AF_INET, address.c_str(), binary) != 1) return false;

    std::uint16_t port = 0;
    const char* end = text.data() + text.size();
    auto [rest, failure] = std::from_chars(text.data() + colon + 1, end, port);
    if (failure != std::errc{} || rest != end) return false;
    endpoint = {std::move(address), port};
    return true;
}

}  // namespace postern::config

#include "protocols/wire/proxy_header.h"

#include <gtest/gtest.h>

namespace postern::wire {
namespace {

using namespace std::string_literals;
using State = ProxyHeader::State;

const std::string signature = "\r\n\r\n\0\r\nQUIT\n"s;

struct Outcome {
    State state;
    std::string address;
    std::size_t left;  // bytes that were not wanted
};

Outcome read(std::string_view bytes, std::size_t piece) {
    ProxyHeader header;
    while (header.state() == State::more && !bytes.empty()) {
        const auto taken = bytes.substr(0, std::min(piece, header.wanted()));
        header.feed(taken);
        bytes.remove_prefix(taken.size());
    }
    return {header.state(), header.client_address(), bytes.size()};
}

void expect(const std::string& bytes, State state, const std::string& address) {
    for (const std::size_t piece : {1u, 3u, 100000u}) {
        const auto outcome = read(bytes + "EHLO x", piece);
        EXPECT_EQ(outcome.state, state) << bytes;
        EXPECT_EQ(outcome.address, address) << bytes;
        if (state == State::done) {
            EXPECT_EQ(outcome.left, 6u) << bytes;
        }
    }
}

TEST(ProxyHeader, Version1) {
    expect("PROXY TCP4 192.0.2.7 198.51.100.1 1234 25\r\n", State::done, "192.0.2.7");
    expect("PROXY TCP6 2001:db8::7 2001:db8::1 1234 25\r\n", State::done, "2001:db8::7");
    expect("PROXY UNKNOWN\r\n", State::done, "");
    expect("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", State::done, "");
    expect("PROXY TCP4 192.0.2.777 198.51.100.1 1234 25\r\n", State::malformed, "");
    expect("PROXY TCP4 192.0.2.7 198.51.100.1 65536 25\r\n", State::malformed, "");
    expect("PROXY TCP4 192.0.2.7 198.51.100.1 1234\r\n", State::malformed, "");
    expect("PROXY TCP4 2001:db8::7 2001:db8::1 1234 25\r\n", State::malformed, "");
    expect("PROXY TCP6 192.0.2.7 198.51.100.1 1234 25\r\n", State::malformed, "");
    expect("PROXY TCP6 2001:db8::7 198.51.100.1 1234 25\r\n", State::malformed, "");
    expect("PROXY UDP4 192.0.2.7 198.51.100.1 1234 25\r\n", State::malformed, "");
    expect("PROXY TCP4 192.0.2.7 198.51.100.1 1234 25\n", State::malformed, "");
    expect("EHLO client.example.org\r\n", State::malformed, "");
}

TEST(ProxyHeader, Version1IsBounded) {
    const auto padded = [](std::size_t size) {
        std::string text = "PROXY UNKNOWN ";
        text.resize(size - 2, 'x');
        return text + "\r\n";
    };
    expect(padded(max_proxy_v1_bytes - 1), State::done, "");
    expect(padded(max_proxy_v1_bytes), State::done, "");
    expect(padded(max_proxy_v1_bytes + 1), State::malformed, "");
}

std::string version2(char command, char family, const std::string& rest) {
    return signature + command + family + static_cast<char>(rest.size() / 256) +
           static_cast<char>(rest.size() % 256) + rest;
}

TEST(ProxyHeader, Version2) {
    const auto v4 = "\xc0\x00\x02\x07\xc6\x33\x64\x01\x04\xd2\x00\x19"s;
    const auto v6 = "\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\x07" + std::string(16, '\0') +
                    "\x04\xd2\x00\x19"s;
    expect(version2('\x21', '\x11', v4), State::done, "192.0.2.7");
    expect(version2('\x21', '\x11', v4 + "TLVs"), State::done, "192.0.2.7");
    expect(version2('\x21', '\x21', v6), State::done, "2001:db8::7");
    expect(version2('\x20', '\x00', ""), State::done, "");
    expect(version2('\x21', '\x31', std::string(216, 'x')), State::done, "");
    expect(version2('\x21', '\x11', v4.substr(1)), State::malformed, "");
    expect(version2('\x22', '\x11', v4), State::malformed, "");
    expect(version2('\x11', '\x11', v4), State::malformed, "");
}

TEST(ProxyHeader, Version2IsBounded) {
    const auto sized = [](std::size_t size) {
        return version2('\x20', '\0', std::string(size, 'x'));
    };
    expect(sized(max_proxy_v2_bytes - 1), State::done, "");
    expect(sized(max_proxy_v2_bytes), State::done, "");
    expect(sized(max_proxy_v2_bytes + 1), State::malformed, "");
}

}  // namespace
}  // namespace postern::wire

#include "gateway/outbound/own_address.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>

#include <algorithm>

namespace postern::outbound {

namespace {

namespace ip = boost::asio::ip;

// The kernel lets nobody bind a socket to an address of another machine.
bool is_local(const ip::address& address) {
    boost::asio::io_context context;
    ip::udp::socket probe(context);
    boost::system::error_code failed;
    probe.open(ip::udp::endpoint(address, 0).protocol(), failed);
    if (!failed) probe.bind({address, 0}, failed);
    return !failed;
}

}  // namespace

bool is_own_address(const config::Config& config, const std::string& address, std::uint16_t port) {
    boost::system::error_code failed;
    const auto asked = ip::make_address(address, failed);
    if (failed) return false;
    const auto& listeners = config.listeners.smtp;
    return std::any_of(listeners.begin(), listeners.end(), [&](const config::Endpoint& each) {
        if (each.port != port) return false;
        boost::system::error_code bad;
        const auto own = ip::make_address(each.address, bad);
        if (bad || own.is_v4() != asked.is_v4()) return false;
        return own == asked || (own.is_unspecified() && is_local(asked));
    });
}

}  // namespace postern::outbound

#include "gateway/health/records.h"
#include "protocols/wire/ip_address.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>

namespace postern::health {

namespace {

// "192.0.2.1" as 1.2.0.192.in-addr.arpa, and IPv6 alike (RFC 3596 section 2.5).
std::string reverse_name(const wire::IpAddress& address) {
    std::string name;
    if (!address.v6) {
        for (std::size_t i = 4; i > 0; --i) name += std::to_string(address.bytes[i - 1]) + ".";
        return name + "in-addr.arpa";
    }
    static constexpr char digits[] = "0123456789abcdef";
    for (std::size_t i = 16; i > 0; --i) {
        const auto byte = address.bytes[i - 1];
        name += {digits[byte & 15], '.', digits[byte >> 4], '.'};
    }
    return name + "ip6.arpa";
}

class ResolverQuestions final : public Questions {
public:
    explicit ResolverQuestions(dns::Resolver& resolver) : resolver_(resolver) {}

    Result<dns::MxAnswer> mx(const std::string& domain) override {
        return wait(resolver_.mx(domain));
    }
    Result<dns::Addresses> addresses(const std::string& host) override {
        return wait(resolver_.addresses(host));
    }
    Result<std::vector<std::string>> txt(const std::string& name) override {
        return wait(resolver_.txt(name));
    }
    Result<std::vector<std::string>> names(const std::string& address) override {
        const auto parsed = wire::parse_ip(address);
        if (!parsed) return Error{Errc::invalid, address + ": not an address"};
        const auto answer = wait(resolver_.look_up(reverse_name(*parsed), dns::Type::ptr));
        if (!answer) return answer.error();
        std::vector<std::string> names;
        for (const auto& data : answer->data) {
            if (auto name = dns::name_from_rdata(data, 0)) names.push_back(std::move(*name));
        }
        return names;
    }

private:
    template <class T>
    static Result<T> wait(net::Awaitable<Result<T>> question) {
        boost::asio::io_context io;
        std::optional<Result<T>> answer;
        boost::asio::co_spawn(io, std::move(question),
                              [&](const std::exception_ptr& failure, Result<T> result) {
                                  if (failure) std::rethrow_exception(failure);
                                  answer.emplace(std::move(result));
                              });
        const auto work = boost::asio::make_work_guard(io);
        while (!answer) io.run_one();
        return std::move(*answer);
    }

    dns::Resolver& resolver_;
};

}  // namespace

std::unique_ptr<Questions> ask_by(dns::Resolver& resolver) {
    return std::make_unique<ResolverQuestions>(resolver);
}

}  // namespace postern::health

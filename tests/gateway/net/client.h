// A blocking TCP client for tests, plain or under TLS, with a bound on every wait.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace postern::net {

class Client {
public:
    explicit Client(std::uint16_t port, int receive_buffer = 0)
        : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
        if (receive_buffer > 0) {
            ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
        }
        timeval patience{10, 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(port);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
    }
    ~Client() {
        SSL_free(ssl_);
        SSL_CTX_free(context_);
        if (fd_ >= 0) ::close(fd_);
    }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    bool connected() const { return connected_; }
    bool secure() {
        context_ = SSL_CTX_new(TLS_client_method());
        ssl_ = SSL_new(context_);
        SSL_set_fd(ssl_, fd_);
        return SSL_connect(ssl_) == 1;
    }
    std::string tls_version() const { return SSL_get_version(ssl_); }
    bool send(std::string_view text) {
        while (!text.empty()) {
            const auto sent = ssl_ != nullptr
                                  ? SSL_write(ssl_, text.data(), static_cast<int>(text.size()))
                                  : ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
            if (sent <= 0) return false;
            text.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }
    // One line without its end; "<end>" when the peer closed, "<error>" on a reset or a time-out.
    std::string line() {
        for (;;) {
            const auto at = buffered_.find('\n');
            if (at != std::string::npos) {
                auto text = buffered_.substr(0, at);
                buffered_.erase(0, at + 1);
                if (!text.empty() && text.back() == '\r') text.pop_back();
                return text;
            }
            const int got = receive();
            if (got <= 0) return got == 0 ? "<end>" : "<error>";
        }
    }
    // Everything until the peer closes.
    std::string rest() {
        while (receive() > 0) {
        }
        return std::move(buffered_);
    }
    // The next count bytes, fewer when the peer closes.
    std::string exactly(std::size_t count) {
        while (buffered_.size() < count && receive() > 0) {
        }
        auto text = buffered_.substr(0, count);
        buffered_.erase(0, text.size());
        return text;
    }
    void half_close() { ::shutdown(fd_, SHUT_WR); }
    void reset() {
        linger now{1, 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        ::close(fd_);
        fd_ = -1;
    }

private:
    int receive() {
        char buffer[16384];
        const auto got = ssl_ != nullptr ? SSL_read(ssl_, buffer, sizeof buffer)
                                         : ::recv(fd_, buffer, sizeof buffer, 0);
        if (got > 0) buffered_.append(buffer, static_cast<std::size_t>(got));
        if (got <= 0 && ssl_ != nullptr) {
            return SSL_get_error(ssl_, static_cast<int>(got)) == SSL_ERROR_ZERO_RETURN ? 0 : -1;
        }
        return static_cast<int>(got);
    }

    int fd_;
    bool connected_ = false;
    SSL_CTX* context_ = nullptr;
    SSL* ssl_ = nullptr;
    std::string buffered_;
};

}  // namespace postern::net

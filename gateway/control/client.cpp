#include "gateway/control/control.h"

#include <nlohmann/json.hpp>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace postern::control {

namespace {

using nlohmann::json;

class Socket {
public:
    Socket() : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        timeval patience{client_timeout.count(), 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    }
    ~Socket() {
        if (fd_ >= 0) ::close(fd_);
    }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;

    bool connect(const std::string& path) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        if (path.size() >= sizeof address.sun_path) return false;
        std::memcpy(address.sun_path, path.data(), path.size());
        return ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    }
    bool send(std::string_view text) {
        while (!text.empty()) {
            const auto sent = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
            if (sent <= 0 && errno != EINTR) return false;
            if (sent > 0) text.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }
    bool read_line(std::string& line) {
        char buffer[4096];
        while (line.find('\n') == std::string::npos && line.size() < max_line_bytes) {
            const auto got = ::recv(fd_, buffer, sizeof buffer, 0);
            if (got < 0 && errno == EINTR) continue;
            if (got <= 0) return false;
            line.append(buffer, static_cast<std::size_t>(got));
        }
        line.resize(std::min(line.find('\n'), line.size()));
        return true;
    }

private:
    int fd_;
};

}  // namespace

Result<void> request(const std::string& path, const json& request, json& reply) {
    Socket socket;
    if (!socket.connect(path)) {
        return Error{Errc::not_found, path + ": no daemon listens here: " + std::strerror(errno)};
    }
    std::string line;
    if (!socket.send(request.dump() + "\n") || !socket.read_line(line)) {
        return Error{Errc::unavailable, path + ": the daemon does not answer"};
    }
    reply = json::parse(line, nullptr, false);
    if (!reply.is_object()) return Error{Errc::unavailable, path + ": not an answer of the daemon"};
    if (!reply.value("ok", false)) return Error{Errc::invalid, reply.value("error", "refused")};
    return {};
}

}  // namespace postern::control

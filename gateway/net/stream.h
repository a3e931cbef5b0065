// Bytes over one non-blocking socket: plain, and from start_tls() on under TLS. Inner header of
// gateway/net; the session runner waits, this class only tries.
#pragma once

#include "gateway/net/tls.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct ssl_st;

namespace postern::net {

enum class Io : std::uint8_t {
    done,         // `bytes` were moved
    needs_read,   // try again when the socket is readable
    needs_write,  // try again when the socket is writable
    end,          // the peer will send no more
    failed,       // the connection is broken
};

struct IoResult {
    Io status = Io::done;
    std::size_t bytes = 0;
};

class Stream {
public:
    explicit Stream(int fd) : fd_(fd) {}  // does not own the descriptor
    ~Stream();
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    IoResult read(char* into, std::size_t size);
    IoResult write(std::string_view bytes);
    // True when read() may have bytes although the socket is not readable.
    bool may_have_more() const { return may_have_more_; }

    bool tls() const { return ssl_ != nullptr; }
    // False: no memory. Then handshake() until it is done. alpn: as TlsContext::make_session, and
    // outlives this.
    bool start_tls(std::shared_ptr<const TlsContext> context, const char* alpn);
    // As a client, with a session of the caller's, which this owns from here on.
    bool start_client_tls(ssl_st* session);
    // Before the first byte: the socket, where it was not known yet.
    void use(int fd) { fd_ = fd; }
    IoResult handshake();
    std::string failure() const { return failure_; }  // of the handshake, for the log
    std::string protocol() const;
    std::string cipher() const;
    std::string channel_binding(std::string_view type) const;  // as in Session
    // Tells a TLS peer that no more comes; best effort.
    void close_notify();

private:
    IoResult tls_outcome(int returned);

    int fd_;
    ssl_st* ssl_ = nullptr;
    std::shared_ptr<const TlsContext> context_;
    bool may_have_more_ = false;
    bool established_ = false;
    std::string failure_;
};

}  // namespace postern::net

// Listeners and the cores that serve them.
#pragma once

#include "gateway/config/config.h"
#include "gateway/net/connection_limits.h"
#include "gateway/net/conversation.h"
#include "gateway/net/tls.h"
#include "protocols/base/result.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace postern::net {

struct Listener {
    std::string name;  // of the service, for the log: "smtp", "imaps"
    config::Endpoint endpoint;
    bool implicit_tls = false;
    ConversationFactory factory;  // called on the connection's core
    std::shared_ptr<ConnectionLimits> limits;
    std::function<std::string()>
        refusal;  // whole line for a connection over the limits, without TLS
    // Whether a peer of that address is a proxy, whose connections begin with a PROXY header. Any
    // thread; left empty: none is.
    std::function<bool(const std::string& address)> is_proxy = {};
    std::string alpn = {};  // what TLS clients that name protocols must name; empty: anything
};

struct ServerOptions {
    unsigned threads = 0;  // 0: one for each core
    std::chrono::milliseconds write_timeout{120'000};
    std::chrono::milliseconds handshake_timeout{30'000};
};

// Thread rule: from one thread, the one that made it. Conversations run on the server's own
// threads.
class Server {
public:
    explicit Server(const ServerOptions& options);
    // shut_down() first; what still runs is then waited for without bound.
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    // For handshakes from now on.
    void set_tls(std::shared_ptr<const TlsContext> context);
    std::shared_ptr<const TlsContext> tls() const;  // any thread; nullptr: none was set
    // Binds and listens; connections wait in the backlog until start(). Answers the port.
    // Errors: exists (address in use), permission, unsupported (no such address family),
    // unavailable.
    Result<std::uint16_t> listen(Listener listener);
    void start();

    // Runs a coroutine of the gateway itself on some core; shut_down() waits for it as for a
    // session.
    void spawn(std::function<Awaitable<void>()> job);

    std::size_t sessions() const;  // any thread

    // No new connections; sessions are told to end, those left after `grace` are cut off. True:
    // every session and job has ended. False: some still waits for a store or a computation, and
    // the process should end without destroying what they use.
    bool shut_down(std::chrono::milliseconds grace);

private:
    struct State;
    const std::unique_ptr<State> state_;
};

}  // namespace postern::net

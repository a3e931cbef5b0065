// How the command line talks to a running daemon: one JSON object a line over a Unix socket.
//
//   -> {"command":"status"}
//   <- {"ok":true, ...}   or   {"ok":false,"error":"what was wrong"}
//
// The socket is readable and writable by its owner alone; whoever may connect may command.
#pragma once

#include "protocols/base/result.h"

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace postern::control {

inline constexpr std::size_t max_line_bytes = 1024 * 1024;
inline constexpr std::size_t max_clients = 32;
inline constexpr std::chrono::seconds client_timeout{60};

// Fills in `reply`, an empty object, or answers what was wrong. Runs on the control thread, one at
// a time, and may block it.
using Handler = std::function<Result<void>(const nlohmann::json& request, nlohmann::json& reply)>;

class Server {
public:
    Server();
    ~Server();  // stop() first
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    // Before start().
    void on(const std::string& command, Handler handler);
    // Makes the socket (an old one at the path is replaced) and a thread. Errors: unavailable.
    Result<void> start(const std::string& path);
    // Ends the thread and removes the socket.
    void stop();

private:
    struct State;
    const std::unique_ptr<State> state_;
};

// One request to the daemon behind `path`. Errors: not_found (nothing listens there), unavailable
// (no answer), invalid (the daemon's own error text).
Result<void> request(const std::string& path, const nlohmann::json& request, nlohmann::json& reply);

}  // namespace postern::control

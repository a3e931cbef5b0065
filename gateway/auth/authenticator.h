// Who logs in: a name and a password against the directory, the same for SMTP, POP3 and IMAP.
//
// The hash is computed on a pool of its own; an unknown user costs the time of a known one. A
// failure is answered late, later with each failure of the same address (an IPv6 /64 counts as
// one).
#pragma once

#include "gateway/config/current.h"
#include "gateway/net/awaitable.h"
#include "gateway/net/session.h"
#include "gateway/net/work_pool.h"
#include "store/directory/directory.h"

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace postern::auth {

// Remembers failures of addresses for a while. Thread rule: any function from any thread.
class FailureDelays {
public:
    static constexpr std::chrono::minutes memory{10};
    static constexpr unsigned max_doublings = 4;
    static constexpr std::size_t max_addresses = 10'000;

    using Clock = std::chrono::steady_clock;

    // How long to wait before saying no: base, doubled with each earlier failure.
    std::chrono::milliseconds failed(const std::string& address, std::chrono::milliseconds base,
                                     Clock::time_point now);
    void succeeded(const std::string& address);
    std::size_t size() const;

private:
    struct Record {
        unsigned failures = 0;
        Clock::time_point last;
    };
    mutable std::mutex mutex_;
    std::unordered_map<std::string, Record> records_;
};

enum class LoginStatus : std::uint8_t { ok, refused, temporary };
struct Login {
    LoginStatus status = LoginStatus::refused;
    directory::User user;  // when ok
};

// Thread rule: check() on sessions' cores.
class Authenticator {
public:
    Authenticator(directory::Directory& directory, net::WorkPool& pool,
                  const config::Current& config)
        : directory_(directory), pool_(pool), config_(config) {}

    // The user name is the whole address. authorization_id: empty, or the user's own. Logs the
    // outcome.
    net::Awaitable<Login> check(net::Session& session, std::string authorization_id,
                                std::string user, std::string password);

private:
    net::Awaitable<Login> look_up(const std::string& authorization_id, const std::string& user,
                                  std::string password);

    directory::Directory& directory_;
    net::WorkPool& pool_;
    const config::Current& config_;
    FailureDelays delays_;
};

}  // namespace postern::auth

// Who logs in: a name and a password against the directory, the same for SMTP, POP3 and IMAP.
//
// The hash is computed on a pool of its own, but for a password that was right a short while ago;
// an unknown user costs the time of a known one. A failure is answered late, later with each
// failure of the same address (an IPv6 /64 counts as one) and of the same name, whatever protocol
// it came by.
#pragma once

#include "gateway/auth/scram.h"
#include "gateway/auth/token.h"
#include "gateway/auth/verified_passwords.h"
#include "gateway/config/current.h"
#include "gateway/net/awaitable.h"
#include "gateway/net/session.h"
#include "gateway/net/work_pool.h"
#include "store/directory/credentials.h"
#include "store/directory/directory.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

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

// One exchange in a mechanism of several rounds, kept between them by its session.
struct MechanismSession {
    std::optional<ScramServer> server;
    std::optional<directory::User> user;  // nullopt: nobody of that name
    bool proven = false;                  // only the client's last word is left
    std::string refused;                  // whose token was; the client's last word is left
};
struct MechanismStep {
    LoginStatus status = LoginStatus::refused;
    directory::User user;                  // when ok
    std::optional<std::string> challenge;  // the exchange goes on; status says nothing then
};

// Thread rule: check() on sessions' cores.
class Authenticator {
public:
    // credentials: nullptr: passwords alone. Waits for the store.
    Authenticator(directory::Directory& directory, net::WorkPool& pool,
                  const config::Current& config, directory::Credentials* credentials = nullptr);

    // The user name is the whole address. authorization_id: empty, or the user's own. Logs the
    // outcome.
    net::Awaitable<Login> check(net::Session& session, std::string authorization_id,
                                std::string user, std::string password);

    // What the engines may announce besides PLAIN and LOGIN. Any thread.
    std::vector<std::string> mechanisms() const;
    // One response of the client in one of them.
    net::Awaitable<MechanismStep> step(net::Session& session, MechanismSession& exchange,
                                       std::string mechanism, std::string response, bool first);

    // nullptr: tokens are not taken. Any thread.
    void set_tokens(std::shared_ptr<const TokenVerifier> tokens);

private:
    std::shared_ptr<const TokenVerifier> tokens() const;
    Login scram_response(net::Session& session, MechanismSession& exchange, MechanismStep& step,
                         std::string_view response);
    Login check_token(net::Session& session, std::string_view mechanism, std::string_view message,
                      std::string& user);
    net::Awaitable<void> finish(net::Session& session, const Login& login, std::string user);
    Result<std::string> scram_challenge(MechanismSession& exchange);
    Result<std::vector<directory::ScramKeys>> scram_keys(const directory::User& user);
    bool is_app_password(const directory::User& user, std::string_view password);
    net::Awaitable<std::optional<bool>> verify(std::string hash, std::string password);
    net::Awaitable<Login> look_up(const std::string& authorization_id, const std::string& user,
                                  std::string password);

    directory::Directory& directory_;
    net::WorkPool& pool_;
    const config::Current& config_;
    directory::Credentials* credentials_;
    std::string decoy_secret_;
    FailureDelays delays_;
    VerifiedPasswords verified_;
    mutable std::mutex tokens_mutex_;
    std::shared_ptr<const TokenVerifier> tokens_;
};

}  // namespace postern::auth

// SCRAM-SHA-256 and SCRAM-SHA-256-PLUS on the server's side (RFC 5802, RFC 7677, RFC 9266): proves
// the password without sending it, and, with -PLUS, that nobody sits in between.
#pragma once

#include "protocols/base/result.h"
#include "store/directory/credentials.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::auth {

inline constexpr std::uint32_t scram_iterations = 16'384;  // RFC 7677 asks for at least 4,096

// salt: empty: a new one.
directory::ScramKeys make_scram_keys(std::string_view password, std::string salt = "");
// Keys that no password fits, always with the same salt for one name and secret: an unknown user
// looks like a known one.
directory::ScramKeys impossible_scram_keys(std::string_view user, std::string_view secret);

class ScramServer {
public:
    // binding: of the connection, for a named type; empty where there is none.
    struct Binding {
        std::string type;  // "tls-exporter", "tls-server-end-point"
        std::string data;
    };

    // plus: the client chose the -PLUS mechanism. plus_offered: it could have.
    ScramServer(bool plus, bool plus_offered) : plus_(plus), plus_offered_(plus_offered) {}

    // The client's first message. False: malformed, or a downgrade (RFC 5802 section 6).
    bool first(std::string_view message);
    bool challenged() const { return !server_first_.empty(); }
    const std::string& user() const { return user_; }
    const std::string& authorization_id() const { return authorization_id_; }
    const std::string& binding_type() const { return binding_type_; }  // empty: none is used

    // The server's first message. The keys of each password that is taken, not empty; all with the
    // salt and the iterations of the first.
    std::string challenge(std::vector<directory::ScramKeys> keys, std::string_view server_nonce);
    // The client's final message; nullopt: wrong password or broken. Else the server's final one.
    std::optional<std::string> finish(std::string_view message, std::string_view binding_data);

private:
    std::optional<std::string> verdict(std::string_view without_proof, std::string_view proof);

    bool plus_;
    bool plus_offered_;
    std::string gs2_header_;
    std::string binding_type_;
    std::string authorization_id_;
    std::string user_;
    std::string client_first_bare_;
    std::string server_first_;
    std::string nonce_;
    std::vector<directory::ScramKeys> keys_;
};

}  // namespace postern::auth

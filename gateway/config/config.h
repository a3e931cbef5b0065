// The configuration of the whole daemon: plain values with their defaults, read from one YAML file.
//
// Every key is optional, so an empty file is a working configuration. An unknown key, a key given
// twice or a bad value is refused as "FILE:LINE: key: what was expected".
// appliance/etc/postern.yaml documents every key with its default; a test keeps the two equal.
#pragma once

#include "protocols/base/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::config {

inline constexpr std::size_t max_file_bytes = 1024 * 1024;
inline constexpr std::size_t max_list_entries = 1000;

// A numeric address and a port; port 0 lets the system choose (tests).
struct Endpoint {
    std::string address;  // "0.0.0.0", "::1": numeric, without brackets
    std::uint16_t port = 0;
    bool operator==(const Endpoint&) const = default;
};
// "127.0.0.1:25", "[::1]:25".
std::string to_string(const Endpoint& endpoint);

// The standard port on every IPv4 and IPv6 address.
std::vector<Endpoint> everywhere(std::uint16_t port);

struct Listeners {
    std::vector<Endpoint> smtp = everywhere(25);
    std::vector<Endpoint> submission = everywhere(587);
    std::vector<Endpoint> submissions = everywhere(465);
    std::vector<Endpoint> lmtp;  // no standard port, and takes mail from anyone who can connect
    std::vector<Endpoint> imap = everywhere(143);
    std::vector<Endpoint> imaps = everywhere(993);
    std::vector<Endpoint> pop3 = everywhere(110);
    std::vector<Endpoint> pop3s = everywhere(995);
    // Off unless asked for: another web server may have the ports.
    std::vector<Endpoint> http;     // settings for mail programs, ACME challenges
    std::vector<Endpoint> https;    // the same, and the MTA-STS policy
    std::vector<Endpoint> metrics;  // /metrics and /health, for whoever can connect
    bool operator==(const Listeners&) const = default;
};

// So many names Let's Encrypt puts into one certificate, the host name being one of them.
inline constexpr std::size_t max_acme_names = 99;

// A certificate that an authority gives and renews (RFC 8555), fetched by
// `postern certificate renew`.
struct Acme {
    std::string directory;           // its URL; empty: no such certificate
    std::string contact;             // e-mail address for the account there; may be empty
    std::vector<std::string> names;  // in the certificate beside the host name
    bool operator==(const Acme&) const = default;
};

struct Tls {
    // PEM chain; both empty: the one that came by ACME, or a self-signed one in data_dir/tls
    std::string certificate;
    std::string key;          // PEM
    // Further certificate files with their keys, for clients that ask for a name they are valid
    // for.
    std::vector<std::pair<std::string, std::string>> more;
    Acme acme;
    bool operator==(const Tls&) const = default;
};

// Tokens of an identity provider instead of passwords.
struct OAuth {
    std::string keys_file;  // its JSON Web Key Set; empty: tokens are not taken
    std::string issuer;     // claims that a token must carry
    std::string audience;
    std::string user_claim = "email";  // the claim that holds the user's address
    bool operator==(const OAuth&) const = default;
};

struct Auth {
    bool allow_plaintext = false;           // LOGIN, USER and AUTH without TLS
    std::uint64_t failure_delay_ms = 1000;  // doubles with each failure of one address
    OAuth oauth;
    bool operator==(const Auth&) const = default;
};

struct Connections {
    std::uint64_t max_connections = 0;
    std::uint64_t max_connections_per_address = 0;  // an IPv6 /64 counts as one address
    bool operator==(const Connections&) const = default;
};

struct Smtp : Connections {
    Smtp() : Connections{2000, 100} {}
    std::uint64_t max_message_bytes = 50ull * 1024 * 1024;  // also of an IMAP APPEND
    std::uint64_t max_recipients = 1000;                    // of one message
    std::uint64_t max_errors = 20;                          // of one session; then 421
    std::uint64_t greeting_delay_ms = 0;  // on the smtp listeners; who speaks before is refused
    // Messages from other servers; 0: no limit. A network is an IPv4 /24 or an IPv6 /48.
    std::uint64_t max_messages_per_minute_per_address = 0;
    std::uint64_t max_messages_per_minute_per_network = 0;
    bool operator==(const Smtp&) const = default;
};
// Mail to other servers.
struct Outbound {
    std::string smarthost;  // "HOST" or "HOST:PORT": all mail goes there; empty: by MX
    std::string smarthost_user;
    std::string smarthost_password_file;
    // Domain, or ".domain" for all below it, to "smtp:HOST:PORT" or "lmtp:HOST:PORT".
    std::vector<std::pair<std::string, std::string>> transports;
    std::vector<std::string> relay_domains;  // mail for them is taken from anybody, and passed on
    std::string tls = "opportunistic";       // off, opportunistic, require
    bool check_recipients = true;            // of relay_domains, at the server behind us
    bool srs = true;                         // the sender of forwarded mail becomes ours
    bool dane = true;                        // RFC 7672, where DNSSEC vouches for the records
    bool mta_sts = true;                     // RFC 8461
    std::uint64_t mta_sts_port = 443;
    std::string ca_file;  // for tls: require and MTA-STS; empty: the system's
    std::uint64_t mx_port = 25;
    std::uint64_t max_connections = 100;
    std::uint64_t max_connections_per_destination = 10;
    std::uint64_t retry_first_s = 300;  // then doubled each time, with some chance in it
    std::uint64_t retry_longest_s = 4 * 3600;
    std::uint64_t give_up_after_s = 5 * 24 * 3600;
    std::uint64_t delay_notice_after_s = 4 * 3600;
    bool operator==(const Outbound&) const = default;
};

struct Dkim {
    std::vector<std::pair<std::string, std::string>> keys;  // domain to "SELECTOR:FILE"
    bool operator==(const Dkim&) const = default;
};

struct Dns {
    std::vector<std::string> servers;  // "ADDRESS" or "ADDRESS@PORT"; empty: from the root down
    std::string trust_anchor_file = "/usr/share/dns/root.key";
    std::uint64_t timeout_ms = 20'000;
    bool operator==(const Dns&) const = default;
};

struct Submission {
    std::uint64_t max_recipients_per_hour = 500;  // of one account; 0: no limit
    std::string spam = "hold";  // users' mail to other servers: pass, hold, reject
    // Addresses that users may write in From and Sender: hosted (of domains here only their own),
    // own (only their own), any.
    std::string from_header = "hosted";
    bool operator==(const Submission&) const = default;
};

struct Trusted {
    std::vector<std::string> proxy_protocol;  // networks whose connections begin with its header
    std::vector<std::string> xclient;         // networks that may use XCLIENT
    bool operator==(const Trusted&) const = default;
};
struct Imap : Connections {
    Imap() : Connections{10'000, 200} {}
    std::uint64_t message_limit = 5'000'000;  // messages that one command works on
    std::vector<std::string> withheld;  // capabilities not offered, for clients that do them wrong
    bool operator==(const Imap&) const = default;
};
struct Pop3 : Connections {
    Pop3() : Connections{2000, 100} {}
    bool operator==(const Pop3&) const = default;
};

// What the http, https and metrics listeners answer.
struct Web : Connections {
    Web() : Connections{500, 50} {}
    std::string mta_sts = "off";           // off, testing, enforce
    std::vector<std::string> mta_sts_mx;   // empty: the host name
    bool operator==(const Web&) const = default;
};

struct Limits {
    std::uint64_t threads = 0;  // of network sessions; 0: one for each core
    std::uint64_t max_inflight_bytes =
        512ull * 1024 * 1024;             // message bytes not yet stored, all sessions
    std::uint64_t write_timeout_s = 120;  // a client that takes no byte for so long is dropped
    std::uint64_t shutdown_grace_s = 30;  // for what is under way at SIGTERM
    bool operator==(const Limits&) const = default;
};

struct Filter {
    std::vector<std::string> rules;  // rule files; empty: the set shipped with the program
    double spam_threshold = 5.0;     // score >= this: spam, to Junk
    double unsure_threshold = 3.0;   // score >= this: unsure
    std::vector<std::pair<std::string, double>> scores;      // overrides of a symbol's score
    std::uint64_t memory_bytes = 128ull * 1024 * 1024;       // of the learned model
    std::uint64_t layer_memory_bytes = 16ull * 1024 * 1024;  // of what single users taught
    bool starter_model = true;  // begin with the shipped one where nothing was imported
    // Addresses that users send or redirect messages to so that they are learned; see
    // learning/reported.h.
    std::vector<std::string> report_spam;
    std::vector<std::string> report_ham;
    bool operator==(const Filter&) const = default;
};

struct Log {
    std::string level = "info";   // debug, info, warning, error
    std::string format = "text";  // text (key=value), json
    bool operator==(const Log&) const = default;
};

struct Config {
    std::string file;      // where it was read from, for reload; empty: none
    std::string hostname;  // never empty after load_config: the machine's own name by default
    std::string data_dir = "/var/lib/postern";
    Listeners listeners;
    Tls tls;
    Auth auth;
    Smtp smtp;
    Submission submission;
    Outbound outbound;
    Dns dns;
    Dkim dkim;
    Trusted trusted;
    Imap imap;
    Pop3 pop3;
    Web web;
    Limits limits;
    Filter filter;
    Log log;
    bool operator==(const Config&) const = default;

    // Derived, so that the daemon and the command line agree.
    std::string store_folder() const { return data_dir + "/store"; }
    // Within the store: a copy of what it holds must go where it goes.
    std::string search_folder() const { return store_folder() + "/search"; }
    std::string filter_folder() const { return data_dir + "/filter"; }
    std::string tls_folder() const { return data_dir + "/tls"; }
    // Whether an authority gives the certificate.
    bool by_acme() const { return tls.certificate.empty() && !tls.acme.directory.empty(); }
    // What port 80 answers challenges from, and beside it what the ACME client keeps.
    std::string acme_folder() const { return data_dir + "/acme"; }
    std::string acme_client_folder() const { return acme_folder() + "/client"; }
    std::string acme_certificate() const {
        return acme_client_folder() + "/" + hostname + "/cert.pem";
    }
    std::string acme_key() const {
        return acme_client_folder() + "/private/" + hostname + "/key.pem";
    }
    std::string srs_file() const { return data_dir + "/srs.key"; }
    std::string run_folder() const { return data_dir + "/run"; }
    std::string control_socket() const { return run_folder() + "/control.sock"; }
    std::string lock_file() const { return run_folder() + "/lock"; }
    std::string ports_file() const { return run_folder() + "/ports.json"; }
};

// Errors: not_found (no such file), invalid (text as described above), unavailable (cannot be
// read).
Result<Config> load_config(const std::string& path);
// The same from text; `name` stands for the file in messages.
Result<Config> parse_config(std::string_view yaml, const std::string& name);

// Every key that is understood, as "smtp.max_message_bytes", in file order.
std::vector<std::string> known_keys();

}  // namespace postern::config

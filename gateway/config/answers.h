// What a new machine has to be told, from one YAML file; `postern setup` and the image's first boot
// read it. docs/admin/install.md explains the keys.
//
// A file that begins with "#cloud-config" may hold much else: only its mapping "postern" is read.
#pragma once

#include "protocols/base/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace postern::config {

inline constexpr const char* lets_encrypt = "https://acme-v02.api.letsencrypt.org/directory";

struct Answers {
    std::string hostname;        // as the MX record will give it
    std::string domain;          // the first one
    std::string admin;           // "ann@example.org"; default: postmaster@ the domain
    std::string admin_password;  // empty: one is made up, and printed once
    // PEM texts, or paths of files; both empty: self-signed. "acme" alone: by acme_directory.
    std::string certificate;
    std::string key;
    std::string acme_directory = lets_encrypt;
    std::string backup_target;  // as backup.target of the configuration
    // Of the machine; for the image alone.
    std::string address;  // "dhcp" or "192.0.2.10/24"
    std::string gateway;
    std::vector<std::string> name_servers;
    bool operator==(const Answers&) const = default;

    bool by_acme() const { return certificate == "acme"; }
};

// Errors: not_found, unavailable, invalid as "FILE:LINE: key: what was expected".
Result<Answers> load_answers(const std::string& path);
// The same from text; `name` stands for the file in messages.
Result<Answers> parse_answers(std::string_view yaml, const std::string& name);
// For answers that were given by hand. Errors: invalid, "key: what was expected".
Result<void> check_answers(const Answers& answers);

bool is_pem(std::string_view text);

}  // namespace postern::config

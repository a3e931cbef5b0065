#include "gateway/config/answers.h"

#include "gateway/config/yaml_reader.h"
#include "protocols/wire/ip_address.h"

#include <fstream>
#include <sstream>

namespace postern::config {

namespace {

constexpr std::size_t max_password_bytes = 1024;

bool is_network_address(const std::string& text) {
    return text.find('/') != std::string::npos && wire::parse_ip_network(text).has_value();
}

bool is_address(const std::string& text) {
    return text.find('/') == std::string::npos && wire::parse_ip_network(text).has_value();
}

// As the configuration takes it; whether the directory takes a domain or a user is its own to say.
bool is_taken(const std::string& before, const std::string& value, const std::string& after) {
    return value.find('\'') == std::string::npos &&
           parse_config(before + '\'' + value + '\'' + after, "answers").has_value();
}

bool is_target(const std::string& target) {
    return is_taken("backup: {target: ", target, "}");
}

bool is_directory(const std::string& url) {
    return !url.empty() && is_taken("tls: {acme: {directory: ", url, "}}");
}

using Complain = std::function<void(bool ok, const char* key, const std::string& expected)>;

void check(const Answers& answers, const Complain& complain) {
    complain(is_hostname(answers.hostname) && answers.hostname.find('.') != std::string::npos,
             "hostname", "expected a full host name, as mx.example.org");
    complain(is_hostname(answers.domain), "domain", "expected a mail domain, as example.org");
    const auto at = answers.admin.find('@');
    complain(answers.admin.empty() || (at != 0 && at != std::string::npos &&
                                       answers.admin.substr(at + 1) == answers.domain),
             "admin", "expected an address in the domain, as ann@" + answers.domain);
    complain(answers.admin_password.size() <= max_password_bytes, "admin_password",
             "expected at most " + std::to_string(max_password_bytes) + " bytes");
    complain((answers.certificate.empty() || answers.by_acme()) == answers.key.empty(),
             "certificate", "expected together with key, or acme without one");
    complain(is_directory(answers.acme_directory), "acme_directory",
             "expected the https:// address of an authority's ACME directory");
    complain(is_pem(answers.certificate) == is_pem(answers.key), "key",
             "expected as a PEM text when certificate is one, as a path when that is one");
    complain(is_target(answers.backup_target), "backup_target",
             "expected an absolute path of a folder, or ssh:[USER@]HOST:/FOLDER");
    complain(
        answers.address.empty() || answers.address == "dhcp" || is_network_address(answers.address),
        "address", "expected dhcp, or an address with its prefix, as 192.0.2.10/24");
    complain(answers.gateway.empty() || is_address(answers.gateway), "gateway",
             "expected a numeric address");
    for (const auto& server : answers.name_servers) {
        complain(is_address(server), "name_servers", "expected numeric addresses");
    }
}

void describe(Section& root, Answers& answers) {
    root.text("hostname", answers.hostname);
    root.text("domain", answers.domain);
    root.text("admin", answers.admin);
    root.text("admin_password", answers.admin_password);
    root.lines("certificate", answers.certificate);
    root.lines("key", answers.key);
    root.text("acme_directory", answers.acme_directory);
    root.text("backup_target", answers.backup_target);
    root.text("address", answers.address);
    root.text("gateway", answers.gateway);
    root.texts("name_servers", answers.name_servers);
    root.finish();
    check(answers, [&](bool ok, const char* key, const std::string& expected) {
        root.check(ok, key, expected);
    });
}

}  // namespace

bool is_pem(std::string_view text) {
    return text.starts_with("-----BEGIN ");
}

Result<void> check_answers(const Answers& answers) {
    std::string error;
    check(answers, [&](bool ok, const char* key, const std::string& expected) {
        if (!ok && error.empty()) error = std::string(key) + ": " + expected;
    });
    if (!error.empty()) return Error{Errc::invalid, error};
    return {};
}

Result<Answers> parse_answers(std::string_view yaml, const std::string& name) {
    if (yaml.size() > max_file_bytes) {
        return Error{Errc::invalid,
                     name + ":1: expected at most " + std::to_string(max_file_bytes) + " bytes"};
    }
    ReadState state;
    state.file = name;
    Answers answers;
    try {
        YAML::Node root = YAML::Load(std::string(yaml));
        if (yaml.starts_with("#cloud-config")) {
            if (!root.IsMap() || !root["postern"]) {
                return Error{Errc::invalid, name + ":1: postern: expected this mapping"};
            }
            root = YAML::Node(root["postern"]);
        }
        Section section(state, root, "");
        describe(section, answers);
    } catch (const YAML::Exception& problem) {
        state.fail(problem.mark, "", "expected YAML: " + problem.msg);
    }
    if (!state.error.empty()) return Error{Errc::invalid, state.error};
    return answers;
}

Result<Answers> load_answers(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) return Error{Errc::not_found, path + ": cannot be opened"};
    std::ostringstream text;
    text << in.rdbuf();
    if (in.bad() || text.bad()) return Error{Errc::unavailable, path + ": cannot be read"};
    return parse_answers(text.str(), path);
}

}  // namespace postern::config

#include "appliance/cli/setup_steps.h"

#include "appliance/cli/accounts.h"
#include "gateway/net/tls.h"
#include "store/directory/aliases.h"

#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>

namespace postern::cli {

namespace {

namespace fs = std::filesystem;

fs::path config_folder(const Context& context) {
    return fs::absolute(context.config_file).parent_path();
}

// Whole or not at all; readable for the daemon's group where it is a secret.
Result<void> write_file(const fs::path& path, const std::string& text, mode_t mode,
                        const std::string& data_dir) {
    const auto failed = [&path] {
        return Error{Errc::unavailable, path.string() + ": " + std::strerror(errno)};
    };
    std::error_code problem;
    fs::create_directories(path.parent_path(), problem);
    const std::string partial = path.string() + ".new";
    const mode_t before = ::umask(0077);
    std::ofstream file(partial, std::ios::trunc | std::ios::binary);
    ::umask(before);
    file << text;
    file.close();
    if (!file || ::chmod(partial.c_str(), mode) != 0) return failed();
    struct stat owner {};
    if (::geteuid() == 0 && ::stat(data_dir.c_str(), &owner) == 0 &&
        ::chown(partial.c_str(), 0, owner.st_gid) != 0) {
        return failed();
    }
    if (std::rename(partial.c_str(), path.c_str()) != 0) return failed();
    return {};
}

// A double-quoted scalar of YAML, which is what JSON writes.
std::string quoted(const std::string& text) {
    return nlohmann::json(text).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

std::string network_file(const config::Answers& answers) {
    std::string text = "[Match]\nName=en* eth*\n\n[Network]\n";
    if (answers.address.empty() || answers.address == "dhcp") {
        text += "DHCP=yes\n";
    } else {
        text += "Address=" + answers.address + "\n";
        if (!answers.gateway.empty()) text += "Gateway=" + answers.gateway + "\n";
    }
    for (const auto& server : answers.name_servers) text += "DNS=" + server + "\n";
    return text;
}

}  // namespace

std::string setup_file(const Context& context) {
    return (config_folder(context) / "local.d" / "10-setup.yaml").string();
}

std::string random_password() {
    static constexpr std::string_view letters = "abcdefghjkmnpqrstuvwxyz23456789x";  // 32
    std::random_device random;  // the system's own source
    std::string password;
    for (int i = 0; i < 20; ++i) {
        if (i > 0 && i % 4 == 0) password += '-';
        password += letters[random() % letters.size()];
    }
    return password;
}

Result<void> place_certificate(const Context& context, config::Answers& answers) {
    if (answers.certificate.empty() || answers.by_acme()) return {};
    if (config::is_pem(answers.certificate)) {
        const auto folder = config_folder(context) / "tls";
        const auto certificate = folder / "certificate.pem";
        const auto key = folder / "key.pem";
        const auto& data_dir = context.config.data_dir;
        if (auto done = write_file(certificate, answers.certificate, 0644, data_dir); !done) {
            return done;
        }
        if (auto done = write_file(key, answers.key, 0640, data_dir); !done) return done;
        answers.certificate = certificate.string();
        answers.key = key.string();
    }
    auto loaded = net::TlsContext::load(answers.certificate, answers.key);
    if (!loaded) return loaded.error();
    return {};
}

Result<void> make_domain(const Context& context, const config::Answers& answers) {
    auto store = open_mail(context.config, Opening::create);
    if (!store) return store.error();
    auto& directory = (*store)->directory;
    const auto added = directory.add_domain(answers.domain);
    if (!added && added.error().code != Errc::exists) return added;
    const auto password = make_password(answers.admin_password);
    if (!password) return password.error();
    const auto made = create_user(**store, answers.admin, *password);
    if (!made && made.error().code != Errc::exists) return made.error();
    if (!made) {
        auto changed = change_password(**store, answers.admin, *password);
        if (!changed) return changed;
    }
    directory::Aliases aliases(*(*store)->kv);
    for (const char* name : {"postmaster", "abuse"}) {
        const auto address = std::string(name) + "@" + answers.domain;
        if (address == answers.admin) continue;
        auto alias = aliases.add(address, {answers.admin});
        if (!alias && alias.error().code != Errc::exists) return alias;
    }
    return {};
}

Result<void> write_machine_files(const std::string& root, const config::Answers& answers) {
    const fs::path etc = fs::path(root) / "etc";
    const auto short_name = answers.hostname.substr(0, answers.hostname.find('.'));
    auto done = write_file(etc / "hostname", answers.hostname + "\n", 0644, "");
    if (!done) return done;
    done = write_file(etc / "hosts",
                      "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n127.0.1.1 " +
                          answers.hostname + " " + short_name + "\n",
                      0644, "");
    if (!done) return done;
    return write_file(etc / "systemd/network/20-postern.network", network_file(answers), 0644, "");
}

Result<void> write_setup_file(const Context& context, const config::Answers& answers) {
    std::string text =
        "# Written by postern setup. Yours to change.\nhostname: " + quoted(answers.hostname) +
        "\n";
    if (answers.by_acme()) {
        text += "listeners:\n  http: [\"0.0.0.0:80\", \"[::]:80\"]\n";
        text += "tls:\n  acme:\n    directory: " + quoted(answers.acme_directory) +
                "\n    contact: " + quoted(answers.admin) + "\n";
    } else if (!answers.certificate.empty()) {
        text += "tls:\n  certificate: " + quoted(answers.certificate) +
                "\n  key: " + quoted(answers.key) + "\n";
    }
    if (!answers.backup_target.empty()) {
        text += "backup:\n  target: " + quoted(answers.backup_target) + "\n";
    }
    return write_file(setup_file(context), text, 0644, context.config.data_dir);
}

}  // namespace postern::cli

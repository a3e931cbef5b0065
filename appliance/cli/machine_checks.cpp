#include "appliance/cli/machine_checks.h"

#include "appliance/cli/ownership.h"
#include "appliance/cli/store_access.h"
#include "gateway/net/tls.h"
#include "gateway/serve/certificates.h"
#include "protocols/wire/ip_address.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <optional>

namespace postern::cli {

using health::Finding;
using health::Level;

namespace {

constexpr int probe_seconds = 5;
constexpr int sync_rounds = 15;
constexpr double slow_sync_ms = 30;

struct Descriptor {
    int number = -1;
    ~Descriptor() {
        if (number >= 0) ::close(number);
    }
};

// "0.0.0.0" and "::" are reached at loopback.
int connect_to(const std::string& endpoint, Descriptor& descriptor) {
    const auto colon = endpoint.rfind(':');
    std::string host = endpoint.substr(0, colon);
    if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
    const auto port = static_cast<std::uint16_t>(std::atoi(endpoint.c_str() + colon + 1));
    sockaddr_in6 six{};
    sockaddr_in four{};
    const bool v6 = host.find(':') != std::string::npos;
    if (v6) {
        six.sin6_family = AF_INET6;
        six.sin6_port = htons(port);
        ::inet_pton(AF_INET6, host == "::" ? "::1" : host.c_str(), &six.sin6_addr);
    } else {
        four.sin_family = AF_INET;
        four.sin_port = htons(port);
        ::inet_pton(AF_INET, host == "0.0.0.0" ? "127.0.0.1" : host.c_str(), &four.sin_addr);
    }
    descriptor.number = ::socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval limit{probe_seconds, 0};
    ::setsockopt(descriptor.number, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(descriptor.number, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    return v6 ? ::connect(descriptor.number, reinterpret_cast<sockaddr*>(&six), sizeof six)
              : ::connect(descriptor.number, reinterpret_cast<sockaddr*>(&four), sizeof four);
}

// How the greeting of a service begins; empty: the client speaks first.
std::string greeting_of(const std::string& service) {
    if (service == "smtp" || service == "submission" || service == "lmtp") return "220 ";
    if (service == "imap") return "* OK";
    if (service == "pop3") return "+OK";
    return "";
}

Finding probe(const std::string& service, const std::string& endpoint) {
    Finding finding{"listener", Level::good, service + " " + endpoint, ""};
    Descriptor descriptor;
    if (connect_to(endpoint, descriptor) != 0) {
        finding.level = Level::bad;
        finding.text += " cannot be reached: " + std::string(std::strerror(errno));
        finding.remedy = "journalctl -u postern says why";
        return finding;
    }
    const auto wanted = greeting_of(service);
    if (wanted.empty()) return finding;
    char bytes[256];
    const auto got = ::recv(descriptor.number, bytes, sizeof bytes, 0);
    const std::string_view said(bytes, got > 0 ? static_cast<std::size_t>(got) : 0);
    if (said.starts_with(wanted)) {
        finding.text += " greets";
    } else {
        finding.level = Level::bad;
        finding.text += said.empty() ? std::string(" does not greet")
                                     : " says " + std::string(said.substr(0, said.find('\r')));
        finding.remedy = "are its connections all taken? see postern status --json, sessions";
    }
    return finding;
}

// Run by root everything can be read; what matters is the daemon's user.
std::optional<Finding> unreadable(const std::string& area, const config::Config& config,
                                  const std::string& path) {
    if (owner_can_read(config.data_dir, path)) return std::nullopt;
    return Finding{area, Level::bad, path + " cannot be read by the gateway's user",
                   "chgrp postern " + path + " && chmod g+r " + path +
                       ", and its folder has to let the group in"};
}

void check_secret(const config::Config& config, const std::string& path,
                  std::vector<Finding>& findings) {
    struct stat facts {};
    if (path.empty() || ::stat(path.c_str(), &facts) != 0) return;
    if ((facts.st_mode & (S_IROTH | S_IWOTH)) != 0) {
        findings.push_back(
            {"permissions", Level::bad, path + " is open to everybody", "chmod o= " + path});
    }
    if (auto closed = unreadable("permissions", config, path)) {
        findings.push_back(std::move(*closed));
    }
}

}  // namespace

std::vector<Finding> check_listeners(
    const std::map<std::string, std::vector<std::string>>& listeners) {
    std::vector<Finding> findings;
    for (const auto& [service, endpoints] : listeners) {
        for (const auto& endpoint : endpoints) findings.push_back(probe(service, endpoint));
    }
    return findings;
}

std::vector<Finding> check_permissions(const config::Config& config) {
    std::vector<Finding> findings;
    check_secret(config, config.tls.key, findings);
    for (const auto& [certificate, key] : config.tls.more) check_secret(config, key, findings);
    for (const auto& [domain, target] : config.dkim.keys) {
        const auto colon = target.find(':');
        if (colon != std::string::npos) check_secret(config, target.substr(colon + 1), findings);
    }
    check_secret(config, config.outbound.smarthost_password_file, findings);
    check_secret(config, config.srs_file(), findings);
    struct stat folder {};
    if (::stat(config.data_dir.c_str(), &folder) != 0) {
        findings.push_back({"permissions", Level::bad, config.data_dir + " does not exist",
                            "start the daemon once, or: postern setup"});
    } else if ((folder.st_mode & S_IWOTH) != 0) {
        findings.push_back({"permissions", Level::bad,
                            config.data_dir + " may be written by everybody",
                            "chmod 0750 " + config.data_dir});
    }
    if (findings.empty()) {
        findings.push_back({"permissions", Level::good, "keys and mail are closed to others", ""});
    }
    return findings;
}

bool no_store_yet(const config::Config& config) {
    std::error_code unknown;
    return !std::filesystem::exists(config.store_folder(), unknown) && !unknown;
}

Finding daemon_missing(const config::Config& config) {
    if (no_store_yet(config)) {
        return {"daemon", Level::bad, "is not set up: no store in " + config.data_dir,
                "postern setup, then systemctl start postern"};
    }
    return {"daemon", Level::bad, "does not run on " + config.data_dir,
            "systemctl start postern, then journalctl -u postern"};
}

Finding check_disk_speed(const std::string& folder) {
    const std::string path = folder + "/.doctor-" + std::to_string(::getpid());
    Descriptor file;
    file.number = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file.number < 0) {
        return {"disk speed", Level::skipped, path + ": " + std::strerror(errno),
                "run it as root or as the daemon's user"};
    }
    ::unlink(path.c_str());
    const std::array<char, 4096> block{};
    std::vector<double> times;
    for (int round = 0; round < sync_rounds; ++round) {
        const auto begin = std::chrono::steady_clock::now();
        const auto written = ::write(file.number, block.data(), block.size());
        if (written != static_cast<ssize_t>(block.size()) || ::fdatasync(file.number) != 0) {
            return {"disk speed", Level::bad, folder + ": " + std::strerror(errno),
                    "is the disk full or failing? dmesg tells"};
        }
        const std::chrono::duration<double, std::milli> took =
            std::chrono::steady_clock::now() - begin;
        times.push_back(took.count());
    }
    std::sort(times.begin(), times.end());
    const double median = times[times.size() / 2];
    char text[80];
    std::snprintf(text, sizeof text, "4 KiB are durable after %.1f ms", median);
    Finding finding{"disk speed", Level::good, text, ""};
    if (median > slow_sync_ms) {
        finding.level = Level::warning;
        finding.remedy = "an SSD, or a controller with a protected write cache, takes more mail";
    }
    return finding;
}

Finding check_certificate(const config::Config& config) {
    if (config.by_acme() && config.listeners.http.empty()) {
        return {"certificate", Level::bad, "the authority asks at port 80, where nothing listens",
                "set listeners.http: [\"0.0.0.0:80\", \"[::]:80\"], and restart the daemon"};
    }
    auto files = serve::chosen_certificate(config);
    if (files.certificate.empty()) {
        files.certificate = config.tls_folder() + "/self-signed.pem";
        files.key = config.tls_folder() + "/self-signed.key";
    }
    for (const auto& file : {files.certificate, files.key}) {
        if (auto closed = unreadable("certificate", config, file)) return *closed;
    }
    std::vector<net::CertificateFiles> more;
    for (const auto& [file, its_key] : config.tls.more) more.push_back({file, its_key});
    const auto loaded = net::TlsContext::load(files.certificate, files.key, more);
    if (!loaded) {
        return {"certificate", Level::bad, loaded.error().text,
                "set tls.certificate and tls.key, or start the daemon to make one"};
    }
    const auto& tls = **loaded;
    return health::judge_certificate({tls.expires(), tls.self_signed(), config.by_acme(),
                                      tls.names(config.hostname), config.hostname},
                                     now());
}

}  // namespace postern::cli

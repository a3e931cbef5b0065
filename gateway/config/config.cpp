#include "gateway/config/config.h"

#include "filters/pipeline/thresholds.h"
#include "gateway/config/layers.h"
#include "gateway/config/yaml_reader.h"
#include "protocols/wire/text.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace postern::config {

namespace fs = std::filesystem;

bool is_hostname(const std::string& name) {
    if (name.empty() || name.size() > 253 || name.front() == '.' || name.front() == '-')
        return false;
    return std::all_of(name.begin(), name.end(), [](unsigned char c) {
        return (c < 0x80 && std::isalnum(c)) || c == '-' || c == '.';
    });
}

namespace {

constexpr std::uint64_t mib = 1024 * 1024;
constexpr std::uint64_t gib = 1024 * mib;

// "ssh:[USER@]HOST:/FOLDER"; nothing in it may look like an option to ssh.
bool is_remote_target(const std::string& target) {
    if (!target.starts_with("ssh:")) return false;
    const auto colon = target.find(":/", 4);
    if (colon == std::string::npos) return false;
    std::string host = target.substr(4, colon - 4);
    if (const auto at = host.find('@'); at != std::string::npos) {
        if (at == 0 || host.front() == '-') return false;
        host.erase(0, at + 1);
    }
    return is_hostname(host);
}

std::string machine_name() {
    char name[256] = {};
    if (gethostname(name, sizeof name - 1) != 0 || !is_hostname(name)) return "localhost";
    return name;
}

void describe_connections(Section& section, Connections& value) {
    section.number("max_connections", value.max_connections, 1, 1'000'000);
    section.number("max_connections_per_address", value.max_connections_per_address, 1, 1'000'000);
}

void describe_listeners(Section& section, Listeners& value) {
    section.endpoints("smtp", value.smtp);
    section.endpoints("submission", value.submission);
    section.endpoints("submissions", value.submissions);
    section.endpoints("lmtp", value.lmtp);
    section.endpoints("imap", value.imap);
    section.endpoints("imaps", value.imaps);
    section.endpoints("pop3", value.pop3);
    section.endpoints("pop3s", value.pop3s);
    section.endpoints("http", value.http);
    section.endpoints("https", value.https);
    section.endpoints("metrics", value.metrics);
}

// RFC 8555 asks for HTTPS; without it only what a test runs on this machine.
bool is_authority(const std::string& url) {
    for (const char* start : {"https://", "http://127.0.0.1:", "http://[::1]:"}) {
        if (url.starts_with(start) && url.size() > std::string_view(start).size()) {
            return std::none_of(url.begin(), url.end(), [](unsigned char c) { return c <= ' '; });
        }
    }
    return false;
}

void describe_acme(Section& section, Acme& value) {
    section.text("directory", value.directory);
    section.text("contact", value.contact);
    section.texts("names", value.names);
    section.check(value.directory.empty() || is_authority(value.directory), "directory",
                  "expected the https:// address of an authority's ACME directory");
    const auto at = value.contact.find('@');
    section.check(value.contact.empty() || (at != 0 && at != std::string::npos &&
                                            value.contact.front() != '-'),
                  "contact", "expected an e-mail address");
    section.check(value.names.size() <= max_acme_names &&
                      std::all_of(value.names.begin(), value.names.end(), is_hostname),
                  "names",
                  "expected at most " + std::to_string(max_acme_names) + " host names");
}

void describe_tls(Section& section, Tls& value) {
    section.section("acme", [&](Section& each) { describe_acme(each, value.acme); });
    section.text("certificate", value.certificate);
    section.text("key", value.key);
    section.texts_by_name("more", value.more);
    section.check(value.key.empty() || !value.certificate.empty(), "key",
                  "expected together with tls.certificate");
    section.check(value.certificate.empty() || !value.key.empty(), "certificate",
                  "expected together with tls.key");
}

void describe_oauth(Section& section, OAuth& value) {
    section.text("keys_file", value.keys_file);
    section.text("issuer", value.issuer);
    section.text("audience", value.audience);
    section.text("user_claim", value.user_claim);
    const bool whole =
        value.keys_file.empty() || (!value.issuer.empty() && !value.audience.empty());
    section.check(whole, "keys_file", "expected together with issuer and audience");
    section.check(!value.user_claim.empty(), "user_claim", "expected the name of a claim");
}

void describe_smtp(Section& section, Smtp& value) {
    describe_connections(section, value);
    section.number("max_recipients", value.max_recipients, 100, 1000);
    section.number("max_errors", value.max_errors, 1, 1000);
    section.number("greeting_delay_ms", value.greeting_delay_ms, 0, 60'000);
    section.number("max_messages_per_minute_per_address", value.max_messages_per_minute_per_address,
                   0, 1'000'000);
    section.number("max_messages_per_minute_per_network", value.max_messages_per_minute_per_network,
                   0, 1'000'000);
}

void describe_outbound(Section& section, Outbound& value) {
    constexpr std::uint64_t year_s = 365 * 24 * 3600;
    section.text("smarthost", value.smarthost);
    section.text("smarthost_user", value.smarthost_user);
    section.text("smarthost_password_file", value.smarthost_password_file);
    section.texts_by_name("transports", value.transports);
    for (const auto& [domain, target] : value.transports) {
        const bool good = target.starts_with("smtp:") || target.starts_with("lmtp:");
        section.check(good && target.size() > 5, "transports",
                      "expected smtp:HOST:PORT or lmtp:HOST:PORT for " + domain);
    }
    section.texts("relay_domains", value.relay_domains);
    section.one_of("tls", value.tls, {"off", "opportunistic", "require"});
    section.flag("check_recipients", value.check_recipients);
    section.flag("srs", value.srs);
    section.flag("dane", value.dane);
    section.flag("mta_sts", value.mta_sts);
    section.number("mta_sts_port", value.mta_sts_port, 1, 65535);
    section.text("ca_file", value.ca_file);
    section.number("mx_port", value.mx_port, 1, 65535);
    section.number("max_connections", value.max_connections, 1, 10'000);
    section.number("max_connections_per_destination", value.max_connections_per_destination, 1,
                   1000);
    section.number("retry_first_s", value.retry_first_s, 1, year_s);
    section.number("retry_longest_s", value.retry_longest_s, 1, year_s);
    section.number("give_up_after_s", value.give_up_after_s, 1, year_s);
    section.number("delay_notice_after_s", value.delay_notice_after_s, 1, year_s);
}

void describe_web(Section& section, Web& value) {
    describe_connections(section, value);
    section.one_of("mta_sts", value.mta_sts, {"off", "testing", "enforce"});
    section.texts("mta_sts_mx", value.mta_sts_mx);
}

void describe_limits(Section& section, Limits& value) {
    section.number("threads", value.threads, 0, 1024);
    section.bytes("max_inflight_bytes", value.max_inflight_bytes, mib, 1024 * gib);
    section.number("write_timeout_s", value.write_timeout_s, 1, 3600);
    section.number("shutdown_grace_s", value.shutdown_grace_s, 1, 3600);
}

void describe_filter(Section& section, Filter& value) {
    section.texts("rules", value.rules);
    double ham_loss = 0;
    section.real("ham_loss_percent", ham_loss, filters::min_ham_loss, filters::max_ham_loss);
    if (ham_loss > 0) value.spam_threshold = filters::spam_threshold_for(ham_loss);
    section.real("spam_threshold", value.spam_threshold, -1000, 1000);
    if (ham_loss > 0) value.unsure_threshold = value.spam_threshold * filters::unsure_share;
    section.real("unsure_threshold", value.unsure_threshold, -1000, 1000);
    section.check(value.unsure_threshold <= value.spam_threshold, "unsure_threshold",
                  "expected a number not over filter.spam_threshold");
    section.numbers_by_name("scores", value.scores);
    section.bytes("memory_bytes", value.memory_bytes, 32 * mib, 64 * gib);
    section.bytes("layer_memory_bytes", value.layer_memory_bytes, mib, gib);
    section.flag("starter_model", value.starter_model);
    section.texts("report_spam", value.report_spam);
    section.texts("report_ham", value.report_ham);
    for (auto* addresses : {&value.report_spam, &value.report_ham}) {
        const char* key = addresses == &value.report_spam ? "report_spam" : "report_ham";
        for (std::string& address : *addresses) {
            const auto at = address.rfind('@');
            section.check(at != std::string::npos && at > 0 && at + 1 < address.size(), key,
                          "expected addresses, as spam@example.org");
            address = wire::lower_case(address);
        }
    }
    for (const std::string& address : value.report_ham) {
        section.check(std::find(value.report_spam.begin(), value.report_spam.end(), address) ==
                          value.report_spam.end(),
                      "report_ham", "expected other addresses than in filter.report_spam");
    }
}

// What the files say: the daemon's configuration, and what the command line alone asks for.
struct Everything {
    Config config;
    std::string backup_target;
};

void describe(Section& root, Everything& all) {
    Config& config = all.config;
    root.text("hostname", config.hostname);
    root.check(config.hostname.empty() || is_hostname(config.hostname), "hostname",
               "expected a host name of letters, digits, '-' and '.'");
    root.text("data_dir", config.data_dir);
    root.check(config.data_dir.size() > 1 && config.data_dir.front() == '/', "data_dir",
               "expected an absolute path of a folder");
    root.section("listeners", [&](Section& s) { describe_listeners(s, config.listeners); });
    root.section("tls", [&](Section& s) { describe_tls(s, config.tls); });
    root.section("auth", [&](Section& s) {
        s.flag("allow_plaintext", config.auth.allow_plaintext);
        s.number("failure_delay_ms", config.auth.failure_delay_ms, 0, 60'000);
        s.section("oauth", [&](Section& each) { describe_oauth(each, config.auth.oauth); });
    });
    root.section("smtp", [&](Section& s) {
        s.bytes("max_message_bytes", config.smtp.max_message_bytes, 64 * 1024, 200 * mib);
        describe_smtp(s, config.smtp);
    });
    root.section("submission", [&](Section& s) {
        s.number("max_recipients_per_hour", config.submission.max_recipients_per_hour, 0,
                 100'000'000);
        s.one_of("spam", config.submission.spam, {"pass", "hold", "reject"});
        s.one_of("from_header", config.submission.from_header, {"hosted", "own", "any"});
    });
    root.section("outbound", [&](Section& s) { describe_outbound(s, config.outbound); });
    root.section("dns", [&](Section& s) {
        s.texts("servers", config.dns.servers);
        s.text("trust_anchor_file", config.dns.trust_anchor_file);
        s.number("timeout_ms", config.dns.timeout_ms, 100, 300'000);
    });
    root.section("dkim", [&](Section& s) { s.texts_by_name("keys", config.dkim.keys); });
    root.section("trusted", [&](Section& s) {
        s.networks("proxy_protocol", config.trusted.proxy_protocol);
        s.networks("xclient", config.trusted.xclient);
    });
    root.section("imap", [&](Section& s) {
        describe_connections(s, config.imap);
        // RFC 9738 section 3: no less than 1000.
        s.number("message_limit", config.imap.message_limit, 1000, 4'000'000'000);
        s.each_of("withheld", config.imap.withheld,
                  {"COMPRESS=DEFLATE", "QRESYNC", "UIDONLY", "UTF8=ACCEPT"});
    });
    root.section("pop3", [&](Section& s) { describe_connections(s, config.pop3); });
    root.section("web", [&](Section& s) { describe_web(s, config.web); });
    root.section("limits", [&](Section& s) { describe_limits(s, config.limits); });
    root.section("filter", [&](Section& s) { describe_filter(s, config.filter); });
    root.section("log", [&](Section& s) {
        s.one_of("level", config.log.level, {"debug", "info", "warning", "error"});
        s.one_of("format", config.log.format, {"text", "json"});
    });
    root.section("backup", [&](Section& s) {
        auto& target = all.backup_target;
        s.text("target", target);
        s.check(target.empty() || target.starts_with("/") || is_remote_target(target), "target",
                "expected an absolute path of a folder, or ssh:[USER@]HOST:/FOLDER");
    });
    root.finish();
}

void read(std::string_view yaml, ReadState& state, Everything& all) {
    try {
        Section root(state, YAML::Load(std::string(yaml)), "");
        describe(root, all);
    } catch (const YAML::Exception& problem) {
        state.fail(problem.mark, "", "expected YAML: " + problem.msg);
    }
}

// What the text says on top of what `all` has; `name` stands for its file in messages.
Result<void> add_layer(std::string_view yaml, const std::string& name, Everything& all) {
    if (yaml.size() > max_file_bytes) {
        return Error{Errc::invalid,
                     name + ":1: expected at most " + std::to_string(max_file_bytes) + " bytes"};
    }
    ReadState state;
    state.file = name;
    read(yaml, state, all);
    if (!state.error.empty()) return Error{Errc::invalid, state.error};
    return {};
}

Result<void> add_file(const std::string& path, Everything& all) {
    std::ifstream in(path, std::ios::binary);
    if (!in) return Error{Errc::not_found, path + ": cannot be opened"};
    std::ostringstream text;
    text << in.rdbuf();
    if (in.bad() || text.bad()) return Error{Errc::unavailable, path + ": cannot be read"};
    return add_layer(text.str(), path, all);
}

Result<Everything> load_all(const std::string& path) {
    Everything all;
    if (auto added = add_file(path, all); !added) return added.error();
    auto layers = layer_files(path);
    if (!layers) return layers.error();
    for (const auto& layer : *layers) {
        if (auto added = add_file(layer, all); !added) {
            // A layer that is listed but cannot be opened is not "no configuration".
            if (added.error().code != Errc::not_found) return added.error();
            return Error{Errc::unavailable, added.error().text};
        }
    }
    return all;
}

}  // namespace

Result<Config> parse_config(std::string_view yaml, const std::string& name) {
    Everything all;
    if (auto added = add_layer(yaml, name, all); !added) return added.error();
    if (all.config.hostname.empty()) all.config.hostname = machine_name();
    return all.config;
}

Result<std::vector<std::string>> layer_files(const std::string& path) {
    std::vector<std::string> files;
    for (const char* name : {"local.d", "override.d"}) {
        const fs::path folder = fs::path(path).parent_path() / name;
        std::error_code problem;
        if (!fs::exists(folder, problem) && !problem) continue;
        std::vector<std::string> found;
        for (fs::directory_iterator each(folder, problem), end; !problem && each != end;
             each.increment(problem)) {
            if (each->path().extension() == ".yaml") found.push_back(each->path().string());
        }
        if (problem) {
            return Error{Errc::unavailable, folder.string() + ": cannot be listed"};
        }
        std::sort(found.begin(), found.end());
        files.insert(files.end(), found.begin(), found.end());
        if (files.size() > max_layers) {
            return Error{Errc::invalid, folder.string() + ": expected at most " +
                                            std::to_string(max_layers) +
                                            " files in local.d and override.d"};
        }
    }
    return files;
}

Result<Config> load_config(const std::string& path) {
    auto all = load_all(path);
    if (!all) return all.error();
    all->config.file = path;
    if (all->config.hostname.empty()) all->config.hostname = machine_name();
    return std::move(all->config);
}

Result<std::string> load_backup_target(const std::string& path) {
    auto all = load_all(path);
    if (!all) return all.error();
    return std::move(all->backup_target);
}

std::vector<std::string> known_keys() {
    ReadState state;
    Everything all;
    read("", state, all);
    return state.keys;
}

}  // namespace postern::config

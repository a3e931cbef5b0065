#include "gateway/config/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

namespace postern::config {
namespace {

std::string shipped_file() {
    std::ifstream in(POSTERN_SOURCE_DIR "/appliance/etc/postern.yaml");
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

std::string error_of(const std::string& yaml) {
    auto config = parse_config(yaml, "p.yaml");
    return config ? "" : config.error().text;
}

TEST(Config, EmptyFileIsTheDefaults) {
    auto config = parse_config("", "p.yaml");
    ASSERT_TRUE(config);
    EXPECT_FALSE(config->hostname.empty());
    Config expected;
    expected.hostname = config->hostname;
    EXPECT_EQ(*config, expected);
}

TEST(Config, ShippedFileDocumentsTheDefaults) {
    auto shipped = parse_config(shipped_file(), "postern.yaml");
    ASSERT_TRUE(shipped) << shipped.error().text;
    EXPECT_EQ(*shipped, *parse_config("", "p.yaml"));
}

TEST(Config, ShippedFileHasEveryKey) {
    const auto text = shipped_file();
    const auto keys = known_keys();
    ASSERT_GT(keys.size(), 20u);
    for (const auto& key : keys) {
        // Each name on a line of its own, deeper than the section that it belongs to; those that
        // take another key's place are commented out.
        std::string indent = "\n";
        std::size_t from = 0;
        std::istringstream names(key);
        for (std::string name; std::getline(names, name, '.'); indent += "  ") {
            from = std::min(text.find(indent + name + ":", from),
                            text.find(indent + "# " + name + ":", from));
            ASSERT_NE(from, std::string::npos) << key << " is not documented";
        }
    }
}

TEST(Config, NetworksAndTransports) {
    auto config = parse_config(
        "trusted: {proxy_protocol: [\"192.0.2.0/24\", \"::1\"]}\n"
        "outbound:\n"
        "  transports: {example.org: \"lmtp:127.0.0.1:24\", .example.com: \"smtp:mail\"}\n",
        "p.yaml");
    ASSERT_TRUE(config) << config.error().text;
    EXPECT_EQ(config->trusted.proxy_protocol.size(), 2u);
    ASSERT_EQ(config->outbound.transports.size(), 2u);
    EXPECT_EQ(config->outbound.transports[1].second, "smtp:mail");
    EXPECT_THAT(error_of("trusted: {xclient: [\"192.0.2.0/33\"]}\n"),
                testing::HasSubstr("p.yaml:1: trusted.xclient: expected a numeric address"));
    EXPECT_THAT(error_of("outbound:\n  transports: {a.example: \"uucp:x\"}\n"),
                testing::HasSubstr("p.yaml:2: outbound.transports: expected smtp:"));
    EXPECT_NE(error_of("outbound: {transports: [a]}\n"), "");
}

TEST(Config, ReadsEveryKind) {
    auto config = parse_config(
        "hostname: mx.example.net\n"
        "data_dir: /srv/mail\n"
        "listeners: {smtp: [\"127.0.0.1:2525\", \"[::1]:0\"], imap: []}\n"
        "tls: {certificate: /c.pem, key: /k.pem, more: {/d.pem: /d.key}}\n"
        "auth: {allow_plaintext: true}\n"
        "smtp: {max_message_bytes: 1 MiB, max_connections: 7}\n"
        "imap: {withheld: [UIDONLY], message_limit: 1000}\n"
        "filter: {rules: [a.yaml, b.yaml], spam_threshold: 6.5, scores: {A_B: -1.5, C: 2}}\n"
        "log: {level: debug, format: json}\n",
        "p.yaml");
    ASSERT_TRUE(config) << config.error().text;
    EXPECT_EQ(config->hostname, "mx.example.net");
    EXPECT_EQ(config->control_socket(), "/srv/mail/run/control.sock");
    ASSERT_EQ(config->listeners.smtp.size(), 2u);
    EXPECT_EQ(to_string(config->listeners.smtp[0]), "127.0.0.1:2525");
    EXPECT_EQ(to_string(config->listeners.smtp[1]), "[::1]:0");
    EXPECT_TRUE(config->listeners.imap.empty());
    EXPECT_EQ(config->listeners.pop3, everywhere(110));
    EXPECT_EQ(config->tls.key, "/k.pem");
    ASSERT_EQ(config->tls.more.size(), 1u);
    EXPECT_EQ(config->tls.more[0].second, "/d.key");
    EXPECT_TRUE(config->auth.allow_plaintext);
    EXPECT_EQ(config->smtp.max_message_bytes, 1024u * 1024);
    EXPECT_EQ(config->smtp.max_connections, 7u);
    EXPECT_EQ(config->imap.withheld, std::vector<std::string>{"UIDONLY"});
    EXPECT_EQ(config->imap.message_limit, 1000u);
    EXPECT_EQ(config->filter.rules, (std::vector<std::string>{"a.yaml", "b.yaml"}));
    EXPECT_DOUBLE_EQ(config->filter.spam_threshold, 6.5);
    ASSERT_EQ(config->filter.scores.size(), 2u);
    EXPECT_DOUBLE_EQ(config->filter.scores[0].second, -1.5);
    EXPECT_EQ(config->log.format, "json");
}

TEST(Config, AToleratedHamLossSetsBothThresholdsUnlessTheyAreGiven) {
    const auto filter_of = [](const char* yaml) { return parse_config(yaml, "p.yaml")->filter; };
    EXPECT_DOUBLE_EQ(filter_of("filter: {ham_loss_percent: 0.1}\n").spam_threshold, 5);
    EXPECT_DOUBLE_EQ(filter_of("filter: {ham_loss_percent: 0.1}\n").unsure_threshold, 3);
    EXPECT_DOUBLE_EQ(filter_of("filter: {ham_loss_percent: 0.01}\n").spam_threshold, 10.76);
    EXPECT_DOUBLE_EQ(filter_of("filter: {ham_loss_percent: 1}\n").spam_threshold, 1);
    const auto both = filter_of("filter: {spam_threshold: 7, ham_loss_percent: 0.001}\n");
    EXPECT_DOUBLE_EQ(both.spam_threshold, 7);
    EXPECT_DOUBLE_EQ(both.unsure_threshold, 4.2);
}

struct BadCase {
    const char* yaml;
    const char* expected;  // start of the message
};

class ConfigRefuses : public testing::TestWithParam<BadCase> {};

TEST_P(ConfigRefuses, WithFileLineKeyAndExpectation) {
    const auto error = error_of(GetParam().yaml);
    EXPECT_EQ(error.rfind(GetParam().expected, 0), 0u) << error;
}

INSTANTIATE_TEST_SUITE_P(
    Cases, ConfigRefuses,
    testing::Values(
        BadCase{"hostname: a\nhostnam: b\n",
                "p.yaml:2: hostnam: unknown key, expected one of auth, "},
        BadCase{"\n\nsmtp:\n  max_mesage_bytes: 1MiB\n",
                "p.yaml:4: smtp.max_mesage_bytes: unknown key, expected one of greeting_delay_ms"},
        BadCase{"hostname: a\nhostname: b\n", "p.yaml:2: hostname: expected once, given twice"},
        BadCase{"hostname: -a\n", "p.yaml:1: hostname: expected a host name"},
        BadCase{"hostname: \"a\\nb\"\n", "p.yaml:1: hostname: expected a text without control"},
        BadCase{"hostname: [a]\n", "p.yaml:1: hostname: expected a text"},
        BadCase{"data_dir: relative\n", "p.yaml:1: data_dir: expected an absolute path"},
        BadCase{"listeners:\n  smtp: [\"localhost:25\"]\n",
                "p.yaml:2: listeners.smtp: expected a numeric address and a port"},
        BadCase{"listeners:\n  smtp:\n  - \"1.2.3.4:25\"\n  - \"1.2.3.4:65536\"\n",
                "p.yaml:4: listeners.smtp: expected a numeric address and a port"},
        BadCase{"listeners:\n  smtp: \"1.2.3.4:25\"\n",
                "p.yaml:2: listeners.smtp: expected a list"},
        BadCase{"imap: {withheld: [UIDONLY, IDLE]}\n",
                "p.yaml:1: imap.withheld: expected a list of COMPRESS=DEFLATE, QRESYNC, UIDONLY"},
        BadCase{"imap: {message_limit: 999}\n",
                "p.yaml:1: imap.message_limit: expected a whole number from 1000"},
        BadCase{"listeners: 5\n", "p.yaml:1: listeners: expected a mapping"},
        BadCase{"tls: {certificate: a}\n",
                "p.yaml:1: tls.certificate: expected together with tls.key"},
        BadCase{"tls: {key: a}\n", "p.yaml:1: tls.key: expected together with tls.certificate"},
        BadCase{"tls: {acme: {directory: \"http://ca.example/\"}}\n",
                "p.yaml:1: tls.acme.directory: expected the https:// address"},
        BadCase{"tls: {acme: {directory: \"https://\"}}\n",
                "p.yaml:1: tls.acme.directory: expected the https:// address"},
        BadCase{"tls: {acme: {directory: \"https://ca.example/ a\"}}\n",
                "p.yaml:1: tls.acme.directory: expected the https:// address"},
        BadCase{"tls: {acme: {contact: \"-c@example.org\"}}\n",
                "p.yaml:1: tls.acme.contact: expected an e-mail address"},
        BadCase{"tls: {acme: {names: [\"--force\"]}}\n",
                "p.yaml:1: tls.acme.names: expected at most 99 host names"},
        BadCase{"auth:\n  allow_plaintext: yes\n",
                "p.yaml:2: auth.allow_plaintext: expected true or false"},
        BadCase{"smtp: {max_message_bytes: 65535}\n",
                "p.yaml:1: smtp.max_message_bytes: expected a number of bytes"},
        BadCase{"smtp: {max_message_bytes: 1MB}\n",
                "p.yaml:1: smtp.max_message_bytes: expected a number of bytes"},
        BadCase{"smtp: {max_message_bytes: 99999999999999999999}\n",
                "p.yaml:1: smtp.max_message_bytes: expected a number of bytes"},
        BadCase{"smtp: {max_connections: 1KiB}\n",
                "p.yaml:1: smtp.max_connections: expected a whole number from 1 to 1000000"},
        BadCase{"smtp: {max_connections: 0}\n", "p.yaml:1: smtp.max_connections: expected a whole"},
        BadCase{"smtp: {max_connections: 1000001}\n", "p.yaml:1: smtp.max_connections: expected a"},
        BadCase{"filter: {ham_loss_percent: 0.0009}\n",
                "p.yaml:1: filter.ham_loss_percent: expected a number from 0.001"},
        BadCase{"filter: {ham_loss_percent: 1.01}\n",
                "p.yaml:1: filter.ham_loss_percent: expected a number from 0.001"},
        BadCase{"filter: {spam_threshold: nan}\n",
                "p.yaml:1: filter.spam_threshold: expected a number"},
        BadCase{"filter:\n  spam_threshold: 2\n  unsure_threshold: 3\n",
                "p.yaml:3: filter.unsure_threshold: expected a number not over"},
        BadCase{"filter:\n  report_spam: [spam]\n",
                "p.yaml:2: filter.report_spam: expected addresses"},
        BadCase{"filter:\n  report_spam: [a@b.example]\n  report_ham: [A@b.example]\n",
                "p.yaml:3: filter.report_ham: expected other addresses"},
        BadCase{"filter:\n  scores:\n    A: 1\n    B: x\n",
                "p.yaml:4: filter.scores: expected a name and a number"},
        BadCase{"log: {level: loud}\n",
                "p.yaml:1: log.level: expected one of debug, info, warning"},
        BadCase{"backup: {target: relative}\n",
                "p.yaml:1: backup.target: expected an absolute path"},
        BadCase{"backup: {target: \"ssh:host\"}\n",
                "p.yaml:1: backup.target: expected an absolute"},
        BadCase{"backup: {target: \"ssh:-oProxy@host:/x\"}\n", "p.yaml:1: backup.target: expected"},
        BadCase{"backup: {target: \"ssh:-oProxy:/x\"}\n", "p.yaml:1: backup.target: expected an"},
        BadCase{"a: [\n", "p.yaml:2: expected YAML"},
        BadCase{"- a\n", "p.yaml:1: expected a mapping"},
        BadCase{"just text", "p.yaml:1: expected a mapping"}));

TEST(Config, LimitsAreInclusive) {
    EXPECT_EQ(error_of("smtp: {max_message_bytes: 64KiB}\n"), "");
    EXPECT_EQ(error_of("smtp: {max_message_bytes: 200MiB}\n"), "");
    EXPECT_NE(error_of("smtp: {max_message_bytes: 209715201}\n"), "");
    EXPECT_EQ(error_of("smtp: {max_connections: 1000000}\n"), "");
    EXPECT_EQ(error_of("smtp: {max_connections: 1}\n"), "");
}

TEST(Config, FileSizeIsBounded) {
    EXPECT_EQ(error_of("#" + std::string(max_file_bytes - 1, 'x')), "");
    EXPECT_NE(error_of("#" + std::string(max_file_bytes, 'x')), "");
}

TEST(Config, ListLengthIsBounded) {
    auto list_of = [](std::size_t count) {
        std::string yaml = "filter:\n  rules: [";
        for (std::size_t i = 0; i < count; ++i) yaml += "a,";
        return yaml + "]\n";
    };
    EXPECT_EQ(error_of(list_of(max_list_entries - 1)), "");
    EXPECT_EQ(error_of(list_of(max_list_entries)), "");
    EXPECT_NE(error_of(list_of(max_list_entries + 1)), "");
}

TEST(Config, NamesOfOneCertificateAreBounded) {
    auto list_of = [](std::size_t count) {
        std::string yaml = "tls: {acme: {names: [";
        for (std::size_t i = 0; i < count; ++i) yaml += "a.example,";
        return yaml + "]}}\n";
    };
    EXPECT_EQ(error_of(list_of(max_acme_names - 1)), "");
    EXPECT_EQ(error_of(list_of(max_acme_names)), "");
    EXPECT_NE(error_of(list_of(max_acme_names + 1)), "");
}

TEST(Config, MissingFileIsAnError) {
    auto config = load_config("/nonexistent/postern.yaml");
    ASSERT_FALSE(config);
    EXPECT_EQ(config.error().code, Errc::not_found);
}

}  // namespace
}  // namespace postern::config

#include "gateway/config/answers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace postern::config {
namespace {

const std::string least = "hostname: mx.example.org\ndomain: example.org\n";

std::string error_of(const std::string& yaml) {
    const auto answers = parse_answers(yaml, "a.yaml");
    return answers ? "" : answers.error().text;
}

TEST(Answers, TwoAreEnough) {
    const auto answers = parse_answers(least, "a.yaml");
    ASSERT_TRUE(answers) << answers.error().text;
    EXPECT_EQ(answers->hostname, "mx.example.org");
    EXPECT_EQ(answers->domain, "example.org");
    EXPECT_EQ(answers->admin, "");
    EXPECT_TRUE(check_answers(*answers));
}

TEST(Answers, EveryKeyIsRead) {
    const auto answers = parse_answers(
        least +
            "admin: ann@example.org\nadmin_password: secret\n"
            "certificate: |\n  -----BEGIN CERTIFICATE-----\n  AA==\n  -----END CERTIFICATE-----\n"
            "key: |\n  -----BEGIN PRIVATE KEY-----\n  AA==\n  -----END PRIVATE KEY-----\n"
            "backup_target: ssh:backup@host.example:/srv/postern\n"
            "address: 192.0.2.10/24\ngateway: 192.0.2.1\nname_servers: [192.0.2.53]\n",
        "a.yaml");
    ASSERT_TRUE(answers) << answers.error().text;
    EXPECT_EQ(answers->admin, "ann@example.org");
    EXPECT_TRUE(is_pem(answers->certificate));
    EXPECT_THAT(answers->key, testing::EndsWith("-----END PRIVATE KEY-----\n"));
    EXPECT_EQ(answers->backup_target, "ssh:backup@host.example:/srv/postern");
    EXPECT_EQ(answers->name_servers, std::vector<std::string>{"192.0.2.53"});
}

TEST(Answers, AnAuthorityMayGiveTheCertificate) {
    const auto answers = parse_answers(least + "certificate: acme\n", "a.yaml");
    ASSERT_TRUE(answers) << answers.error().text;
    EXPECT_TRUE(answers->by_acme());
    EXPECT_EQ(answers->acme_directory, lets_encrypt);
    const auto other = parse_answers(
        least + "certificate: acme\nacme_directory: https://ca.example/acme\n", "a.yaml");
    ASSERT_TRUE(other) << other.error().text;
    EXPECT_EQ(other->acme_directory, "https://ca.example/acme");
}

TEST(Answers, CloudConfigHoldsThemBelowOneKey) {
    const std::string head = "#cloud-config\nusers: [default]\n";
    const auto answers = parse_answers(
        head + "postern:\n  hostname: mx.example.org\n  domain: example.org\n", "user-data");
    ASSERT_TRUE(answers) << answers.error().text;
    EXPECT_EQ(answers->domain, "example.org");
    EXPECT_EQ(error_of(head), "a.yaml:1: postern: expected this mapping");
    EXPECT_THAT(error_of(head + "postern:\n  hostname: mx.example.org\n  domian: example.org\n"),
                testing::StartsWith("a.yaml:5: domian: unknown key"));
}

TEST(Answers, AreRefusedWithTheirLine) {
    const std::pair<const char*, const char*> cases[] = {
        {"hostname: mx\n", "a.yaml:1: hostname: expected a full host name"},
        {"hostname: mx.example.org\n", "a.yaml:1: domain: expected a mail domain"},
        {"hostname: mx.example.org\ndomain: exa mple\n", "a.yaml:2: domain: expected"},
    };
    for (const auto& [yaml, expected] : cases) {
        EXPECT_THAT(error_of(yaml), testing::StartsWith(expected));
    }
    const std::pair<const char*, const char*> more[] = {
        {"admin: ann@example.net\n", "a.yaml:3: admin: expected an address in the domain"},
        {"admin: ann\n", "a.yaml:3: admin: expected"},
        {"admin: \"@example.org\"\n", "a.yaml:3: admin: expected"},
        {"certificate: /c.pem\n", "a.yaml:3: certificate: expected together with key"},
        {"certificate: acme\nkey: /k.pem\n", "a.yaml:3: certificate: expected together with key"},
        {"certificate: acme\nacme_directory: \"http://ca.example/\"\n",
         "a.yaml:4: acme_directory: expected the https:// address"},
        {"certificate: acme\nacme_directory: \"\"\n", "a.yaml:4: acme_directory: expected"},
        {"certificate: /c.pem\nkey: \"-----BEGIN PRIVATE KEY-----\"\n", "a.yaml:4: key: expected"},
        {"backup_target: here\n", "a.yaml:3: backup_target: expected an absolute path"},
        {"backup_target: \"/it's\"\n", "a.yaml:3: backup_target: expected an absolute path"},
        {"address: 192.0.2.10\n", "a.yaml:3: address: expected dhcp"},
        {"gateway: router\n", "a.yaml:3: gateway: expected a numeric address"},
        {"name_servers: [192.0.2.53/32]\n", "a.yaml:3: name_servers: expected numeric"},
        {"color: red\n", "a.yaml:3: color: unknown key"},
    };
    for (const auto& [yaml, expected] : more) {
        EXPECT_THAT(error_of(least + yaml), testing::StartsWith(expected));
    }
    EXPECT_THAT(error_of("hostname: [\n"), testing::HasSubstr("expected YAML"));
}

TEST(Answers, PasswordAndFileAreBounded) {
    const auto with = [](std::size_t bytes) {
        return error_of(least + "admin_password: " + std::string(bytes, 'x') + "\n");
    };
    EXPECT_EQ(with(1023), "");
    EXPECT_EQ(with(1024), "");
    EXPECT_THAT(with(1025), testing::HasSubstr("admin_password: expected at most 1024 bytes"));
    EXPECT_THAT(error_of(std::string(1024 * 1024 + 1, '#')), testing::HasSubstr("a.yaml:1: "));
}

}  // namespace
}  // namespace postern::config

// What the files beside the configuration add to it.
#include "gateway/config/layers.h"

#include "gateway/config/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace postern::config {
namespace {

namespace fs = std::filesystem;

class ConfigLayers : public testing::Test {
protected:
    ConfigLayers() {
        std::string name = testing::TempDir() + "postern-layers-XXXXXX";
        folder_ = ::mkdtemp(name.data());
    }
    ~ConfigLayers() override { fs::remove_all(folder_); }

    void write(const std::string& name, const std::string& text) {
        fs::create_directories((folder_ / name).parent_path());
        std::ofstream(folder_ / name) << text;
    }
    Result<Config> load() { return load_config((folder_ / "postern.yaml").string()); }
    std::string error() {
        const auto config = load();
        return config ? "" : config.error().text;
    }

    fs::path folder_;
};

TEST_F(ConfigLayers, LaterFilesWinByFolderThenName) {
    write("postern.yaml", "hostname: a.test\nsmtp: {max_errors: 1, max_recipients: 100}\n");
    write("override.d/10.yaml", "smtp: {max_errors: 5}\n");
    write("local.d/20.yaml", "hostname: c.test\nsmtp: {max_errors: 3}\n");
    write("local.d/10.yaml", "hostname: b.test\nlog: {level: debug}\n");
    write("local.d/30.yaml.bak", "hostname: z.test\n");
    const auto config = load();
    ASSERT_TRUE(config) << config.error().text;
    EXPECT_EQ(config->hostname, "c.test");
    EXPECT_EQ(config->smtp.max_errors, 5u);
    EXPECT_EQ(config->smtp.max_recipients, 100u);
    EXPECT_EQ(config->log.level, "debug");
    EXPECT_EQ(config->file, (folder_ / "postern.yaml").string());
    EXPECT_THAT(*layer_files(config->file),
                testing::ElementsAre(testing::EndsWith("local.d/10.yaml"),
                                     testing::EndsWith("local.d/20.yaml"),
                                     testing::EndsWith("override.d/10.yaml")));
}

TEST_F(ConfigLayers, ListsAreReplacedAndNamesMerged) {
    write("postern.yaml",
          "filter: {rules: [a, b], scores: {ONE: 1, TWO: 2}}\n"
          "outbound: {transports: {a.test: \"smtp:one\"}}\n");
    write("local.d/a.yaml",
          "filter: {rules: [c], scores: {TWO: 2.5, THREE: 3}}\n"
          "outbound: {transports: {a.test: \"smtp:two\", b.test: \"smtp:three\"}}\n");
    const auto config = load();
    ASSERT_TRUE(config) << config.error().text;
    EXPECT_EQ(config->filter.rules, std::vector<std::string>{"c"});
    EXPECT_EQ(config->filter.scores, (std::vector<std::pair<std::string, double>>{
                                         {"ONE", 1}, {"TWO", 2.5}, {"THREE", 3}}));
    EXPECT_EQ(config->outbound.transports, (std::vector<std::pair<std::string, std::string>>{
                                               {"a.test", "smtp:two"}, {"b.test", "smtp:three"}}));
}

TEST_F(ConfigLayers, AreRefusedWithTheirOwnFileAndLine) {
    write("postern.yaml", "hostname: a.test\n");
    write("local.d/a.yaml", "log:\n  level: loud\n");
    EXPECT_EQ(error().rfind((folder_ / "local.d/a.yaml:2: log.level: expected one of").string(), 0),
              0u)
        << error();
    write("local.d/a.yaml", "hostname: b.test\nhostnam: c\n");
    EXPECT_THAT(error(), testing::HasSubstr("local.d/a.yaml:2: hostnam: unknown key"));
    write("local.d/a.yaml", "");
    write("override.d/z.yaml", "filter: {spam_threshold: 2}\n");
    EXPECT_THAT(error(), testing::HasSubstr("override.d/z.yaml:1: filter.unsure_threshold: "));
}

TEST_F(ConfigLayers, TheBackupTargetIsReadBesideTheDaemonsConfiguration) {
    write("postern.yaml", "backup: {target: /a}\n");
    const auto path = (folder_ / "postern.yaml").string();
    EXPECT_EQ(*load_backup_target(path), "/a");
    write("local.d/a.yaml", "backup: {target: \"ssh:ann@host.example:/b\"}\n");
    EXPECT_EQ(*load_backup_target(path), "ssh:ann@host.example:/b");
    write("override.d/a.yaml", "backup: {target: \"\"}\n");
    EXPECT_EQ(*load_backup_target(path), "");
    write("override.d/a.yaml", "backup: {target: b}\n");
    EXPECT_FALSE(load_backup_target(path));
}

TEST_F(ConfigLayers, TheirNumberIsBounded) {
    write("postern.yaml", "");
    for (std::size_t i = 0; i + 1 < max_layers; ++i) {
        write("local.d/" + std::to_string(i) + ".yaml", "");
    }
    EXPECT_EQ(error(), "");
    write("override.d/last.yaml", "");
    EXPECT_EQ(error(), "");
    write("override.d/more.yaml", "");
    EXPECT_THAT(error(), testing::HasSubstr("expected at most 100 files"));
}

TEST_F(ConfigLayers, WhatCannotBeReadIsNoMissingConfiguration) {
    write("postern.yaml", "");
    fs::create_directories(folder_ / "local.d");
    fs::create_symlink("nowhere", folder_ / "local.d/a.yaml");
    const auto config = load();
    ASSERT_FALSE(config);
    EXPECT_EQ(config.error().code, Errc::unavailable);
    fs::remove_all(folder_ / "local.d");
    write("local.d", "a file");
    EXPECT_THAT(error(), testing::HasSubstr("local.d: cannot be listed"));
}

TEST_F(ConfigLayers, DoNotStandInForTheFile) {
    write("local.d/a.yaml", "hostname: b.test\n");
    const auto config = load();
    ASSERT_FALSE(config);
    EXPECT_EQ(config.error().code, Errc::not_found);
}

}  // namespace
}  // namespace postern::config

// The engines that every contract test runs on.
#pragma once

#include "store/kv/kv.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

namespace postern::kv {

struct Engine {
    std::string name;
    // `folder` is empty and the test's own.
    std::function<std::unique_ptr<Store>(const std::string& folder)> open;
};

std::vector<Engine> all_engines();

class EngineTest : public testing::TestWithParam<Engine> {
protected:
    void SetUp() override {
        const auto* info = testing::UnitTest::GetInstance()->current_test_info();
        std::string name = std::string(info->test_suite_name()) + "." + info->name();
        for (char& c : name) c = c == '/' ? '_' : c;
        folder_ = std::filesystem::temp_directory_path() /
                  ("postern_kv_" + std::to_string(::getpid()) + "_" + name);
        std::filesystem::remove_all(folder_);
        store_ = GetParam().open(folder_.string());
        ASSERT_NE(store_, nullptr);
    }
    void TearDown() override {
        store_.reset();
        std::filesystem::remove_all(folder_);
    }

    std::filesystem::path folder_;
    std::unique_ptr<Store> store_;
};

}  // namespace postern::kv

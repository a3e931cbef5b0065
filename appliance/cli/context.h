// What every command gets, and how it ends: exit codes, errors with a next step, output helpers.
#pragma once

#include "gateway/config/config.h"
#include "protocols/base/result.h"

#include <nlohmann/json_fwd.hpp>

#include <functional>
#include <string>
#include <string_view>

namespace postern::cli {

// sysexits.h where a general failure does not tell enough.
inline constexpr int exit_ok = 0;
inline constexpr int exit_failure = 1;
inline constexpr int exit_usage = 64;
inline constexpr int exit_bad_data = 65;
inline constexpr int exit_unavailable = 69;
inline constexpr int exit_bad_config = 78;

inline constexpr const char* default_config_file = "/etc/postern/postern.yaml";

struct Context {
    std::string config_file = default_config_file;
    bool config_given = false;
    bool json = false;
    config::Config config;  // read before the command runs
};

// A chosen command with its own options bound; answers the exit code.
using Action = std::function<int(Context&)>;

int exit_code(Errc code);

// "postern: TEXT" and, when given, "postern: NEXT STEP" on stderr. Answers the exit code.
int fail(int code, std::string_view text, std::string_view next_step = {});
int fail(const Error& error, std::string_view next_step = {});
// A line on stderr that does not end the command.
void note(std::string_view text);

// Subjects and names come from strangers: bytes that could steer a terminal become '?'.
std::string harmless(std::string_view text);

// Text on stdout, made harmless.
void print(std::string_view text);
// As it is: the caller made what is foreign in it harmless, and may have coloured the rest.
void print_styled(std::string_view text);
void print_json(const nlohmann::json& value);  // indented, broken UTF-8 replaced

}  // namespace postern::cli

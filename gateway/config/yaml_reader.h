// Binds the keys of a YAML mapping to C++ values, and refuses everything else with its line.
//
// A schema is a function that calls section(), text(), number()... for each key that it knows; a
// key that was not asked for is an error of finish(). The first error wins. Only gateway/config
// sees yaml-cpp.
#pragma once

#include "gateway/config/config.h"

#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace postern::config {

// What all sections of one file share.
struct ReadState {
    std::string file;
    std::string error;              // first one; empty: none yet
    std::vector<std::string> keys;  // every key the schema asked for

    void fail(const YAML::Mark& mark, const std::string& key, const std::string& expected);
};

class Section {
public:
    // `node` may be absent or null: then every key keeps its default. `path` is "" for the root.
    Section(ReadState& state, YAML::Node node, std::string path);

    // Calls `describe` for a nested mapping.
    void section(const char* key, const std::function<void(Section&)>& describe);

    void text(const char* key, std::string& value);
    void lines(const char* key, std::string& value);  // a text that may have several lines
    void flag(const char* key, bool& value);
    // A whole number, with KiB, MiB or GiB after it where `bytes`.
    void number(const char* key, std::uint64_t& value, std::uint64_t min, std::uint64_t max);
    void bytes(const char* key, std::uint64_t& value, std::uint64_t min, std::uint64_t max);
    void real(const char* key, double& value, double min, double max);
    void one_of(const char* key, std::string& value, const std::vector<std::string>& choices);
    void each_of(const char* key, std::vector<std::string>& values,
                 const std::vector<std::string>& choices);
    void texts(const char* key, std::vector<std::string>& values);
    void networks(const char* key, std::vector<std::string>& values);
    void endpoints(const char* key, std::vector<Endpoint>& values);
    // A mapping of free names to numbers, on top of what an earlier file gave.
    void numbers_by_name(const char* key, std::vector<std::pair<std::string, double>>& values);
    void texts_by_name(const char* key, std::vector<std::pair<std::string, std::string>>& values);

    // Refuses keys that were not asked for. `check(ok, key, expected)` states a rule of the schema.
    void finish();
    void check(bool ok, const char* key, const std::string& expected);

private:
    YAML::Node find(const char* key);
    std::string name_of(const std::string& key) const;
    void fail(const YAML::Node& node, const std::string& key, const std::string& expected);
    bool scalar(const char* key, std::string& out, const std::string& expected);
    bool list(const char* key, const std::string& expected, std::vector<YAML::Node>& out);
    void unsigned_number(const char* key, std::uint64_t& value, std::uint64_t min,
                         std::uint64_t max, bool with_unit);

    ReadState& state_;
    YAML::Node node_;
    std::string path_;
    std::set<std::string> known_;
};

// Letters, digits, '-' and '.', at most 253.
bool is_hostname(const std::string& name);

// False when text is not "address:port" or "[address]:port" with a numeric address.
bool parse_endpoint(const std::string& text, Endpoint& endpoint);

}  // namespace postern::config

// The structured log on stderr: one line an event, as key=value pairs or as JSON objects.
//
// Values may come from a peer: control characters, quotes and broken UTF-8 are escaped, so that no
// value can begin a line or a field of its own. Values over max_value_bytes are cut. Thread rule:
// any function from any thread. Keys and event names are literals of the program.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace postern::logging {

inline constexpr std::size_t max_value_bytes = 1024;  // before escaping

enum class Level : std::uint8_t { debug, info, warning, error };

struct Options {
    Level level = Level::info;
    bool json = false;
};

// Level of "debug", "info", "warning" or "error"; info for anything else.
Level level_of(std::string_view name);

// May be called again at reload.
void configure(const Options& options);
bool enabled(Level level);

class Field {
public:
    Field(std::string_view key, std::string_view value) : key_(key), value_(value) {}
    Field(std::string_view key, const char* value) : key_(key), value_(std::string_view(value)) {}
    Field(std::string_view key, const std::string& value)
        : key_(key), value_(std::string_view(value)) {}
    Field(std::string_view key, bool value) : key_(key), value_(value) {}
    Field(std::string_view key, double value) : key_(key), value_(value) {}
    template <std::signed_integral T>
    Field(std::string_view key, T value) : key_(key), value_(static_cast<std::int64_t>(value)) {}
    template <std::unsigned_integral T>
    requires(!std::same_as<T, bool>) Field(std::string_view key, T value)
        : key_(key), value_(static_cast<std::uint64_t>(value)) {}

    using Value = std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool>;
    std::string_view key() const { return key_; }
    const Value& value() const { return value_; }

private:
    std::string_view key_;
    Value value_;  // views are read during the call only
};

using Fields = std::initializer_list<Field>;

void write(Level level, std::string_view event, std::span<const Field> fields);
inline void write(Level level, std::string_view event, Fields fields) {
    write(level, event, std::span<const Field>(fields.begin(), fields.size()));
}

inline void debug(std::string_view event, Fields fields = {}) {
    write(Level::debug, event, fields);
}
inline void info(std::string_view event, Fields fields = {}) {
    write(Level::info, event, fields);
}
inline void warning(std::string_view event, Fields fields = {}) {
    write(Level::warning, event, fields);
}
inline void error(std::string_view event, Fields fields = {}) {
    write(Level::error, event, fields);
}

// Where lines go instead of stderr, for tests; an empty function puts stderr back.
void redirect(std::function<void(std::string_view line)> sink);

// The line without its end, as `write` makes it; `time_unix_ms` is put in front.
std::string format_line(Level level, std::string_view event, std::span<const Field> fields,
                        std::int64_t time_unix_ms, bool json);

}  // namespace postern::logging

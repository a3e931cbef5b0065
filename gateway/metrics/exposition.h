// Measurements as text in Prometheus' exposition format 0.0.4.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace postern::metrics {

inline constexpr const char* content_type = "text/plain; version=0.0.4; charset=utf-8";

using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

// Families one after the other; all samples of one follow its counter() or gauge() at once. Names
// are literals of the program, label values anything.
class Exposition {
public:
    void counter(std::string_view name, std::string_view help) { family(name, help, "counter"); }
    void gauge(std::string_view name, std::string_view help) { family(name, help, "gauge"); }
    void sample(std::uint64_t value, Labels labels = {});
    void sample(double value, Labels labels = {});
    const std::string& text() const { return text_; }

private:
    void family(std::string_view name, std::string_view help, std::string_view type);
    void line(std::string_view value, Labels labels);

    std::string name_;
    std::string text_;
};

}  // namespace postern::metrics

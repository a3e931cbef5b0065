#include "gateway/metrics/exposition.h"

#include <cstdio>

namespace postern::metrics {

namespace {

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '\n') {
            out += "\\n";
            continue;
        }
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + "\"";
}

}  // namespace

void Exposition::family(std::string_view name, std::string_view help, std::string_view type) {
    name_ = name;
    text_ += "# HELP " + name_ + " " + std::string(help) + "\n# TYPE " + name_ + " " +
             std::string(type) + "\n";
}

void Exposition::sample(std::uint64_t value, Labels labels) {
    line(std::to_string(value), labels);
}

void Exposition::sample(double value, Labels labels) {
    char text[32];
    std::snprintf(text, sizeof text, "%.10g", value);
    line(text, labels);
}

void Exposition::line(std::string_view value, Labels labels) {
    text_ += name_;
    const char* before = "{";
    for (const auto& [name, label] : labels) {
        text_ += before;
        text_ += std::string(name) + "=" + quoted(label);
        before = ",";
    }
    if (labels.size() > 0) text_ += '}';
    text_ += ' ';
    text_ += value;
    text_ += '\n';
}

}  // namespace postern::metrics

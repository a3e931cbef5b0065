#include "appliance/cli/findings.h"

#include "appliance/cli/context.h"
#include "appliance/cli/sizes.h"
#include "appliance/cli/terminal.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace postern::cli {

using health::Level;

namespace {

std::string mark_of(Level level) {
    switch (level) {
        case Level::good: return coloured("ok     ", Colour::green);
        case Level::warning: return coloured("warning", Colour::yellow);
        case Level::bad: return coloured("BAD    ", Colour::red);
        case Level::skipped: return "skipped";
    }
    return "BAD    ";
}

}  // namespace

nlohmann::json json_of(const std::vector<health::Finding>& findings) {
    auto rows = nlohmann::json::array();
    for (const auto& each : findings) {
        rows.push_back({{"area", each.area},
                        {"level", health::to_string(each.level)},
                        {"text", each.text},
                        {"remedy", each.remedy}});
    }
    return rows;
}

std::string text_of(const std::vector<health::Finding>& findings) {
    std::size_t width = 0;
    for (const auto& each : findings) width = std::max(width, each.area.size());
    std::string text;
    for (const auto& each : findings) {
        text += mark_of(each.level) + "  " + padded(harmless(each.area), width, false) + "  " +
                harmless(each.text) + "\n";
        if (!each.remedy.empty()) {
            text += std::string(11 + width, ' ') + "-> " + harmless(each.remedy) + "\n";
        }
    }
    return text;
}

}  // namespace postern::cli

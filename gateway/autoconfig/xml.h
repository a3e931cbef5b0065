// Text inside XML. Inner header of gateway/autoconfig.
#pragma once

#include <string>
#include <string_view>

namespace postern::autoconfig {

// Markup characters as entities; control characters, which XML 1.0 has no place for, as '?'.
inline std::string escaped(std::string_view text) {
    std::string safe;
    for (const char c : text) {
        switch (c) {
            case '&': safe += "&amp;"; break;
            case '<': safe += "&lt;"; break;
            case '>': safe += "&gt;"; break;
            case '"': safe += "&quot;"; break;
            case '\'': safe += "&apos;"; break;
            default: safe += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
        }
    }
    return safe;
}

}  // namespace postern::autoconfig

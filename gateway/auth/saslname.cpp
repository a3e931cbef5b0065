#include "gateway/auth/saslname.h"

namespace postern::auth {

std::optional<std::string> decode_saslname(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '=') {
            out += text[i];
            continue;
        }
        const auto code = text.substr(i, 3);
        if (code != "=2C" && code != "=3D") return std::nullopt;
        out += code == "=2C" ? ',' : '=';
        i += 2;
    }
    return out;
}

}  // namespace postern::auth

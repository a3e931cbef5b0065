#include "protocols/mime/thread.h"

namespace postern::mime {

namespace {

// The first <...> without white space inside; comments and phrases before it are passed over.
std::string first_id(std::string_view value) {
    for (std::size_t begin = value.find('<'); begin != std::string_view::npos;
         begin = value.find('<', begin + 1)) {
        const std::size_t end = value.find_first_of("<> \t\r\n", begin + 1);
        if (end == std::string_view::npos) return {};
        if (value[end] != '>' || end == begin + 1) continue;
        if (end + 1 - begin > max_thread_root_bytes) return {};
        return std::string(value.substr(begin, end + 1 - begin));
    }
    return {};
}

}  // namespace

std::string thread_root(const Message& message, std::string_view whole) {
    for (const std::string_view name : {"References", "In-Reply-To", "Message-ID"}) {
        const HeaderField* field = find_field(message.parts[0], whole, name);
        if (field == nullptr) continue;
        std::string id = first_id(field->value.of(whole));
        if (!id.empty()) return id;
    }
    return {};
}

}  // namespace postern::mime

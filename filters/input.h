// What a scan looks at: the message and the facts of the session that brought it.
#pragma once

#include "protocols/base/time.h"
#include "protocols/mime/message.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace postern::filters {

// Only this much of a message is looked at; the cost of a 50 MB message is that of its first part.
inline constexpr std::size_t max_scanned_bytes = 1024 * 1024;

struct Connection {
    std::string client_address;  // textual IP; empty: unknown (a scan of a file)
    std::string helo;
    std::string reverse_path;
    std::vector<std::string> recipients;
    bool authenticated = false;
};

struct ScanInput {
    std::string_view message;  // whole bytes; not owned
    const mime::Message& parsed;
    Connection connection;
    Time now;
};

}  // namespace postern::filters

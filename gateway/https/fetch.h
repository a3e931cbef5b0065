// One small document over HTTPS. The one door to libcurl.
//
// Thread rule: any thread; blocks it.
#pragma once

#include "protocols/base/result.h"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace postern::https {

struct Request {
    std::string host;                    // of the certificate, which must be valid for it
    std::vector<std::string> addresses;  // where it is, numeric: no other name is ever looked up
    std::uint16_t port = 443;
    std::string path;     // "/.well-known/..."
    std::string ca_file;  // PEM; empty: the system's
    std::size_t max_bytes = 64 * 1024;
    std::chrono::milliseconds timeout{30'000};
    const std::atomic<bool>* stop = nullptr;  // becomes true: end at once
};

struct Document {
    std::string content_type;  // as sent, with its parameters
    std::string body;
};

// Follows no redirect, and takes a 200 alone. Errors: unavailable, too_large; text says what went
// wrong.
Result<Document> fetch(const Request& request);

}  // namespace postern::https

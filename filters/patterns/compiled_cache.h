// Where compiled rules are kept between starts: a port, so that this room touches no file.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace postern::filters {

// One set of rules at a time. What comes back is never trusted: it is checked against the rules,
// the processor, the library's version and a checksum, and compiled anew when anything differs.
class CompiledCache {
public:
    virtual ~CompiledCache() = default;
    // nullopt: there is none, or it cannot be read.
    virtual std::optional<std::string> load() = 0;
    // A failure is the cache's own to report; the rules are in force all the same.
    virtual void save(std::string_view bytes) = 0;
};

}  // namespace postern::filters

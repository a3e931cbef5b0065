// Compiled rules in a file of the data folder, so that a start need not compile them again.
#pragma once

#include "filters/patterns/compiled_cache.h"

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace postern::scan {

// Its name in the filter's folder.
inline constexpr const char* compiled_file_name = "compiled-rules";
inline constexpr std::size_t max_compiled_bytes = 512ull * 1024 * 1024;

// Written beside and renamed, so that a reader never sees half a file; what a crash leaves is
// caught by the checksum inside.
class CompiledFile final : public filters::CompiledCache {
public:
    // `warn`: told in a sentence why the file cannot be written. A file of more than max_bytes is
    // neither read nor written.
    CompiledFile(std::string path, std::function<void(std::string_view)> warn,
                 std::size_t max_bytes = max_compiled_bytes);

    std::optional<std::string> load() override;
    void save(std::string_view bytes) override;

private:
    std::string path_;
    std::function<void(std::string_view)> warn_;
    const std::size_t max_bytes_;
};

}  // namespace postern::scan

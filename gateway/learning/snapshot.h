// The models on disk: one file, replaced whole, so that a crash leaves the old or the new one.
//
// Layout: "PSTNMODL", version, number of the last learn job that is inside, image size, XXH3 of the
// image (each little-endian 64 bits), then the image as filters::Models::save made it.
#pragma once

#include "protocols/base/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::learning {

struct Snapshot {
    std::uint64_t number = 0;
    std::string image;
};

// Writes a temporary file beside `path`, syncs it, renames it over `path` and syncs the folder. By
// root the file goes to the owner of the one that was there, or else of the folder.
// Errors: unavailable (text names the file and the system's reason).
Result<void> write_snapshot(const std::string& path, std::uint64_t number, std::string_view image);

// nullopt: there is no file. Errors: corrupt, unsupported (a newer program's), unavailable.
Result<std::optional<Snapshot>> read_snapshot(const std::string& path);

}  // namespace postern::learning

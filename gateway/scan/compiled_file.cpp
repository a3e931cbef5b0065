#include "gateway/scan/compiled_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

namespace postern::scan {

CompiledFile::CompiledFile(std::string path, std::function<void(std::string_view)> warn,
                           std::size_t max_bytes)
    : path_(std::move(path)), warn_(std::move(warn)), max_bytes_(max_bytes) {}

std::optional<std::string> CompiledFile::load() {
    std::error_code problem;
    const auto size = std::filesystem::file_size(path_, problem);
    if (problem || size > max_bytes_) return std::nullopt;
    std::ifstream in(path_, std::ios::binary);
    std::string bytes(size, '\0');
    if (!in.read(bytes.data(), static_cast<std::streamsize>(size))) return std::nullopt;
    return bytes;
}

void CompiledFile::save(std::string_view bytes) {
    if (bytes.size() > max_bytes_) return;
    std::error_code problem;
    const std::filesystem::path path(path_);
    std::filesystem::create_directories(path.parent_path(), problem);
    const std::string fresh = path_ + "." + std::to_string(::getpid());
    std::ofstream out(fresh, std::ios::binary | std::ios::trunc);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    out.close();
    if (out) std::filesystem::rename(fresh, path, problem);
    if (out && !problem) return;
    const std::string why = problem ? problem.message() : std::strerror(errno);
    std::filesystem::remove(fresh, problem);
    if (warn_)
        warn_(path_ + ": compiled rules cannot be kept, so each start compiles them: " + why);
}

}  // namespace postern::scan

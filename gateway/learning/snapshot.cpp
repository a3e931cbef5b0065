#include "gateway/learning/snapshot.h"

#include "protocols/base/hash.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace postern::learning {

namespace {

constexpr std::string_view magic = "PSTNMODL";
constexpr std::uint64_t version = 1;
constexpr std::size_t header_bytes = 8 + 4 * 8;

class File {
public:
    File(const std::string& path, int flags) : descriptor_(::open(path.c_str(), flags, 0600)) {}
    ~File() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    bool open() const { return descriptor_ >= 0; }
    int get() const { return descriptor_; }

private:
    int descriptor_;
};

Error failed(const char* what, const std::string& path) {
    return {Errc::unavailable, std::string(what) + " " + path + ": " + std::strerror(errno)};
}

void put_number(std::string& out, std::uint64_t number) {
    for (int i = 0; i < 8; ++i) out.push_back(static_cast<char>(number >> (8 * i)));
}

std::uint64_t number_at(std::string_view bytes, std::size_t at) {
    std::uint64_t number = 0;
    for (std::size_t i = 8; i-- > 0;)
        number = number << 8 | static_cast<unsigned char>(bytes[at + i]);
    return number;
}

bool write_all(int descriptor, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto written = ::write(descriptor, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

Result<std::string> read_all(const File& file, const std::string& path) {
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) return failed("cannot read", path);
    std::string bytes(static_cast<std::size_t>(status.st_size), '\0');
    std::size_t filled = 0;
    while (filled < bytes.size()) {
        const auto got = ::read(file.get(), bytes.data() + filled, bytes.size() - filled);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return failed("cannot read", path);
        if (got == 0) break;
        filled += static_cast<std::size_t>(got);
    }
    bytes.resize(filled);
    return bytes;
}

// Root may write what the daemon's user has to read: the file belongs to whom the one before it, or
// else the folder, belongs to.
bool keep_owner(int descriptor, const std::string& path, const std::string& folder) {
    struct stat owner {};
    if (::geteuid() != 0) return true;
    if (::stat(path.c_str(), &owner) != 0 && ::stat(folder.c_str(), &owner) != 0) return true;
    return ::fchown(descriptor, owner.st_uid, owner.st_gid) == 0;
}

std::string folder_of(const std::string& path) {
    const auto folder = std::filesystem::path(path).parent_path().string();
    return folder.empty() ? "." : folder;
}

}  // namespace

Result<void> write_snapshot(const std::string& path, std::uint64_t number, std::string_view image) {
    const std::string temporary = path + ".new";
    const std::string folder = folder_of(path);
    std::string header(magic);
    put_number(header, version);
    put_number(header, number);
    put_number(header, image.size());
    put_number(header, hash64(image, number));
    {
        const File file(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC);
        if (!file.open()) return failed("cannot write", temporary);
        if (!write_all(file.get(), header) || !write_all(file.get(), image)) {
            return failed("cannot write", temporary);
        }
        if (!keep_owner(file.get(), path, folder)) return failed("cannot give away", temporary);
        if (::fsync(file.get()) != 0) return failed("cannot sync", temporary);
    }
    if (::rename(temporary.c_str(), path.c_str()) != 0) return failed("cannot replace", path);
    const File directory(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (!directory.open() || ::fsync(directory.get()) != 0) return failed("cannot sync", folder);
    return {};
}

Result<std::optional<Snapshot>> read_snapshot(const std::string& path) {
    const File file(path, O_RDONLY | O_CLOEXEC);
    if (!file.open()) {
        if (errno == ENOENT) return std::optional<Snapshot>{};
        return failed("cannot read", path);
    }
    auto bytes = read_all(file, path);
    if (!bytes) return bytes.error();
    if (bytes->size() < header_bytes || !bytes->starts_with(magic)) {
        return Error{Errc::corrupt, path + " is not a model file"};
    }
    if (number_at(*bytes, 8) != version) {
        return Error{Errc::unsupported, path + " was written by a newer version of Postern"};
    }
    Snapshot snapshot;
    snapshot.number = number_at(*bytes, 16);
    const std::string_view image = std::string_view(*bytes).substr(header_bytes);
    if (image.size() != number_at(*bytes, 24) ||
        hash64(image, snapshot.number) != number_at(*bytes, 32)) {
        return Error{Errc::corrupt, path + " is damaged: its checksum does not match"};
    }
    bytes->erase(0, header_bytes);
    snapshot.image = std::move(*bytes);
    return std::optional<Snapshot>(std::move(snapshot));
}

}  // namespace postern::learning

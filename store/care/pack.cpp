#include "store/care/pack.h"

#include "protocols/base/hash.h"
#include "store/kv/row_codec.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

namespace postern::care {

namespace {

constexpr std::size_t header_bytes = 16 + 4 + 8;

Error pack_failed(const std::string& path) {
    return Error{Errc::unavailable, path + ": " + std::strerror(errno)};
}

bool read_at(int file, std::uint64_t offset, char* out, std::size_t bytes) {
    while (bytes > 0) {
        const ssize_t got = ::pread(file, out, bytes, static_cast<off_t>(offset));
        if (got <= 0) return false;
        out += got;
        offset += static_cast<std::uint64_t>(got);
        bytes -= static_cast<std::size_t>(got);
    }
    return true;
}

bool write_all(int file, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(file, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

struct File {
    int handle = -1;
    ~File() {
        if (handle >= 0) ::close(handle);
    }
};

bool sync_folder(const std::string& folder) {
    const File file{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    return file.handle >= 0 && ::fsync(file.handle) == 0;
}

}  // namespace

std::size_t PackSet::HashId::operator()(const Id128& id) const {
    return static_cast<std::size_t>(
        hash64({reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()}));
}

Id128 content_id(std::string_view bytes) {
    const std::uint64_t halves[] = {hash64(bytes, 1), hash64(bytes, 2)};
    Id128 id;
    static_assert(sizeof halves == sizeof id.bytes);
    std::memcpy(id.bytes.data(), halves, sizeof halves);
    return id;
}

PackSet::PackSet(PackSet&& other) noexcept
    : folder_(std::move(other.folder_)),
      places_(std::move(other.places_)),
      packs_(other.packs_),
      file_(std::exchange(other.file_, -1)),
      end_(other.end_),
      added_bytes_(other.added_bytes_) {}

PackSet::~PackSet() {
    if (file_ >= 0) ::close(file_);
}

std::string PackSet::path_of(std::uint32_t pack) const {
    return folder_ + "/" + std::to_string(pack) + ".pack";
}

Result<PackSet> PackSet::open(const std::string& folder) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) return Error{Errc::unavailable, folder + ": " + error.message()};
    PackSet packs(folder);
    while (std::filesystem::exists(packs.path_of(packs.packs_), error)) {
        const auto read = packs.read_index(packs.packs_);
        if (!read) return read.error();
        ++packs.packs_;
    }
    return packs;
}

Result<void> PackSet::read_index(std::uint32_t pack) {
    const File file{::open(path_of(pack).c_str(), O_RDONLY | O_CLOEXEC)};
    struct stat status {};
    if (file.handle < 0 || ::fstat(file.handle, &status) != 0) return pack_failed(path_of(pack));
    const auto size = static_cast<std::uint64_t>(status.st_size);
    std::uint64_t at = 0;
    char header[header_bytes];
    while (at + header_bytes <= size && read_at(file.handle, at, header, header_bytes)) {
        kv::RowReader reader({header, header_bytes});
        const Id128 id = reader.id();
        const std::uint32_t bytes = reader.u32();
        if (at + header_bytes + bytes > size) break;
        places_[id] = {pack, bytes, at};
        at += header_bytes + bytes;
    }
    end_ = at;
    return {};
}

Result<std::string> PackSet::read(const Id128& id) const {
    const auto place = places_.find(id);
    if (place == places_.end()) return Error{Errc::not_found, "not in the backup: " + to_hex(id)};
    const std::string path = path_of(place->second.pack);
    const File file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    if (file.handle < 0) return pack_failed(path);
    std::string record(header_bytes + place->second.bytes, '\0');
    if (!read_at(file.handle, place->second.offset, record.data(), record.size())) {
        return pack_failed(path);
    }
    kv::RowReader reader(record);
    const Id128 stored = reader.id();
    reader.u32();
    const std::uint64_t hash = reader.u64();
    if (stored != id || hash64(reader.rest()) != hash) {
        return Error{Errc::corrupt, path + ": record " + to_hex(id) + " is damaged"};
    }
    return record.substr(header_bytes);
}

Result<void> PackSet::open_for_adding() {
    if (file_ >= 0 && end_ < max_pack_bytes) return {};
    if (file_ >= 0) {
        if (const auto synced = sync(); !synced) return synced;
        ::close(std::exchange(file_, -1));
        ++packs_;
        end_ = 0;
    } else if (packs_ > 0 && end_ < max_pack_bytes) {
        --packs_;  // the last one goes on, from its last whole record
    } else {
        end_ = 0;
    }
    file_ = ::open(path_of(packs_).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (file_ < 0 || ::ftruncate(file_, static_cast<off_t>(end_)) != 0 ||
        ::lseek(file_, 0, SEEK_END) < 0 || !sync_folder(folder_)) {
        return pack_failed(path_of(packs_));
    }
    return {};
}

Result<void> PackSet::add(const Id128& id, std::string_view bytes) {
    if (has(id)) return {};
    if (const auto ready = open_for_adding(); !ready) return ready;
    std::string record = kv::RowWriter()
                             .id(id)
                             .u32(static_cast<std::uint32_t>(bytes.size()))
                             .u64(hash64(bytes))
                             .raw(bytes)
                             .take();
    if (!write_all(file_, record)) return pack_failed(path_of(packs_));
    places_[id] = {packs_, static_cast<std::uint32_t>(bytes.size()), end_};
    end_ += record.size();
    added_bytes_ += record.size();
    return {};
}

Result<void> PackSet::sync() {
    if (file_ >= 0 && ::fdatasync(file_) != 0) return pack_failed(path_of(packs_));
    return {};
}

Result<void> write_file(const std::string& path, std::string_view bytes) {
    const std::string fresh = path + ".new";
    {
        const File file{::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
        if (file.handle < 0 || !write_all(file.handle, bytes) || ::fsync(file.handle) != 0) {
            return pack_failed(fresh);
        }
    }
    if (::rename(fresh.c_str(), path.c_str()) != 0) return pack_failed(path);
    const std::string folder = std::filesystem::path(path).parent_path().string();
    if (!sync_folder(folder)) return pack_failed(folder);
    return {};
}

Result<std::string> read_file(const std::string& path) {
    const File file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    struct stat status {};
    if (file.handle < 0 || ::fstat(file.handle, &status) != 0) return pack_failed(path);
    std::string bytes(static_cast<std::size_t>(status.st_size), '\0');
    if (!read_at(file.handle, 0, bytes.data(), bytes.size())) return pack_failed(path);
    return bytes;
}

}  // namespace postern::care

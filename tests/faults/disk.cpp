#include "tests/faults/disk.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <mutex>

namespace postern::faults {

namespace {

struct Write {
    std::uint64_t offset = 0;
    std::string bytes;
};
struct File {
    std::string durable;
    std::vector<Write> pending;
};

struct State {
    std::recursive_mutex mutex;
    std::atomic<bool> watching{false};
    std::atomic<int> error{0};
    std::string folder;
    std::map<std::string, File> files;
    std::function<void(std::uint64_t)> call;
    std::uint64_t calls = 0;
};

State& state() {
    static State the;
    return the;
}

void apply(std::string& image, std::uint64_t offset, std::string_view bytes) {
    if (image.size() < offset + bytes.size()) image.resize(offset + bytes.size());
    std::memcpy(image.data() + offset, bytes.data(), bytes.size());
}

// The watched file behind a descriptor; empty: another one.
std::string path_of(int descriptor) {
    if (!state().watching) return {};
    char path[4096];
    const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
    const ssize_t length = ::readlink(link.c_str(), path, sizeof path);
    if (length <= 0) return {};
    std::string found(path, static_cast<std::size_t>(length));
    const bool ours = found.compare(0, state().folder.size(), state().folder) == 0 &&
                      found.size() > 9 && found.compare(found.size() - 9, 9, "/data.mdb") == 0;
    return ours ? found : std::string();
}

bool is_watched(int descriptor) {
    return !path_of(descriptor).empty();
}

bool writes_through(int descriptor) {
    return (::fcntl(descriptor, F_GETFL) & O_DSYNC) != 0;
}

void count_call() {
    const std::uint64_t number = ++state().calls;
    if (state().call) state().call(number);
}

template <class Function>
Function real(const char* name) {
    return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

using Pwrite = ssize_t (*)(int, const void*, size_t, off_t);
using Writev = ssize_t (*)(int, const iovec*, int);
using Sync = int (*)(int);

ssize_t write_at(int descriptor, std::string_view bytes, std::uint64_t offset,
                 const std::function<ssize_t()>& really) {
    const std::string path = path_of(descriptor);
    if (path.empty()) return really();
    std::lock_guard lock(state().mutex);
    if (const int error = state().error; error != 0) {
        errno = error;
        return -1;
    }
    // Under way: a cut before its end keeps any part of it.
    File& file = state().files[path];
    file.pending.push_back({offset, std::string(bytes)});
    count_call();
    const ssize_t written = really();
    if (writes_through(descriptor)) {
        apply(file.durable, offset, bytes);
        file.pending.pop_back();
    }
    return written;
}

int sync_file(int descriptor, Sync really) {
    const std::string path = path_of(descriptor);
    if (path.empty()) return really(descriptor);
    std::lock_guard lock(state().mutex);
    if (const int error = state().error; error != 0) {
        errno = error;
        return -1;
    }
    count_call();
    // No real sync: nobody takes the machine's power away, and the test is quicker.
    File& file = state().files[path];
    for (const Write& write : file.pending) apply(file.durable, write.offset, write.bytes);
    file.pending.clear();
    return 0;
}

}  // namespace

Disk& Disk::instance() {
    static Disk disk;
    return disk;
}

void Disk::watch(const std::string& folder) {
    std::lock_guard lock(state().mutex);
    state().watching = !folder.empty();
    state().folder = folder;
    state().files.clear();
    state().call = nullptr;
    state().calls = 0;
    state().error = 0;
}

void Disk::on_call(std::function<void(std::uint64_t)> call) {
    std::lock_guard lock(state().mutex);
    state().call = std::move(call);
}

std::uint64_t Disk::calls() const {
    std::lock_guard lock(state().mutex);
    return state().calls;
}

void Disk::fail_with(int error) {
    state().error = error;
}

void Disk::cut_to(const std::string& target, std::mt19937& random) {
    std::lock_guard lock(state().mutex);
    for (const auto& [path, file] : state().files) {
        std::string image = file.durable;
        for (const Write& write : file.pending) {
            const unsigned luck = random() % 4;  // lost, whole, or torn in one way or another
            if (luck == 0) continue;
            for (std::size_t at = 0; at < write.bytes.size(); at += sector_bytes) {
                if (luck > 1 && random() % 2 == 0) continue;
                apply(image, write.offset + at,
                      std::string_view(write.bytes).substr(at, sector_bytes));
            }
        }
        const auto place = std::filesystem::path(target + path.substr(state().folder.size()));
        std::filesystem::create_directories(place.parent_path());
        std::ofstream out(place, std::ios::binary | std::ios::trunc);
        out.write(image.data(), static_cast<std::streamsize>(image.size()));
    }
}

}  // namespace postern::faults

extern "C" {

ssize_t pwrite(int descriptor, const void* bytes, size_t count, off_t offset) {
    static const auto really = postern::faults::real<postern::faults::Pwrite>("pwrite");
    return postern::faults::write_at(descriptor, {static_cast<const char*>(bytes), count},
                                     static_cast<std::uint64_t>(offset),
                                     [&] { return really(descriptor, bytes, count, offset); });
}

ssize_t pwrite64(int descriptor, const void* bytes, size_t count, off_t offset) {
    return pwrite(descriptor, bytes, count, offset);
}

// At the descriptor's place in the file, which LMDB has set before.
ssize_t writev(int descriptor, const iovec* parts, int count) {
    static const auto really = postern::faults::real<postern::faults::Writev>("writev");
    const auto write = [&] { return really(descriptor, parts, count); };
    if (!postern::faults::is_watched(descriptor)) return write();
    std::string bytes;
    for (int i = 0; i < count; ++i) {
        bytes.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
    }
    const off_t offset = ::lseek(descriptor, 0, SEEK_CUR);
    return postern::faults::write_at(descriptor, bytes, static_cast<std::uint64_t>(offset), write);
}

int fdatasync(int descriptor) {
    static const auto really = postern::faults::real<postern::faults::Sync>("fdatasync");
    return postern::faults::sync_file(descriptor, really);
}

int fsync(int descriptor) {
    static const auto really = postern::faults::real<postern::faults::Sync>("fsync");
    return postern::faults::sync_file(descriptor, really);
}

}  // extern "C"

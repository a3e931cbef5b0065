// Writes an environment anew without the pages that nothing uses.
#include "store/kv/kv.h"
#include "store/kv/lmdb_environment.h"
#include "store/kv/sync_path.h"

#include <filesystem>

namespace postern::kv {

namespace {

struct Environment {
    MDB_env* handle = nullptr;
    ~Environment() {
        if (handle != nullptr) mdb_env_close(handle);
    }
};

Result<void> copy_compact(const std::filesystem::path& from, const std::filesystem::path& to) {
    Environment environment;
    int code = mdb_env_create(&environment.handle);
    if (code == 0) code = mdb_env_open(environment.handle, from.c_str(), MDB_RDONLY, 0600);
    if (code == 0) code = mdb_env_copy2(environment.handle, to.c_str(), MDB_CP_COMPACT);
    if (code != 0) return lmdb_error(code, "cannot compact " + from.string());
    return {};
}

Result<Compacted> compact_one(const std::filesystem::path& folder) {
    std::error_code error;
    const auto data = folder / "data.mdb";
    const auto fresh = folder / "compact";
    std::filesystem::remove_all(fresh, error);  // what a run that was ended left
    std::filesystem::create_directories(fresh, error);
    Compacted sizes;
    if (!error) sizes.bytes_before = std::filesystem::file_size(data, error);
    if (error) return Error{Errc::unavailable, folder.string() + ": " + error.message()};
    const auto copied = copy_compact(folder, fresh);
    if (!copied) {
        std::filesystem::remove_all(fresh, error);
        return copied.error();
    }
    sizes.bytes_after = std::filesystem::file_size(fresh / "data.mdb", error);
    // The new file takes the place of the old one only when all of it is on disk.
    const bool durable = !error && sync_path(fresh / "data.mdb");
    if (durable) std::filesystem::rename(fresh / "data.mdb", data, error);
    if (!durable || error || !sync_path(folder)) {
        return Error{Errc::unavailable, folder.string() + ": the compacted file cannot be kept"};
    }
    std::filesystem::remove_all(fresh, error);
    return sizes;
}

}  // namespace

Result<Compacted> compact_lmdb_store(const std::string& folder,
                                     const std::function<void(unsigned, unsigned)>& progress) {
    unsigned total = 0;
    std::error_code error;
    while (std::filesystem::exists(std::filesystem::path(folder) / std::to_string(total), error)) {
        ++total;
    }
    Compacted all;
    for (unsigned index = 0; index < total; ++index) {
        const auto one = compact_one(std::filesystem::path(folder) / std::to_string(index));
        if (!one) return one.error();
        all.bytes_before += one->bytes_before;
        all.bytes_after += one->bytes_after;
        if (progress) progress(index + 1, total);
    }
    return all;
}

}  // namespace postern::kv

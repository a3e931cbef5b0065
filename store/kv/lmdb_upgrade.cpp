#include "store/kv/lmdb_upgrade.h"

#include "store/kv/sync_path.h"
#include "store/kv/upgrade_copy.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>

namespace postern::kv {

namespace {

namespace fs = std::filesystem;

Error cannot_keep(const fs::path& place, const std::string& why) {
    return {Errc::unavailable,
            "store: the copy from before its upgrade cannot be kept in " + place.string() + ": " +
                why + "; mend that, or make an empty folder of this name to upgrade without one"};
}

Result<void> check_room(const fs::path& place,
                        const std::vector<std::unique_ptr<LmdbEnvironment>>& environments) {
    std::error_code problem;
    const auto space = fs::space(place.parent_path(), problem);
    if (problem) return cannot_keep(place, problem.message());
    std::uint64_t needed = 0;
    for (const auto& each : environments) needed += each->used_bytes();
    if (needed <= space.available) return {};
    return cannot_keep(place, "it needs " + std::to_string(needed) + " bytes, there are " +
                                  std::to_string(space.available));
}

std::string partial_prefix(const fs::path& place) {
    return place.filename().string() + ".partial-";
}

// What a process that was killed in the middle left: as much as the store itself.
void remove_leftovers(const fs::path& place) {
    const std::string prefix = partial_prefix(place);
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(place.parent_path(), ignored)) {
        const std::string name = entry.path().filename().string();
        if (!name.starts_with(prefix)) continue;
        const auto process = static_cast<pid_t>(std::atol(name.c_str() + prefix.size()));
        const bool gone =
            process <= 0 || process == ::getpid() || (::kill(process, 0) != 0 && errno == ESRCH);
        if (gone) fs::remove_all(entry.path(), ignored);
    }
}

Result<void> copy_all(const fs::path& place, const fs::path& partial,
                      const std::vector<std::unique_ptr<LmdbEnvironment>>& environments) {
    std::error_code problem;
    if (fs::create_directory(partial, problem)) {  // mail comes into it
        fs::permissions(partial, fs::perms::owner_all, problem);
    }
    if (problem) return cannot_keep(place, problem.message());
    for (std::size_t index = 0; index < environments.size(); ++index) {
        const auto folder = partial / std::to_string(index);
        fs::create_directories(folder, problem);
        if (problem) return cannot_keep(place, problem.message());
        const int code = environments[index]->copy_to(folder.string());
        if (code != 0 || !sync_path(folder / "data.mdb") || !sync_path(folder)) {
            const auto why = code != 0 ? lmdb_error(code, "copying").text : "it cannot be synced";
            return cannot_keep(place, why);
        }
    }
    if (!sync_path(partial)) return cannot_keep(place, "it cannot be synced");
    fs::rename(partial, place, problem);
    std::error_code ignored;
    if (problem && fs::exists(place, ignored)) return {};  // another process's copy was first
    if (problem || !sync_path(place.parent_path())) return cannot_keep(place, problem.message());
    return {};
}

Result<void> take_snapshot(const fs::path& place,
                           const std::vector<std::unique_ptr<LmdbEnvironment>>& environments) {
    remove_leftovers(place);
    if (auto room = check_room(place, environments); !room) return room;
    // A name of this process: two that open the store at once do not write into one folder.
    const fs::path partial =
        place.parent_path() / (partial_prefix(place) + std::to_string(::getpid()));
    auto copied = copy_all(place, partial, environments);
    std::error_code ignored;
    fs::remove_all(partial, ignored);  // where it did not take its place
    return copied;
}

}  // namespace

std::string snapshot_folder(const std::string& store_folder, std::uint32_t format) {
    const auto folder = fs::absolute(store_folder).lexically_normal();
    const auto bare = folder.has_filename() ? folder : folder.parent_path();
    return bare.string() + "-format-" + std::to_string(format);
}

std::string copy_before_upgrade(const std::string& store_folder) {
    for (auto format = lmdb_format_version - 1; format >= oldest_lmdb_format_version; --format) {
        std::error_code ignored;
        auto place = snapshot_folder(store_folder, format);
        if (fs::exists(place, ignored)) return place;
    }
    return {};
}

Result<void> upgrade_environments(
    const std::string& store_folder,
    const std::vector<std::unique_ptr<LmdbEnvironment>>& environments) {
    std::uint32_t oldest = lmdb_format_version;
    for (const auto& each : environments) oldest = std::min(oldest, each->format());
    if (oldest == lmdb_format_version) return {};
    const fs::path place = snapshot_folder(store_folder, oldest);
    std::error_code problem;
    if (!fs::exists(place, problem)) {
        if (auto taken = take_snapshot(place, environments); !taken) return taken;
    }
    for (const auto& each : environments) {
        if (const int code = each->upgrade(); code != 0) {
            return lmdb_error(code, "cannot upgrade " + store_folder);
        }
    }
    return {};
}

}  // namespace postern::kv

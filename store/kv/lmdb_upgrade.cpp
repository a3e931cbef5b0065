#include "store/kv/lmdb_upgrade.h"

#include "store/kv/sync_path.h"
#include "store/kv/upgrade_copy.h"

#include <unistd.h>

#include <algorithm>
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

Result<void> take_snapshot(const fs::path& place,
                           const std::vector<std::unique_ptr<LmdbEnvironment>>& environments) {
    if (auto room = check_room(place, environments); !room) return room;
    // A name of this process: two that open the store at once do not write into one folder.
    const fs::path partial = place.string() + ".partial-" + std::to_string(::getpid());
    std::error_code problem;
    fs::remove_all(partial, problem);
    for (std::size_t index = 0; index < environments.size(); ++index) {
        const auto folder = partial / std::to_string(index);
        fs::create_directories(folder, problem);
        if (problem) return cannot_keep(place, problem.message());
        const int code = environments[index]->copy_to(folder.string());
        if (code != 0 || !sync_path(folder / "data.mdb") || !sync_path(folder)) {
            const auto why = code != 0 ? lmdb_error(code, "copying").text : "it cannot be synced";
            fs::remove_all(partial, problem);
            return cannot_keep(place, why);
        }
    }
    fs::permissions(partial, fs::perms::owner_all, problem);  // mail is in it
    if (!sync_path(partial)) return cannot_keep(place, "it cannot be synced");
    fs::rename(partial, place, problem);
    std::error_code ignored;
    if (problem && fs::exists(place, ignored)) {  // another process's copy was first
        fs::remove_all(partial, ignored);
        return {};
    }
    if (problem || !sync_path(place.parent_path())) return cannot_keep(place, problem.message());
    return {};
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

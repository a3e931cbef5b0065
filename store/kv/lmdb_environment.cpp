#include "store/kv/lmdb_environment.h"

#include "store/kv/row_codec.h"
#include "store/kv/sync_path.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <set>

namespace postern::kv {

namespace {

constexpr std::uint64_t max_growth_bytes = std::uint64_t{64} << 30;
constexpr std::size_t large_write_bytes = 1024 * 1024;

// LMDB must not open one environment twice in a process: closing either drops the other's file
// locks.
std::mutex open_folders_mutex;
std::set<std::string>& open_folders() {
    static std::set<std::string> folders;
    return folders;
}

int put_number(MDB_txn* transaction, MDB_dbi table, std::string_view name, std::uint32_t number) {
    const std::string bytes = RowWriter().u32(number).take();
    MDB_val key = value_of(name);
    MDB_val value = value_of(bytes);
    return mdb_put(transaction, table, &key, &value, 0);
}

int get_number(MDB_txn* transaction, MDB_dbi table, std::string_view name,
               std::optional<std::uint32_t>& number) {
    MDB_val key = value_of(name);
    MDB_val value{};
    const int code = mdb_get(transaction, table, &key, &value);
    if (code == MDB_NOTFOUND) return 0;
    if (code != 0) return code;
    RowReader reader({static_cast<const char*>(value.mv_data), value.mv_size});
    number = reader.u32();
    return reader.done() ? 0 : MDB_CORRUPTED;
}

Result<void> check_format(const std::string& folder, std::uint32_t format) {
    const std::string text = "store: " + folder + " has format " + std::to_string(format) +
                             ", this program knows formats ";
    const std::string known =
        std::to_string(oldest_lmdb_format_version) + " to " + std::to_string(lmdb_format_version);
    if (format > lmdb_format_version) {
        return Error{Errc::unsupported,
                     text + known +
                         "; install the version that wrote it again, or restore a backup "
                         "from before: postern restore"};
    }
    if (format < oldest_lmdb_format_version) {
        return Error{Errc::unsupported,
                     text + known + "; export its mail with the program that wrote it"};
    }
    return {};
}

// Format 2 kept the ids of operations, which only the process that wrote them asks for. The table
// itself stays, empty, for an older program that may have it open.
int upgrade_tables(MDB_txn* transaction, MDB_dbi meta) {
    MDB_dbi operations = 0;
    int status = mdb_dbi_open(transaction, "operations", 0, &operations);
    if (status == 0) status = mdb_drop(transaction, operations, 0);
    if (status != 0 && status != MDB_NOTFOUND) return status;
    return put_number(transaction, meta, "format", lmdb_format_version);
}

}  // namespace

Error lmdb_error(int code, std::string_view doing) {
    std::string text = "store: " + std::string(doing) + ": " + mdb_strerror(code);
    switch (code) {
        case MDB_CORRUPTED:
        case MDB_PAGE_NOTFOUND:
        case MDB_INVALID:
            return {Errc::corrupt, std::move(text)};
        case MDB_VERSION_MISMATCH:
            return {Errc::unsupported, std::move(text)};
        case ENOSPC:
        case EDQUOT:
            return {Errc::unavailable, text + "; make room on the disk"};
        case MDB_PANIC:
            return {Errc::unavailable, text + "; check the disk and restart"};
        default:
            return {Errc::unavailable, std::move(text)};
    }
}

Result<std::unique_ptr<LmdbEnvironment>> LmdbEnvironment::open(const std::string& folder,
                                                               unsigned index,
                                                               unsigned environments,
                                                               std::uint64_t map_bytes) {
    std::unique_ptr<LmdbEnvironment> environment(new LmdbEnvironment());
    auto started = environment->start(folder, index, environments, map_bytes);
    if (!started) return started.error();
    return environment;
}

Result<void> LmdbEnvironment::start(const std::string& folder, unsigned index,
                                    unsigned environments, std::uint64_t map_bytes) {
    std::error_code failed;
    std::filesystem::create_directories(folder, failed);
    if (failed) return Error{Errc::unavailable, "store: " + folder + ": " + failed.message()};
    const auto path = std::filesystem::canonical(folder, failed);
    if (failed) return Error{Errc::unavailable, "store: " + folder + ": " + failed.message()};
    {
        std::lock_guard lock(open_folders_mutex);
        if (!open_folders().insert(path.string()).second) {
            return Error{Errc::unavailable,
                         "store: " + folder + " is open in this process already"};
        }
        folder_ = path.string();
    }
    int code = mdb_env_create(&env_);
    if (code == 0) code = mdb_env_set_maxdbs(env_, 8);
    if (code == 0) code = mdb_env_set_maxreaders(env_, max_lmdb_readers);
    if (code == 0) code = mdb_env_set_mapsize(env_, map_bytes);
    if (code == 0) code = mdb_env_open(env_, path.c_str(), MDB_NOTLS | MDB_NORDAHEAD, 0600);
    if (code != 0) return lmdb_error(code, "cannot open " + folder);
    drop_stale_readers();
    if (auto opened = open_tables(index, environments); !opened) return opened;
    if (!sync_path(path) || !sync_path(path.parent_path())) {
        return Error{Errc::unavailable, "store: cannot sync " + folder};
    }
    return {};
}

Result<void> LmdbEnvironment::open_tables(unsigned index, unsigned environments) {
    std::optional<std::uint32_t> format;
    std::optional<std::uint32_t> count;
    const int code = write(0, [&](MDB_txn* transaction) {
        int status = mdb_dbi_open(transaction, "meta", MDB_CREATE, &tables_.meta);
        if (status == 0) status = get_number(transaction, tables_.meta, "format", format);
        if (status == 0) status = get_number(transaction, tables_.meta, "environments", count);
        if (status != 0 || (format && !check_format(folder_, *format))) return status;
        if (!format) {
            status = put_number(transaction, tables_.meta, "format", lmdb_format_version);
            if (status == 0) status = put_number(transaction, tables_.meta, "index", index);
            if (status == 0) {
                status = put_number(transaction, tables_.meta, "environments", environments);
            }
            count = environments;
        }
        if (status == 0) status = mdb_dbi_open(transaction, "rows", MDB_CREATE, &tables_.rows);
        if (status == 0) status = mdb_dbi_open(transaction, "blobs", MDB_CREATE, &tables_.blobs);
        return status;
    });
    if (code != 0) return lmdb_error(code, "cannot open the tables of " + folder_);
    if (format) {
        if (auto known = check_format(folder_, *format); !known) return known;
    }
    environments_ = count.value_or(0);
    format_ = format.value_or(lmdb_format_version);
    return {};
}

int LmdbEnvironment::upgrade() {
    if (format_ == lmdb_format_version) return 0;
    const int code = write(
        0, [this](MDB_txn* transaction) { return upgrade_tables(transaction, tables_.meta); });
    if (code == 0) format_ = lmdb_format_version;
    return code;
}

int LmdbEnvironment::copy_to(const std::string& folder) const {
    return mdb_env_copy2(env_, folder.c_str(), MDB_CP_COMPACT);
}

std::uint64_t LmdbEnvironment::used_bytes() const {
    MDB_envinfo info{};
    MDB_stat stat{};
    mdb_env_info(env_, &info);
    mdb_env_stat(env_, &stat);
    return (info.me_last_pgno + 1) * std::uint64_t{stat.ms_psize};
}

LmdbEnvironment::~LmdbEnvironment() {
    for (MDB_txn* transaction : idle_) mdb_txn_abort(transaction);
    if (env_ != nullptr) mdb_env_close(env_);
    if (folder_.empty()) return;
    std::lock_guard lock(open_folders_mutex);
    open_folders().erase(folder_);
}

int LmdbEnvironment::begin_read(MDB_txn** transaction) {
    {
        std::lock_guard lock(idle_mutex_);
        if (!idle_.empty()) {
            *transaction = idle_.back();
            idle_.pop_back();
        }
    }
    if (*transaction == nullptr) return mdb_txn_begin(env_, nullptr, MDB_RDONLY, transaction);
    const int code = mdb_txn_renew(*transaction);
    if (code != 0) {
        mdb_txn_abort(*transaction);
        *transaction = nullptr;
    }
    return code;
}

void LmdbEnvironment::end_read(MDB_txn* transaction) {
    mdb_txn_reset(transaction);
    std::lock_guard lock(idle_mutex_);
    idle_.push_back(transaction);
}

int LmdbEnvironment::write(std::size_t expected_bytes, const std::function<int(MDB_txn*)>& body) {
    if (expected_bytes >= large_write_bytes) {
        if (const int code = make_room(expected_bytes); code != 0) return code;
    }
    for (;;) {
        int code = write_once(body);
        if (code == MDB_MAP_RESIZED) {
            code = change_map(0);
        } else if (code == MDB_MAP_FULL) {
            code = grow(0);
        } else {
            return code;
        }
        if (code != 0) return code;
    }
}

int LmdbEnvironment::write_once(const std::function<int(MDB_txn*)>& body) {
    std::shared_lock lock(map_);
    MDB_txn* transaction = nullptr;
    int code = mdb_txn_begin(env_, nullptr, 0, &transaction);
    if (code != 0) return code;
    code = body(transaction);
    if (code == 0) return mdb_txn_commit(transaction);
    mdb_txn_abort(transaction);
    return code;
}

int LmdbEnvironment::change_map(std::uint64_t bytes) {
    std::lock_guard order(moving_);
    map_moves_ = true;
    std::unique_lock lock(map_);
    const int code = mdb_env_set_mapsize(env_, bytes);
    map_moves_ = false;
    return code;
}

int LmdbEnvironment::grow(std::uint64_t at_least) {
    MDB_envinfo info{};
    mdb_env_info(env_, &info);
    const auto step = std::min<std::uint64_t>(info.me_mapsize, max_growth_bytes);
    return change_map(info.me_mapsize + std::max(step, at_least));
}

int LmdbEnvironment::make_room(std::size_t bytes) {
    MDB_envinfo info{};
    mdb_env_info(env_, &info);
    return used_bytes() + bytes <= info.me_mapsize ? 0 : grow(bytes);
}

void LmdbEnvironment::drop_stale_readers() {
    int dropped = 0;
    mdb_reader_check(env_, &dropped);
}

}  // namespace postern::kv

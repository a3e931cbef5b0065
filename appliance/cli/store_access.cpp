#include "appliance/cli/store_access.h"

#include "gateway/clock/wall_clock.h"

#include <filesystem>
#include <utility>

namespace postern::cli {

Time now() {
    return wall_clock();
}

Result<std::unique_ptr<StoreAccess>> open_store(const config::Config& config, Opening opening) {
    std::error_code error;
    const bool there = std::filesystem::exists(config.store_folder(), error);
    if (error) {
        return Error{Errc::unavailable, config.store_folder() + ": " + error.message() +
                                            "; run this as the user that owns the data folder"};
    }
    if (!there && opening == Opening::existing) {
        return Error{Errc::unavailable,
                     "no store in " + config.data_dir +
                         " yet; begin with: postern setup, or postern domain add DOMAIN (and "
                         "check --config)"};
    }
    kv::LmdbOptions options;
    options.folder = config.store_folder();
    auto opened = kv::open_lmdb_store(options);
    if (!opened) return opened.error();
    return std::make_unique<StoreAccess>(std::move(*opened));
}

Result<std::unique_ptr<StoreAccess>> open_mail(const config::Config& config, Opening opening) {
    auto access = open_store(config, opening);
    if (!access) return access;
    // Unfinished moves may be a running daemon's own: it alone takes them up.
    auto mail = mail::MailStore::open(*(*access)->kv, now, false);
    if (!mail) return mail.error();
    (*access)->mail = std::move(*mail);
    return access;
}

}  // namespace postern::cli

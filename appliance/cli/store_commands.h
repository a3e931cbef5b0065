// What the files of `postern store ...` share.
#pragma once

#include "appliance/cli/store_access.h"
#include "store/care/backup.h"

#include <string>
#include <vector>

namespace postern::cli {

struct StoreOptions {
    std::string folder;   // of a backup or an export
    std::string address;  // of a user
    std::string mailbox;
    std::string at;  // restore: the snapshot, or a time
    std::string format = "maildir";
    std::vector<std::string> paths;
    bool quick = false;
    std::string uidl;  // import: where POP3's unique ids come from
};

int check_store(Context& context, const StoreOptions& options);
int repair_store(Context& context, const StoreOptions& options);
int store_stats(Context& context, const StoreOptions& options);
int compact_store(Context& context, const StoreOptions& options);
int train_dictionary(Context& context, const StoreOptions& options);
int reindex_store(Context& context, const StoreOptions& options);
int backup_store(Context& context, const StoreOptions& options);
int restore_store(Context& context, const StoreOptions& options);
int export_mail(Context& context, const StoreOptions& options);
int import_mail(Context& context, const StoreOptions& options);

// Errors: not_found, unavailable.
Result<directory::User> find_user(StoreAccess& store, const std::string& address);

}  // namespace postern::cli

// The store as the command line opens it, beside a running daemon or alone.
#pragma once

#include "appliance/cli/context.h"
#include "protocols/base/result.h"
#include "protocols/base/time.h"
#include "store/directory/directory.h"
#include "store/directory/preferences.h"
#include "store/kv/kv.h"
#include "store/mail/mail_store.h"

#include <memory>

namespace postern::cli {

enum class Opening { existing, create };  // whether an absent store is made

struct StoreAccess {
    explicit StoreAccess(std::unique_ptr<kv::Store> opened)
        : kv(std::move(opened)), directory(*kv), preferences(*kv) {}
    std::unique_ptr<kv::Store> kv;
    directory::Directory directory;
    directory::AccountPreferences preferences;
    std::unique_ptr<mail::MailStore> mail;  // only from open_mail
};

// Errors: unavailable (text names the folder and what to do).
Result<std::unique_ptr<StoreAccess>> open_store(const config::Config& config, Opening opening);
// With `mail` set, too.
Result<std::unique_ptr<StoreAccess>> open_mail(const config::Config& config, Opening opening);

Time now();

}  // namespace postern::cli

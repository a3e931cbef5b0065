// Users as the commands make them: an account with its mailboxes and every way to log in.
#pragma once

#include "appliance/cli/store_access.h"
#include "protocols/base/result.h"

#include <string>

namespace postern::cli {

struct NewPassword {
    std::string hash;
    std::string prepared;  // the password itself, as SCRAM's keys are made of it (RFC 4013)
};
// Errors: unavailable.
Result<NewPassword> make_password(const std::string& text);

// The user's address and the mailboxes of a new account. `store` comes from open_mail. Errors:
// exists, not_found (the domain), invalid, unavailable; then there is no such user.
Result<directory::User> create_user(StoreAccess& store, const std::string& address,
                                    const NewPassword& password);
// Errors: not_found, unavailable.
Result<void> change_password(StoreAccess& store, const std::string& address,
                             const NewPassword& password);

}  // namespace postern::cli

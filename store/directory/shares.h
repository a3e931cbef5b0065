// Who has mailboxes that another was given rights to, and which accounts are groups' (info@) and
// belong to nobody. Read as Directory is.
//
// Rights themselves are the mailbox's (store/mail). What stands here only says where to look, so
// that a list of mailboxes need not ask all accounts: it is written before the rights are, and may
// name an owner whose rights are gone again.
//
// Thread rule: any function from any thread. Changing functions wait for durability.
#pragma once

#include "protocols/base/result.h"
#include "store/directory/directory.h"
#include "store/kv/kv.h"

#include <string>
#include <string_view>
#include <vector>

namespace postern::directory {

class Shares {
public:
    explicit Shares(kv::Store& store) : store_(store) {}

    // `whom`: an address, or "@domain" for everybody there. Harmless when it stands there already.
    // Errors: invalid (not an address).
    Result<void> add(std::string_view whom, const User& owner);
    Result<void> remove(std::string_view whom, const User& owner);
    // Addresses of owners, in the order of their accounts.
    Result<std::vector<std::string>> owners(std::string_view whom);

    // Errors: invalid (not an address).
    Result<void> set_group(std::string_view address, bool group);
    Result<bool> is_group(std::string_view address);

private:
    kv::Store& store_;
};

}  // namespace postern::directory

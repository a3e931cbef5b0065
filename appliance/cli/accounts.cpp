#include "appliance/cli/accounts.h"

#include "gateway/auth/password.h"
#include "gateway/auth/scram.h"
#include "protocols/mime/saslprep.h"
#include "store/directory/credentials.h"

#include <utility>

namespace postern::cli {

namespace {

// Without them a client can still log in by PLAIN.
void keep_scram_keys(StoreAccess& store, AccountId account, const NewPassword& password) {
    directory::Credentials credentials(*store.kv);
    const auto salt = credentials.scram_salt(account);
    const auto kept =
        salt ? credentials.set_scram(account, auth::make_scram_keys(password.prepared, *salt),
                                     password.hash)
             : Result<void>(salt.error());
    if (!kept) note("no login by SCRAM until the next postern user passwd: " + kept.error().text);
}

}  // namespace

Result<NewPassword> make_password(const std::string& text) {
    const auto prepared = mime::saslprep(text);
    auto hash = auth::hash_password(prepared);
    if (!hash) return hash.error();
    return NewPassword{std::move(*hash), prepared};
}

Result<directory::User> create_user(StoreAccess& store, const std::string& address,
                                    const NewPassword& password) {
    auto user = store.directory.add_user(address, password.hash);
    if (!user) return user;
    auto made = mail::wait<void>(
        [&](mail::Done<void> done) { store.mail->create_account(user->id, std::move(done)); });
    if (made) {
        // A group has no password of its own.
        if (!password.hash.empty()) keep_scram_keys(store, user->id, password);
        return user;
    }
    Error failed = made.error();
    failed.text += store.directory.remove_user(user->address)
                       ? "; the user was not added, try again"
                       : "; the user is there without mailboxes: remove and add it";
    return failed;
}

Result<void> change_password(StoreAccess& store, const std::string& address,
                             const NewPassword& password) {
    const auto known = store.directory.find(address);
    if (!known) return known.error();
    if (!known->has_value()) return Error{Errc::not_found, address + ": no such user"};
    auto done = store.directory.set_password(address, password.hash);
    if (done) keep_scram_keys(store, (*known)->id, password);
    return done;
}

}  // namespace postern::cli

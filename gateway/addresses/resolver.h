// Where mail for an address goes: to mailboxes here, to other servers, or nowhere.
//
// First it is rewritten (store/directory/rewrites.h). Then in this order: an alias of just that
// name; a mailbox; the same for what stands before '+' (plus addressing); for "postmaster" the
// first postmaster there is; the alias domain or catch-all; for a postmaster that all this leads
// nowhere the user who was made first, in that domain or at all (RFC 5321 section 4.5.1 wants one).
// Targets are resolved the same way, without rewriting, each once, so that a circle ends.
//
// Thread rule: any function from any thread.
#pragma once

#include "gateway/addresses/srs.h"
#include "protocols/base/result.h"
#include "store/directory/aliases.h"
#include "store/directory/directory.h"
#include "store/directory/rewrites.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace postern::addresses {

inline constexpr std::size_t max_expansion =
    1000;  // mailboxes and other addresses of one recipient
inline constexpr char detail_separator = '+';

// The domain in ASCII (IDNA), the local part as it is; as given where there is nothing to convert.
std::string ascii_address(std::string_view address);

struct Resolved {
    bool local_domain = false;  // the address is at a domain of ours, as given or as rewritten
    std::string domain;         // that domain; empty: none
    std::vector<directory::User> users;  // each account once
    std::vector<std::string> others;     // at other domains
    bool only_bounces = false;           // a reverse-path that was rewritten here (Srs)
    bool found() const { return !users.empty() || !others.empty(); }
};

// Of an address, as seen from one account.
enum class Ownership : std::uint8_t {
    own,     // mail to it reaches the account
    others,  // it is at a domain of ours, and mail to it does not
    foreign,
};

class Resolver {
public:
    // srs: nullptr: senders of forwarded mail stay, and no address of that kind is known.
    // rewrites: nullptr: no rules.
    Resolver(directory::Directory& directory, directory::Aliases& aliases, const Srs* srs = nullptr,
             directory::Rewrites* rewrites = nullptr)
        : directory_(directory), aliases_(aliases), srs_(srs), rewrites_(rewrites) {}

    // "Postmaster" without a domain is known. An address of another domain resolves to itself, in
    // `others`. Errors: limit (over max_expansion), and those of the directory.
    Result<Resolved> resolve(std::string_view address);
    // Errors: those of the directory. What stands for more than max_expansion is nobody's.
    Result<Ownership> ownership(AccountId account, std::string_view address);
    // What the rules for senders make of a user's address.
    Result<std::string> sender(std::string_view address);
    // The reverse-path for mail of `sender` that an alias of `domain` sends on to another server.
    Result<std::string> forwarding_path(std::string_view sender, std::string_view domain, Time now);

private:
    struct Walk;
    Result<bool> is_ours(std::string_view ascii, std::string& domain);
    Result<std::string> rewritten(directory::RewriteOf of, std::string address);
    Result<void> expand(Walk& walk, const std::string& address, std::size_t depth);
    Result<bool> exact(Walk& walk, const std::string& address, std::size_t depth);
    Result<void> through_domain(Walk& walk, const std::string& local, const std::string& domain,
                                std::size_t depth);
    Result<bool> postmaster(Walk& walk);
    Result<void> first_user(Walk& walk, const std::string& domain);

    directory::Directory& directory_;
    directory::Aliases& aliases_;
    const Srs* srs_;
    directory::Rewrites* rewrites_;
    std::mutex mutex_;
    // By domain, "" for all of them: strangers may ask for it, and finding it reads all users.
    std::map<std::string, std::string> first_users_;
};

}  // namespace postern::addresses

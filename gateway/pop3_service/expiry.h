// Mail left on the server by POP3 users whose admin set an end for it.
#pragma once

#include "gateway/net/awaitable.h"
#include "protocols/base/time.h"
#include "store/directory/preferences.h"
#include "store/mail/mail_store.h"

#include <cstdint>
#include <optional>

namespace postern::pop3_service {

// Removes what is older than its account's limit, counted from when it came into its mailbox.
// Logs what went, and what could not; the rest goes on.
net::Awaitable<void> remove_expired(mail::MailStore& mail,
                                    directory::AccountPreferences& preferences, Time now);

// Of all accounts that have a limit; nullopt: none has one.
std::optional<std::uint32_t> shortest_expiry(directory::AccountPreferences& preferences);

}  // namespace postern::pop3_service

// The words in which mail is refused, each once.
#pragma once

#include "protocols/base/result.h"
#include "protocols/smtp/engine.h"

namespace postern::smtp_service {

inline smtp::Reply unknown_user() {
    return {550, "5.1.1", "No such user here"};
}
inline smtp::Reply no_relay() {
    return {550, "5.7.1", "Relaying is not allowed"};
}
inline smtp::Reply no_outbound_relay() {
    return {550, "5.7.1", "This server does not relay to other servers yet, local mailboxes only"};
}
inline smtp::Reply directory_unavailable() {
    return {451, "4.3.0", "The directory cannot be read now, try again later"};
}
inline smtp::Reply bad_login() {
    return {535, "5.7.8", "Authentication credentials invalid"};
}
inline smtp::Reply auth_unavailable() {
    return {454, "4.7.0", "Logins cannot be checked now, try again later"};
}
inline smtp::Reply no_storage_now() {
    return {452, "4.3.1", "Insufficient system storage, try again later"};
}

// A message that was not stored. Never says that it was, and tells the sender to keep it.
smtp::Reply not_accepted(const Error& error);

}  // namespace postern::smtp_service

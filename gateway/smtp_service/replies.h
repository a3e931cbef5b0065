// The words in which mail is refused, each once.
#pragma once

#include "protocols/base/result.h"
#include "protocols/smtp/engine.h"
#include "protocols/wire/text.h"

#include <string>
#include <string_view>

namespace postern::smtp_service {

inline smtp::Reply unknown_user() {
    return {550, "5.1.1", "No such user here"};
}
inline smtp::Reply no_relay() {
    return {550, "5.7.1", "Relaying is not allowed"};
}
inline smtp::Reply only_bounces() {
    return {550, "5.7.1", "That address takes bounces alone, from the sender <>"};
}
inline smtp::Reply not_your_address() {
    return {550, "5.7.1", "That sender address is not yours"};
}
inline smtp::Reply not_your_header_address(std::string_view address) {
    return {550, "5.7.1",
            "The address " + wire::printable(address) + " in the header (From) is not yours"};
}
inline smtp::Reply too_many_header_addresses(std::size_t most) {
    return {550, "5.7.1", "More than " + std::to_string(most) + " addresses in From and Sender"};
}
inline smtp::Reply too_many_recipients() {
    return {451, "4.7.1", "You have written to many recipients within an hour, try again later"};
}
inline smtp::Reply expands_too_far() {
    return {550, "5.1.4", "That address stands for too many others"};
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
inline smtp::Reply too_fast() {
    return {451, "4.7.1", "Too many messages from you in a short time, try again later"};
}
inline smtp::Reply bare_ends() {
    return {550, "5.6.11", "Bare line ends or NUL outside of the parts marked as binary"};
}
inline smtp::Reply in_a_loop() {
    return {554, "5.4.6", "Too many Received fields: this mail goes round in a loop"};
}
inline smtp::Reply no_storage_now() {
    return {452, "4.3.1", "Insufficient system storage, try again later"};
}

inline smtp::Reply no_stranger_reports() {
    return {550, "5.7.1", "Reports are taken from users of this server who logged in"};
}
inline smtp::Reply report_of_both_kinds() {
    return {550, "5.7.1", "A report is either of spam or of ham"};
}
inline smtp::Reply report_without_message() {
    return {550, "5.6.0", "Nothing to learn: forward the message as an attachment, or redirect it"};
}
inline smtp::Reply report_too_large(std::size_t most) {
    return {550, "5.6.0",
            "Too many messages in one report: attach at most " + std::to_string(most)};
}
inline smtp::Reply report_not_learned() {
    return {451, "4.3.0", "The report cannot be learned now, try again later"};
}

inline smtp::Reply cannot_be_told() {
    return {451, "4.3.0",
            "One of several mailboxes is full, and a report of that cannot be stored now, try "
            "again later"};
}
inline smtp::Reply unreadable_header_address() {
    return {550, "5.6.0", "From or Sender in the header cannot be read as addresses"};
}
inline smtp::Reply accepted_as(const std::string& id) {
    return {250, "2.0.0", "Accepted as " + id};
}
// A message that was not stored. Never says that it was, and tells the sender to keep it.
smtp::Reply not_accepted(const Error& error);

}  // namespace postern::smtp_service

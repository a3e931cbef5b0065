// Delivery status notifications (RFC 3464, in a multipart/report of RFC 6522).
#pragma once

#include "protocols/base/time.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace postern::outbound {

inline constexpr std::size_t max_returned_bytes =
    64 * 1024;  // of the message; more: its header alone

// RFC 3464 section 2.3.3. `expanded`: to the addresses that the one named stands for.
enum class Action : std::uint8_t { failed, delayed, delivered, relayed, expanded };

struct ReportedRecipient {
    std::string address;
    std::string original;  // ORCPT; empty: none
    Action action = Action::failed;
    std::string status;      // "5.1.1"
    std::string diagnostic;  // the other server's reply, or our own words; one line
    std::string remote_mta;  // whose reply it is; empty: none's
};

struct Report {
    std::string hostname;     // of this server
    std::string id;           // of the report; for its Message-ID
    std::string to;           // the sender of the message
    std::string envelope_id;  // ENVID as xtext; empty: none
    std::string message_id;   // our queue id of the message
    Time arrived;
    Time now;
    Time retry_until;           // for delayed ones; Time{}: nobody knows
    bool headers_only = false;  // RET=HDRS
    std::vector<ReportedRecipient> recipients;
    std::string message;              // the message, or its beginning
    std::uint64_t message_bytes = 0;  // all of it
};

// The whole report as a message, CRLF lines.
std::string report_text(const Report& report);

}  // namespace postern::outbound

// The header fields that a gateway puts in front of a message, and those that it must not let in.
#pragma once

#include "filters/report.h"
#include "protocols/base/time.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::delivery {

// What reception knows of how a message came.
struct Arrival {
    std::string session;  // id, for the log
    std::string client_address;
    std::string helo;
    bool lmtp = false;
    bool esmtp = false;
    bool smtputf8 = false;
    std::string tls_protocol;  // empty: no TLS
    std::string tls_cipher;
    std::string authenticated_user;  // empty: none
    std::string reverse_path;        // empty: <>
    // For copies to other servers, where it differs (Srs); nullopt: the same.
    std::optional<std::string> forwarding_path;
    // What the sender wants of the way on; see smtp::MailParameters.
    std::string envelope_id;
    bool return_headers_only = false;
    bool require_tls = false;
    bool ours = false;  // a report that we wrote: neither quota nor filter keeps it from INBOX
};

// The word after "with" (RFC 3848, RFC 6531 section 3.7.3): ESMTPSA, UTF8SMTPS, LMTP...
std::string with_protocol(const Arrival& arrival);

// RFC 5321 section 4.4. `for_recipient` is empty when there are several: they must not learn of
// each other.
std::string received_field(const Arrival& arrival, const std::string& hostname,
                           const std::string& id, const std::string& for_recipient, Time now);
std::string return_path_field(const std::string& reverse_path);
// RFC 8601, under our own name.
std::string authentication_results_field(const Arrival& arrival, const std::string& hostname);
// X-Spam-Status, X-Spam-Score and, for spam, X-Spam-Flag.
std::string spam_fields(const filters::Report& report);
// Why a message is spam, in a few words for the log and the queue.
std::string spam_reason(const filters::Report& report);

// "Name: value" folded at spaces and after commas to lines of at most 78 characters where that is
// possible. Control characters in the value become '?'.
std::string folded_field(std::string_view name, std::string_view value);

// Takes fields out of the message's header that only this gateway may have written: Return-Path,
// X-Spam-*, X-Postern-*, and Authentication-Results under our own name (RFC 8601 section 5).
// Answers how many. A message without such fields is not touched. Lines end with CRLF.
std::size_t remove_foreign_fields(std::string& message, std::string_view hostname);

// RFC 5321 section 6.3: so many servers no mail passes on its way, unless it goes round.
inline constexpr std::size_t max_received_fields = 100;
// Whether its header has more of them.
bool is_in_a_loop(std::string_view message);

}  // namespace postern::delivery

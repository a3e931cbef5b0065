// Whether a user may say that the message is from those whom its header names.
#include "gateway/smtp_service/header_addresses.h"
#include "gateway/smtp_service/replies.h"
#include "gateway/smtp_service/smtp_service.h"

namespace postern::smtp_service {

// As for the reverse-path, what the rules for senders make of an address counts.
std::optional<smtp::Reply> SmtpService::check_header_senders() {
    const auto allowed = backends_.config.get()->submission.from_header;
    if (!user_ || allowed == "any") return std::nullopt;
    const auto senders = header_senders(body_);
    for (const auto& address : senders.addresses) {
        const auto rewritten = backends_.resolver.sender(address);
        if (!rewritten) return directory_unavailable();
        const auto found = backends_.resolver.ownership(user_->id, *rewritten);
        if (!found) return directory_unavailable();
        const bool foreign = *found == addresses::Ownership::foreign && allowed == "hosted";
        if (foreign || *found == addresses::Ownership::own) continue;
        session_.log(logging::Level::warning, "message refused",
                     {{"reason", "From or Sender has an address that is not the user's"},
                      {"user", user_->address},
                      {"address", address},
                      {"setting", "submission.from_header: " + allowed}});
        return not_your_header_address(address);
    }
    if (!senders.too_many) return std::nullopt;
    session_.log(logging::Level::warning, "message refused",
                 {{"reason", "too many addresses in From and Sender"}, {"user", user_->address}});
    return too_many_header_addresses(max_header_addresses);
}

}  // namespace postern::smtp_service

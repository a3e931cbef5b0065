// As whom a user may send: the reverse-path, and those whom the header names.
#include "gateway/smtp_service/header_addresses.h"
#include "gateway/smtp_service/replies.h"
#include "gateway/smtp_service/smtp_service.h"

namespace postern::smtp_service {

Result<addresses::Ownership> SmtpService::ownership(const std::string& address) {
    const auto found = backends_.resolver.ownership(user_->id, address);
    if (!found || *found != addresses::Ownership::others) return found;
    const auto resolved = backends_.resolver.resolve(address);
    if (!resolved && resolved.error().code == Errc::limit) return found;
    if (!resolved) return resolved.error();
    for (const auto& owner : resolved->users) {
        const auto may = backends_.sharing.may_send_as({user_->id, user_->address},
                                                       {owner.id, owner.address});
        if (!may) return may.error();
        if (*may) return addresses::Ownership::own;
    }
    return found;
}

// As for the reverse-path, what the rules for senders make of an address counts.
std::optional<smtp::Reply> SmtpService::check_header_senders() {
    const auto allowed = backends_.config.get()->submission.from_header;
    if (!user_ || allowed == "any") return std::nullopt;
    const auto senders = header_senders(body_);
    if (senders.unreadable) {
        session_.log(logging::Level::warning, "message refused",
                     {{"reason", "From or Sender cannot be read"}, {"user", user_->address}});
        return unreadable_header_address();
    }
    for (const auto& address : senders.addresses) {
        const auto rewritten = backends_.resolver.sender(address);
        if (!rewritten) return directory_unavailable();
        const auto found = ownership(*rewritten);
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

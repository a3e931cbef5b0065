// The recipients of the message in hand: the names that the sender gave, and the mailboxes and
// addresses that they stand for.
#pragma once

#include "gateway/addresses/resolver.h"
#include "gateway/delivery/delivery.h"
#include "gateway/outbound/report.h"
#include "protocols/smtp/engine.h"

#include <string>
#include <vector>

namespace postern::smtp_service {

class Recipients {
public:
    // LMTP: each name has a reply of its own.
    explicit Recipients(bool lmtp) : lmtp_(lmtp) {}

    // Takes each mailbox and each address once, whatever it was reached by.
    void add(const smtp::CheckRecipient& named, addresses::Resolved found);
    void clear() { *this = Recipients(lmtp_); }
    bool empty() const { return local_.empty() && remote_.empty(); }
    const std::vector<delivery::LocalRecipient>& local() const { return local_; }
    const std::vector<delivery::RemoteRecipient>& remote() const { return remote_; }

    // Whether reports() may have something to say.
    bool may_report() const;
    // What the sender is to be told of recipients here: those that asked for it (NOTIFY=SUCCESS),
    // and those of an alias that were left out. A stranger learns no more than the names given.
    std::vector<outbound::ReportedRecipient> reports(const delivery::Accepted& outcome,
                                                     bool stranger) const;
    // LMTP's, one for each name in order.
    std::vector<smtp::Reply> replies(const delivery::Accepted& outcome) const;

private:
    struct Named {
        std::string address;
        smtp::RecipientParameters parameters;
        std::vector<std::string> mailboxes;
        std::size_t others = 0;  // addresses at other servers
        bool is_expanded() const { return mailboxes.size() + others > 1; }
    };
    static const Error* refused(const Named& named, const delivery::Accepted& outcome);
    void add_local(directory::User user, bool may_be_left_out);
    void add_remote(std::string address, const Named& named);

    bool lmtp_;
    std::vector<Named> named_;
    std::vector<delivery::LocalRecipient> local_;
    std::vector<delivery::RemoteRecipient> remote_;
};

}  // namespace postern::smtp_service

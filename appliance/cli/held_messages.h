// What a mailbox held before an import, so that a second one doubles nothing however long the first
// is ago: the store knows an append's operation for some ten thousand changes alone.
#pragma once

#include "store/mail/mail_store.h"

#include <cstdint>
#include <map>
#include <string>
#include <utility>

namespace postern::cli {

class HeldMessages {
public:
    // Errors: those of reading the mailbox. Some 100 bytes of memory a message.
    static Result<HeldMessages> of(mail::MailStore& mail, MailboxId mailbox);

    // Whether a message with these bytes and, to the second, this date was there. One that cannot
    // be read counts as missing.
    bool has(mail::MailStore& mail, Time date, const std::string& bytes) const;

private:
    // Seconds and size.
    std::multimap<std::pair<std::int64_t, std::uint64_t>, BlobId> places_;
};

}  // namespace postern::cli

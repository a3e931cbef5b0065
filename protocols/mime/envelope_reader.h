// Reads an ENVELOPE that write_envelope wrote, so that what is kept of a message is enough to sort
// and to thread it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::mime {

struct EnvelopeAddress {
    std::string name;     // may hold encoded words
    std::string mailbox;  // local part; of a group's start its name
    std::string host;     // empty: a group's start or end
};

struct Envelope {
    std::string date, subject;  // may hold encoded words
    std::vector<EnvelopeAddress> from, sender, reply_to, to, cc, bcc;
    std::string in_reply_to, message_id;
};

// nullopt: not an envelope.
std::optional<Envelope> read_envelope(std::string_view text);

}  // namespace postern::mime

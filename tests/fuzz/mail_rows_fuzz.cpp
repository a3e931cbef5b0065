// Rows of a mailbox's shard as a damaged store may give them: read or refused, and what is read is
// written as the same row again.
#include "store/mail/rows.h"

#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

using namespace postern::mail;

void require(bool holds) {
    if (!holds) std::abort();
}

template <class Row, class Decode>
void read_twice(std::string_view value, Decode decode) {
    const auto row = decode(value);
    if (!row) return;
    const std::string again = encode(*row);
    const auto read_again = decode(again);
    require(read_again.has_value());
    require(encode(*read_again) == again);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view value(reinterpret_cast<const char*>(data), size);
    read_twice<Head>(value, decode_head);
    read_twice<StoredMessage>(value, [](std::string_view row) { return decode_message(7, row); });
    read_twice<JournalEntry>(value, decode_journal_entry);
    if (const auto names = decode_keywords(value)) {
        const auto again = decode_keywords(encode_keywords(*names));
        require(again.has_value() && *again == *names);
    }
    read_twice<SeenMode>(value, decode_seen_mode);
    static_cast<void>(uid_of_key(value));
    static_cast<void>(modseq_of_seen_log_key(value));
    return 0;
}

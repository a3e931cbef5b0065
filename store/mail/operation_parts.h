// What several operations are made of.
#pragma once

#include "store/mail/operations.h"

#include <optional>
#include <utility>
#include <vector>

namespace postern::mail {

// A message row with its keys, and its share of the journal.
inline constexpr std::size_t row_bytes = 100;
inline constexpr std::size_t rows_per_message = 9;

using Messages = std::vector<std::pair<Uid, std::optional<StoredMessage>>>;
// As many of them as may fit when each takes so many rows.
Result<Messages> read_messages(MailboxChange& change, const UidSet& uids, std::size_t rows_each);

Flags without_seen(Flags flags);
// A new message that the account has seen. One too many stay without: no mail is refused for that.
void mark_new(MailboxChange& change, AccountId account, Uid uid);

template <class T>
class AnsweringOperation : public MailboxOperation {
public:
    explicit AnsweringOperation(Done<T> done) : done_(std::move(done)) {}

protected:
    Done<T> done_;
};

}  // namespace postern::mail

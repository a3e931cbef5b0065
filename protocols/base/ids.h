// Identifiers shared by protocols, store and gateway. All are plain values.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>

namespace postern {

// IMAP unique identifier (RFC 9051 section 2.3.1.1); POP3 UIDL is derived from it. 0 is never a
// UID.
using Uid = std::uint32_t;
// Modification sequence (RFC 7162): 63 bits, strictly growing within a mailbox. 0 is "never".
using ModSeq = std::uint64_t;

struct AccountId {
    std::uint64_t value = 0;
    auto operator<=>(const AccountId&) const = default;
};

struct MailboxId {
    std::uint64_t value = 0;
    auto operator<=>(const MailboxId&) const = default;
};

// 128 random or derived bits, printed as 32 lower-case hex digits.
struct Id128 {
    std::array<std::uint8_t, 16> bytes{};
    auto operator<=>(const Id128&) const = default;
    bool empty() const { return *this == Id128{}; }
};

// Names one attempted change, so that a doubtful outcome can be looked up and a replay is harmless.
using OperationId = Id128;
// Names one stored body. Immutable once committed.
using BlobId = Id128;

std::string to_hex(const Id128& id);
// False when text is not exactly 32 hex digits; id is then unchanged.
bool from_hex(const std::string& text, Id128& id);

}  // namespace postern

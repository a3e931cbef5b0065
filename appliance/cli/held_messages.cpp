#include "appliance/cli/held_messages.h"

#include <algorithm>
#include <chrono>

namespace postern::cli {

namespace {

constexpr std::size_t held_rows_at_once = 1000;

std::pair<std::int64_t, std::uint64_t> place_of(Time date, std::uint64_t size) {
    return {std::chrono::floor<std::chrono::seconds>(date).time_since_epoch().count(), size};
}

}  // namespace

Result<HeldMessages> HeldMessages::of(mail::MailStore& mail, MailboxId mailbox) {
    const auto state = mail.state(mailbox);
    if (!state) return state.error();
    HeldMessages held;
    for (Uid next = 1; next < state->uid_next;) {
        UidSet left;
        left.add_range(next, state->uid_next - 1);
        const auto rows = mail.rows(mailbox, left, held_rows_at_once, false);
        if (!rows) return rows.error();
        if (rows->empty()) break;
        for (const auto& row : *rows) {
            held.places_.emplace(place_of(row.internal_date, row.size), row.blob);
        }
        next = rows->back().uid + 1;
    }
    return held;
}

bool HeldMessages::has(mail::MailStore& mail, Time date, const std::string& bytes) const {
    const auto [from, to] = places_.equal_range(place_of(date, bytes.size()));
    return std::any_of(from, to, [&](const auto& place) {
        const auto read = mail.read(place.second, 0, bytes.size());
        return read && *read == bytes;
    });
}

}  // namespace postern::cli

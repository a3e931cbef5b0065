// A message made fit for a server that takes less than it needs (docs/mail-out.md).
#pragma once

#include "gateway/limits/inflight_budget.h"
#include "gateway/outbound/courier.h"
#include "protocols/smtp/client.h"

#include <optional>
#include <string>

namespace postern::outbound {

// Bytes of memory for one of a message: itself, its parts in their new form (at most three times as
// long), and all of it in that form.
inline constexpr std::uint64_t conversion_factor = 7;
// More than this no message asks of the budget: one that had to wait until nobody else converts
// could wait for ever.
inline constexpr std::uint64_t max_conversion_of_one_bytes = max_conversion_bytes / 2;

struct AdaptedForm {
    std::optional<std::string> bytes;    // nullopt: the message as it is will do
    std::optional<smtp::Reply> refusal;  // it cannot be made so: 5.6.7, 5.6.3 or, once, code 0
};

// Reads the message whole only where it is not ASCII, and then if `share` gets room for it; what
// the share holds afterwards is for the bytes that come out. Without room: code 0, to be tried
// again.
AdaptedForm adapt(const Parcel& parcel, const smtp::AdaptMessage& wanted,
                  limits::InflightBudget::Share& share);

}  // namespace postern::outbound

// A message made fit for a server that takes less than it needs (docs/mail-out.md).
#pragma once

#include "gateway/outbound/courier.h"
#include "protocols/smtp/client.h"

#include <optional>
#include <string>

namespace postern::outbound {

struct AdaptedForm {
    std::optional<std::string> bytes;    // nullopt: the message as it is will do
    std::optional<smtp::Reply> refusal;  // it cannot be made so: 5.6.7, 5.6.3 or, once, code 0
};

// Reads the message whole only where it is not ASCII.
AdaptedForm adapt(const Parcel& parcel, const smtp::AdaptMessage& wanted);

}  // namespace postern::outbound

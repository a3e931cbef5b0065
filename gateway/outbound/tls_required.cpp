#include "gateway/outbound/tls_required.h"

#include "protocols/mime/header.h"
#include "protocols/mime/message.h"
#include "protocols/wire/text.h"

#include <algorithm>

namespace postern::outbound {

bool waives_tls_policies(std::string_view message) {
    const std::size_t end = message.find("\r\n\r\n");
    const auto header = message.substr(0, end);
    const auto parsed = mime::parse(header);
    const auto& fields = parsed.parts.front().fields;
    const auto is_it = [&](const mime::HeaderField& field) {
        return wire::equals_ignoring_case(field.name.of(header), "TLS-Required");
    };
    const auto found = std::find_if(fields.begin(), fields.end(), is_it);
    return found != fields.end() && std::count_if(found, fields.end(), is_it) == 1 &&
           wire::equals_ignoring_case(mime::unfold(found->value.of(header)), "no");
}

}  // namespace postern::outbound

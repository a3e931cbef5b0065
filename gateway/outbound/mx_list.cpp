#include "gateway/outbound/mx_list.h"

#include "protocols/wire/text.h"

#include <algorithm>

namespace postern::outbound {

bool keep_nearer_than(std::string_view hostname, std::vector<dns::Mx>& servers) {
    const auto ours = std::find_if(servers.begin(), servers.end(), [&](const dns::Mx& each) {
        return wire::equals_ignoring_case(each.host, hostname);
    });
    if (ours == servers.end()) return false;
    const auto preference = ours->preference;
    std::erase_if(servers, [&](const dns::Mx& each) { return each.preference >= preference; });
    return true;
}

}  // namespace postern::outbound

// Which of a domain's mail servers this host may send to.
#pragma once

#include "gateway/dns/resolver.h"

#include <string_view>
#include <vector>

namespace postern::outbound {

// RFC 5321 section 5.1: of servers by preference, those that are as near as this host or farther
// go, so that a backup MX sends on to nearer ones alone. True: this host was among them.
bool keep_nearer_than(std::string_view hostname, std::vector<dns::Mx>& servers);

}  // namespace postern::outbound

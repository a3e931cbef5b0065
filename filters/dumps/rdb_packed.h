// The strings of a hash that Redis packed into one: as a zipmap (up to 2.4), a ziplist (up to 6) or
// a listpack. And its compression. Pure.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace postern::filters {

// Calls visit(entry) for each. False: damaged; some may have been visited.
using VisitPacked = std::function<void(std::string_view entry)>;
bool for_each_in_zipmap(std::string_view packed, const VisitPacked& visit);
bool for_each_in_ziplist(std::string_view packed, const VisitPacked& visit);
bool for_each_in_listpack(std::string_view packed, const VisitPacked& visit);

// LZF. False: damaged, or not exactly `size` bytes come out.
bool uncompress_lzf(std::string_view packed, std::size_t size, std::string& out);

}  // namespace postern::filters

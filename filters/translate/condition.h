// The conditions of SpamAssassin's rule files: "if (version >= 3.004002)", "ifplugin NAME".
#pragma once

#include <string>
#include <string_view>

namespace postern::filters {

// Whether rules may count on that plugin: what it does is translated, too.
bool is_known_plugin(std::string_view name);

// What comes after "if". Stands for version 4.0.1 with is_known_plugin's plugins; what cannot be
// read is false.
bool holds(std::string_view condition);

// The first plugin that a condition asks for, without "Mail::SpamAssassin::Plugin::"; empty: none.
std::string plugin_in(std::string_view condition);

}  // namespace postern::filters

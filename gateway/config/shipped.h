// Files that come with the program.
#pragma once

#include <string>

namespace postern::config {

// The starter model: in the installation or the source tree that the program stands in, else where
// the package puts it. Empty: there is none.
std::string shipped_starter_model();
// The rules: a folder, found in the same way.
std::string shipped_rules();
// The program that an ACME client runs for each challenge. Empty: there is none.
std::string shipped_acme_hook();

}  // namespace postern::config

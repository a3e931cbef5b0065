// postern acl: as in commands.h.
#pragma once

#include "appliance/cli/context.h"

namespace CLI {
class App;
}

namespace postern::cli {

void add_acl(CLI::App& app, Action& chosen);

}  // namespace postern::cli

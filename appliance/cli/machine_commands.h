// Commands about the whole machine; as in commands.h.
#pragma once

#include "appliance/cli/context.h"

namespace CLI {
class App;
}

namespace postern::cli {

void add_setup(CLI::App& app, Action& chosen);
void add_certificate(CLI::App& app, Action& chosen);
void add_backup(CLI::App& app, Action& chosen);

}  // namespace postern::cli

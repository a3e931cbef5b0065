// One function for each group of commands: adds its subcommands with options and help to `app`, and
// sets `chosen` when one of them is on the command line.
#pragma once

#include "appliance/cli/context.h"

namespace CLI {
class App;
}

namespace postern::cli {

void add_serve(CLI::App& app, Action& chosen);
void add_domain(CLI::App& app, Action& chosen);
void add_user(CLI::App& app, Action& chosen);
void add_app_password(CLI::App& app, Action& chosen);
void add_alias(CLI::App& app, Action& chosen);
void add_rewrite(CLI::App& app, Action& chosen);
void add_queue(CLI::App& app, Action& chosen);
void add_mailbox(CLI::App& app, Action& chosen);
void add_pool(CLI::App& app, Action& chosen);
void add_store(CLI::App& app, Action& chosen);
void add_train(CLI::App& app, Action& chosen);
void add_scan(CLI::App& app, Action& chosen);
void add_explain(CLI::App& app, Action& chosen);
void add_evaluate(CLI::App& app, Action& chosen);
void add_filter(CLI::App& app, Action& chosen);
void add_log(CLI::App& app, Action& chosen);
void add_doctor(CLI::App& app, Action& chosen);
void add_status(CLI::App& app, Action& chosen);
void add_config(CLI::App& app, Action& chosen);
void add_manual(CLI::App& app, Action& chosen);

}  // namespace postern::cli

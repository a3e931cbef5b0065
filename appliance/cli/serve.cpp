#include "gateway/serve/serve.h"

#include "appliance/cli/commands.h"

#include <CLI/CLI.hpp>

namespace postern::cli {

void add_serve(CLI::App& app, Action& chosen) {
    auto* serve = app.add_subcommand("serve", "Run the daemon in the foreground.");
    serve->footer(
        "Logs to standard error. When every listener is open, the log says so, the line \"ready\" "
        "goes\n"
        "to standard output, and the service manager is told.\n"
        "SIGTERM and SIGINT finish what is under way and end; SIGHUP reads the configuration,\n"
        "the rules and the certificate again.\n\n"
        "Exit status, beside those of every command:\n"
        "  70  could not end in order\n"
        "  78  the configuration was refused, or the processor lacks SSSE3 (x86-64-v2)\n"
        "  73  the data folder, the store or the certificate cannot be made or opened\n\n"
        "Example:\n"
        "  postern serve --config /etc/postern/postern.yaml");
    serve->callback(
        [&chosen] { chosen = [](Context& context) { return serve::serve(context.config); }; });
}

}  // namespace postern::cli

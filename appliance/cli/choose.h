// How a command says what runs when it is on the command line.
#pragma once

#include "appliance/cli/context.h"
#include "gateway/addresses/resolver.h"

#include <CLI/CLI.hpp>

#include <memory>
#include <string>

namespace postern::cli {

// An option's address or domain, in the form that the directory keeps (IDNA).
inline CLI::Option* in_ascii(CLI::Option* option) {
    return option->transform([](const std::string& given) {
        const bool address = given.find('@') != std::string::npos;
        return address ? addresses::ascii_address(given)
                       : addresses::ascii_address("@" + given).substr(1);
    });
}

// When `command` was parsed, `chosen` runs `run` with what the command line put into `options`.
template <class Options, class Run>
void choose(CLI::App& command, Action& chosen, const std::shared_ptr<Options>& options, Run run) {
    command.callback([&chosen, options, run] {
        chosen = [options, run](Context& context) { return run(context, *options); };
    });
}

// A subcommand of `group` that runs `run` so. The group owns it.
template <class Options, class Run>
CLI::App* add_command(CLI::App& group, const char* name, const char* help,
                      const std::shared_ptr<Options>& options, Action& chosen, Run run) {
    auto* command = group.add_subcommand(name, help);
    choose(*command, chosen, options, run);
    return command;
}

}  // namespace postern::cli

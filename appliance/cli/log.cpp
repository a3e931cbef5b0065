#include "appliance/cli/choose.h"
#include "appliance/cli/commands.h"
#include "appliance/cli/log_trace.h"
#include "appliance/cli/programs.h"
#include "appliance/cli/terminal.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <fstream>
#include <memory>

namespace postern::cli {

namespace {

struct LogOptions {
    std::string what;
    std::vector<std::string> files;
    std::string since = "-7 days";
};

Result<void> read_file(const std::string& path, const std::function<void(std::string_view)>& take) {
    std::ifstream in(path, std::ios::binary);
    if (!in) return Error{Errc::not_found, path + ": cannot be opened"};
    for (std::string line; std::getline(in, line);) take(line);
    if (in.bad()) return Error{Errc::unavailable, path + ": cannot be read"};
    return {};
}

Result<void> read_log(const LogOptions& options,
                      const std::function<void(std::string_view)>& take) {
    if (options.files.empty()) {
        return read_program({"journalctl", "--unit=postern", "--output=cat", "--quiet",
                             "--no-pager", "--since=" + options.since},
                            take);
    }
    for (const auto& file : options.files) {
        if (auto read = read_file(file, take); !read) return read;
    }
    return {};
}

std::string line_text(const logging::Line& line) {
    std::string text =
        harmless(line.value("time")) + "  " + coloured(harmless(line.value("event")), Colour::bold);
    for (const auto& [key, value] : line.fields) {
        if (key == "time" || key == "level" || key == "event" || value.empty()) continue;
        text += " " + key + "=" + harmless(value);
    }
    return text + "\n";
}

int trace(Context& context, const LogOptions& options) {
    LogTrace trace(options.what);
    auto read = read_log(options, [&](std::string_view line) { trace.look_at(line); });
    // A second time, since a session's first lines come before anybody knows its messages.
    if (read) read = read_log(options, [&](std::string_view line) { trace.gather(line); });
    if (!read) {
        return fail(read.error(), "give the log's files, as: postern log trace WHAT FILE");
    }
    if (trace.too_many()) {
        note("more than " + std::to_string(max_traced_messages) +
             " messages match, the first are shown; try a message's id");
    }
    if (trace.lines().empty()) {
        return fail(exit_failure, "nothing in the log about " + options.what,
                    "look further back with --since '-30 days'");
    }
    if (context.json) {
        auto rows = nlohmann::json::array();
        for (const auto& line : trace.lines()) {
            auto row = nlohmann::json::object();
            for (const auto& [key, value] : line.fields) row[key] = value;
            rows.push_back(std::move(row));
        }
        print_json({{"lines", std::move(rows)}});
        return exit_ok;
    }
    for (const auto& line : trace.lines()) print_styled(line_text(line));
    return exit_ok;
}

}  // namespace

void add_log(CLI::App& app, Action& chosen) {
    auto* group = app.add_subcommand("log", "Look into the log.");
    group->require_subcommand(1);
    auto options = std::make_shared<LogOptions>();
    auto* command = group->add_subcommand("trace", "Follow a message from accept to mailbox.");
    command
        ->add_option("WHAT", options->what,
                     "The id that Received and the 250 reply show, a Message-ID, or an address.")
        ->required();
    command
        ->add_option("FILE", options->files,
                     "Files with the daemon's lines, text or JSON. Default: the journal.")
        ->type_name("");
    command
        ->add_option("--since", options->since,
                     "How far back the journal is read, as journalctl takes it.")
        ->type_name("TIME")
        ->capture_default_str();
    command->footer(
        "Prints the lines of every message that matches, and those of the sessions that brought\n"
        "them: who connected, what was refused and why, the verdict, the mailbox and UID, each\n"
        "attempt at another server.\n\n"
        "Exit status: 1 when there is nothing.\n\n"
        "Example:\n"
        "  postern log trace '<20231114@example.org>'\n"
        "  postern log trace ann@example.org --since today");
    choose(*command, chosen, options, trace);
}

}  // namespace postern::cli

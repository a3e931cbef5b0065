// Man pages and shell completion, written from the commands themselves so that they cannot drift
// from what the program understands.
#include "appliance/cli/commands.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>

namespace postern::cli {

namespace {

std::vector<const CLI::App*> visible_commands(const CLI::App& app) {
    return app.get_subcommands([](const CLI::App* each) { return !each->get_group().empty(); });
}

std::vector<const CLI::Option*> visible_options(const CLI::App& app) {
    return app.get_options([](const CLI::Option* each) { return !each->get_group().empty(); });
}

// Text that roff must not take for requests or escapes.
std::string roff(std::string_view text) {
    std::string out;
    bool line_begins = true;
    for (char c : text) {
        if (line_begins && (c == '.' || c == '\'')) out += "\\&";
        if (c == '\\')
            out += "\\e";
        else if (c == '-')
            out += "\\-";
        else
            out += c;
        line_begins = c == '\n';
    }
    return out;
}

std::string upper(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return text;
}

std::string option_text(const CLI::Option& option) {
    std::string text = ".TP\n.B " + roff(option.get_name(false, true));
    if (!option.get_positional() && option.get_items_expected_max() > 0) {
        text += " \\fI" + roff(option.get_type_name()) + "\\fR";
    }
    return text + "\n" + roff(option.get_description()) + "\n";
}

std::string options_text(const CLI::App& app) {
    std::string text;
    for (const auto* option : visible_options(app)) {
        if (option->get_name() == "--help") continue;
        text += option_text(*option);
    }
    return text;
}

std::string synopsis(const CLI::App& app, const std::string& words) {
    std::string text = ".B " + roff(words) + "\n";
    if (!visible_commands(app).empty()) return text + ".I COMMAND\n";
    bool has_options = false;
    std::string positionals;
    for (const auto* option : visible_options(app)) {
        if (option->get_positional()) {
            const bool many = option->get_items_expected_max() > 1;
            positionals += " " + roff(option->get_name(true)) + (many ? "..." : "");
        } else if (option->get_name() != "--help") {
            has_options = true;
        }
    }
    if (has_options) text += "[\\fIOPTIONS\\fR]\n";
    if (!positionals.empty()) text += ".I" + positionals + "\n";
    return text;
}

// Footers are laid out by hand: kept line by line. A command without one has its parent's.
std::string footer_text(const CLI::App& app) {
    const std::string footer = app.get_footer();
    const auto* parent = app.get_parent();
    const bool inherited = parent != nullptr && parent->get_footer() == footer;
    return footer.empty() || inherited ? "" : ".PP\n.nf\n" + roff(footer) + "\n.fi\n";
}

std::string nested_text(const CLI::App& app, const std::string& words) {
    std::string text;
    for (const auto* command : visible_commands(app)) {
        const std::string name = words + " " + command->get_name();
        text += ".SS " + roff(name) + "\n" + synopsis(*command, name) + ".PP\n" +
                roff(command->get_description()) + "\n" + options_text(*command) +
                footer_text(*command) + nested_text(*command, name);
    }
    return text;
}

std::string heading(const std::string& page, const std::string& about) {
    return ".TH " + upper(roff(page)) +
           " 1 \"\" \"postern " POSTERN_VERSION "\" \"Postern manual\"\n.SH NAME\n" + roff(page) +
           " \\- " + roff(about) + "\n";
}

std::string see_also(const std::vector<const CLI::App*>& commands, const std::string& but) {
    std::string text = ".SH SEE ALSO\n";
    if (!but.empty()) text += ".BR postern (1)";
    for (const auto* command : commands) {
        if (command->get_name() == but) continue;
        if (text.back() == ')') text += ",\n";
        text += ".BR postern\\-" + roff(command->get_name()) + " (1)";
    }
    return text + "\n";
}

std::string command_page(const CLI::App& app, const CLI::App& command) {
    const std::string words = "postern " + command.get_name();
    std::string text = heading("postern-" + command.get_name(), command.get_description());
    text += ".SH SYNOPSIS\n" + synopsis(command, words);
    text += ".SH DESCRIPTION\n" + roff(command.get_description()) + "\n" + footer_text(command);
    const std::string options = options_text(command);
    if (!options.empty()) text += ".SH OPTIONS\n" + options;
    const std::string nested = nested_text(command, words);
    if (!nested.empty()) text += ".SH COMMANDS\n" + nested;
    text += ".PP\nThe options of\n.BR postern (1)\nare understood here, too.\n";
    return text + see_also(visible_commands(app), command.get_name());
}

std::string main_page(const CLI::App& app) {
    std::string text = heading("postern", app.get_description());
    text += ".SH SYNOPSIS\n.B postern\n[\\fIOPTIONS\\fR]\n.I COMMAND\n";
    text += ".SH DESCRIPTION\n" + roff(app.get_description()) + "\n" + footer_text(app);
    text += ".SH OPTIONS\n" + options_text(app) + ".SH COMMANDS\n";
    for (const auto* command : visible_commands(app)) {
        text += ".TP\n.BR postern\\-" + roff(command->get_name()) + " (1)\n" +
                roff(command->get_description()) + "\n";
    }
    text += ".SH FILES\n.TP\n.I " + std::string(default_config_file) +
            "\nThe configuration; every key is explained in the file itself.\n";
    return text + see_also(visible_commands(app), "");
}

int write_man_pages(const CLI::App& app, const std::string& folder) {
    std::error_code failure;
    std::filesystem::create_directories(folder, failure);
    const auto write = [&](const std::string& name, const std::string& text) {
        const auto path = folder + "/" + name + ".1";
        std::ofstream file(path, std::ios::trunc);
        file << text;
        file.close();
        return file ? exit_ok : fail(exit_failure, path + ": " + std::strerror(errno));
    };
    if (const int code = write("postern", main_page(app)); code != exit_ok) return code;
    for (const auto* command : visible_commands(app)) {
        const int code = write("postern-" + command->get_name(), command_page(app, *command));
        if (code != exit_ok) return code;
    }
    return exit_ok;
}

void add_words(const CLI::App& app, const std::string& path, std::string& cases) {
    std::string words = path == "postern" ? "" : "--config --json";
    for (const auto* command : visible_commands(app)) {
        words += (words.empty() ? "" : " ") + command->get_name();
        add_words(*command, path + " " + command->get_name(), cases);
    }
    for (const auto* option : visible_options(app)) {
        if (option->get_positional()) continue;
        for (const auto& name : option->get_lnames()) {
            words += (words.empty() ? "--" : " --") + name;
        }
    }
    cases += "        '" + path + "') words='" + words + "' ;;\n";
}

// Completes commands and long options; everything else is a file name.
std::string bash_completion(const CLI::App& app) {
    std::string cases;
    add_words(app, "postern", cases);
    return "# bash completion for postern: source it, or put it into\n"
           "# /usr/share/bash-completion/completions/postern\n"
           "_postern_words() {\n"
           "    case $1 in\n" +
           cases +
           "        *) return 1 ;;\n"
           "    esac\n"
           "}\n"
           "_postern() {\n"
           "    local current=${COMP_WORDS[COMP_CWORD]} path=postern words='' word i\n"
           "    for ((i = 1; i < COMP_CWORD; ++i)); do\n"
           "        word=${COMP_WORDS[i]}\n"
           "        case $word in --config) ((++i)); continue ;; -*) continue ;; esac\n"
           "        ! _postern_words \"$path $word\" || path+=\" $word\"\n"
           "    done\n"
           "    _postern_words \"$path\"\n"
           "    [[ ${COMP_WORDS[COMP_CWORD-1]} == --config ]] && words=''\n"
           "    COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
           "    [[ ${#COMPREPLY[@]} -gt 0 ]] || COMPREPLY=($(compgen -f -- \"$current\"))\n"
           "}\n"
           "complete -o filenames -F _postern postern\n";
}

}  // namespace

void add_manual(CLI::App& app, Action& chosen) {
    auto* completion = app.add_subcommand("completion", "Print the completion script for bash.");
    completion->footer(
        "Example:\n"
        "  source <(postern completion)");
    completion->callback([&app, &chosen] {
        chosen = [&app](Context&) {
            print_styled(bash_completion(app));
            return exit_ok;
        };
    });

    auto folder = std::make_shared<std::string>();
    auto* pages = app.add_subcommand("man-pages", "Write the man pages into a folder.");
    pages->group("");  // for the build of packages
    pages->add_option("FOLDER", *folder, "Made when missing.")->required();
    pages->callback([&app, &chosen, folder] {
        chosen = [&app, folder](Context&) { return write_man_pages(app, *folder); };
    });
}

}  // namespace postern::cli

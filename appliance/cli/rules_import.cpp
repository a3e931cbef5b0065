#include "appliance/cli/choose.h"
#include "appliance/cli/rules_commands.h"
#include "appliance/cli/terminal.h"
#include "filters/checks/check.h"
#include "filters/translate/spamassassin.h"
#include "gateway/config/rules_file.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <sstream>

namespace postern::cli {

namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t max_foreign_file_bytes = 64ull * 1024 * 1024;

struct RulesImportOptions {
    std::vector<std::string> paths;
    std::string output;
    std::string language = "en";
    bool list = false;
};

Result<std::vector<std::string>> files_of(const std::vector<std::string>& paths) {
    std::vector<std::string> files;
    for (const std::string& path : paths) {
        std::error_code problem;
        if (!fs::is_directory(path, problem)) {
            files.push_back(path);
            continue;
        }
        const std::size_t begin = files.size();
        for (const auto& entry : fs::directory_iterator(path, problem)) {
            if (entry.path().extension() == ".cf") files.push_back(entry.path().string());
        }
        if (problem) return Error{Errc::unavailable, path + ": cannot be listed"};
        std::sort(files.begin() + static_cast<std::ptrdiff_t>(begin), files.end());
    }
    return files;
}

Result<std::string> read_file(const std::string& path) {
    std::error_code problem;
    const auto size = fs::file_size(path, problem);
    if (problem) return Error{Errc::not_found, path + ": cannot be opened"};
    if (size > max_foreign_file_bytes) return Error{Errc::too_large, path + ": over 64 MiB"};
    std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    if (!in || !text) return Error{Errc::unavailable, path + ": cannot be read"};
    return text.str();
}

// What the filter has already: built-in checks and the configured rules, but for those that an
// earlier import wrote to the same place.
Result<std::vector<std::string>> names_in_use(const config::Config& config,
                                              const std::string& output) {
    std::vector<std::string> names;
    for (const filters::Check& each : filters::all_checks()) names.emplace_back(each.name);
    const auto configured = config::load_rules(config.filter.rules);
    if (!configured) return configured.error();
    std::set<std::string> replaced;
    std::error_code problem;
    const bool is_file = fs::is_regular_file(output, problem);  // a pipe would be waited for
    if (const auto before = config::load_rules_file(is_file ? output : "")) {
        for (const auto& rule : *before) replaced.insert(rule.name);
    }
    for (const auto& rule : *configured) {
        if (!replaced.contains(rule.name)) names.push_back(rule.name);
    }
    return names;
}

using Counts = std::map<filters::Fate, std::size_t>;

Counts counts_of(const filters::Translation& translation) {
    Counts counts;
    for (const auto& each : translation.fates) ++counts[each.fate];
    return counts;
}

nlohmann::json translation_json(const filters::Translation& translation,
                                const RulesImportOptions& options) {
    auto rules = nlohmann::json::array();
    for (const auto& each : translation.fates) {
        rules.push_back(
            {{"name", each.name}, {"outcome", to_string(each.fate)}, {"note", each.note}});
    }
    const Counts counts = counts_of(translation);
    nlohmann::json json = {{"total", translation.fates.size()},
                           {"written", translation.rules.size()},
                           {"output", options.output},
                           {"rules", std::move(rules)}};
    for (const auto fate : {filters::Fate::taken, filters::Fate::translated, filters::Fate::refused,
                            filters::Fate::unused}) {
        const auto found = counts.find(fate);
        json[to_string(fate)] = found == counts.end() ? 0 : found->second;
    }
    return json;
}

// Notes that differ in names alone are one reason.
std::string reason_of(const std::string& note) {
    if (note.starts_with("it never fires without ")) return "it never fires without rules refused";
    if (note.starts_with("it would fire on most mail ")) {
        return "it would fire on most mail without rules refused";
    }
    if (note.starts_with("without ")) return "without some symbols that there are not";
    return note.substr(0, note.find(" at \""));
}

std::string reasons(const filters::Translation& translation, filters::Fate fate) {
    std::map<std::string, std::size_t> counted;
    for (const auto& each : translation.fates) {
        if (each.fate == fate) ++counted[reason_of(each.note)];
    }
    std::vector<std::pair<std::size_t, std::string>> sorted;
    for (const auto& [reason, count] : counted) sorted.emplace_back(count, reason);
    std::sort(sorted.rbegin(), sorted.rend());
    std::string text;
    for (const auto& [count, reason] : sorted) {
        const std::string number = std::to_string(count);
        text += std::string(number.size() < 8 ? 8 - number.size() : 0, ' ') + number + "  " +
                reason + "\n";
    }
    return text;
}

std::string summary(const filters::Translation& translation) {
    Counts counts = counts_of(translation);
    using filters::Fate;
    std::string text = std::to_string(translation.fates.size()) +
                       " rules: " + std::to_string(counts[Fate::taken]) + " taken as they are, " +
                       std::to_string(counts[Fate::translated]) + " translated, " +
                       std::to_string(counts[Fate::refused]) + " refused, " +
                       std::to_string(counts[Fate::unused]) + " left out as nothing uses them\n";
    if (counts[Fate::translated] > 0)
        text += "translated:\n" + reasons(translation, Fate::translated);
    if (counts[Fate::refused] > 0) text += "refused:\n" + reasons(translation, Fate::refused);
    return text;
}

// Whole or not at all: the daemon may read the file at any moment. What is no file, as
// /dev/stdout, is written to as it is.
int write_rules(const filters::Translation& translation, const RulesImportOptions& options) {
    std::error_code problem;
    const auto kind = fs::status(options.output, problem).type();
    const bool replace = kind == fs::file_type::regular || kind == fs::file_type::not_found;
    const std::string target =
        replace ? fs::weakly_canonical(options.output, problem).string() : options.output;
    const std::string written = replace ? target + ".new" : target;
    std::ofstream out(written, std::ios::binary | std::ios::trunc);
    std::string comment = "Written by postern rules import from";
    for (const auto& path : options.paths) comment += " " + harmless(path);
    std::replace(comment.begin(), comment.end(), '\n', ' ');
    out << config::rules_to_yaml(translation.rules, comment);
    out.close();
    if (out && (!replace || ::rename(written.c_str(), target.c_str()) == 0)) return exit_ok;
    const int error = errno;
    if (replace) fs::remove(written, problem);
    return fail(exit_failure, options.output + ": " + std::strerror(error));
}

int import(Context& context, const RulesImportOptions& options) {
    const auto files = files_of(options.paths);
    if (!files) return fail(files.error());
    auto names = names_in_use(context.config, options.output);
    if (!names) return fail(exit_bad_config, names.error().text);
    filters::TranslateOptions how;
    how.symbols = std::move(*names);
    how.language = options.language;
    filters::SpamAssassinRules reader(how);
    for (const std::string& file : *files) {
        const auto text = read_file(file);
        if (!text) return fail(text.error());
        reader.read(fs::path(file).filename().string(), *text);
    }
    filters::Translation translation;
    {
        ProgressBar bar("importing", "rules");
        const auto progress = [](std::size_t done, std::size_t total, void* to) {
            static_cast<ProgressBar*>(to)->update(done, total, done);
        };
        translation = reader.finish(progress, &bar);
    }
    if (translation.fates.empty()) {
        return fail(exit_bad_data, "there is no rule in what was given",
                    "give SpamAssassin's *.cf files, or folders of them");
    }
    if (!options.output.empty()) {
        if (const int code = write_rules(translation, options); code != exit_ok) return code;
    }
    if (context.json) {
        print_json(translation_json(translation, options));
        return exit_ok;
    }
    if (options.list) {
        for (const auto& each : translation.fates) {
            print(each.name + "  " + to_string(each.fate) +
                  (each.note.empty() ? "" : ": " + each.note) + "\n");
        }
    }
    print(summary(translation));
    if (options.output.empty()) {
        note("nothing was written; name a file with --output");
    } else {
        note(std::to_string(translation.rules.size()) + " rules are in " + options.output +
             "; filter.rules in the configuration puts them in force");
    }
    return exit_ok;
}

}  // namespace

void add_rules_import(CLI::App& group, Action& chosen) {
    auto* command = group.add_subcommand("import", "Take over SpamAssassin's rules.");
    command->footer(
        "Reads header, body, rawbody, uri, full, mimeheader and meta rules with their scores and\n"
        "descriptions from .cf files, or from all *.cf of a folder, and writes them as a rule file "
        "of\n"
        "ours. What calls Perl code, asks the network or cannot be matched in linear time is "
        "refused;\n"
        "the report counts what was taken, translated and refused, and why. A name that a rule in "
        "force\n"
        "has already is not taken. Without --output it is a trial.\n\n"
        "Where a rule has four scores, the one for a filter that learns and asks no network is "
        "taken.\n\n"
        "Example:\n"
        "  postern rules import /usr/share/spamassassin --output /etc/postern/rules/sa.yaml");
    auto options = std::make_shared<RulesImportOptions>();
    command->add_option("FILE", options->paths, "Rule files, or folders of them.")->required();
    command->add_option("--output", options->output, "Write the rules to this file.")
        ->type_name("FILE");
    command->add_option("--lang", options->language, "Language of descriptions, as \"de\".")
        ->type_name("LANG");
    command->add_flag("--list", options->list, "Say of each rule what became of it.");
    choose(*command, chosen, options, import);
}

}  // namespace postern::cli

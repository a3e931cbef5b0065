#include "appliance/cli/commands.h"
#include "appliance/cli/daemon.h"
#include "appliance/cli/filter_access.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <filesystem>

namespace postern::cli {

namespace {

// What the store alone tells.
Result<void> store_facts(const config::Config& config, nlohmann::json& facts) {
    facts["data_dir"] = config.data_dir;
    std::error_code ignored;
    facts["exists"] = std::filesystem::exists(config.store_folder(), ignored);
    if (!facts["exists"]) return {};
    auto store = open_store(config, Opening::existing);
    if (!store) return store.error();
    auto domains = (*store)->directory.domains();
    if (!domains) return domains.error();
    auto users = (*store)->directory.users("");
    if (!users) return users.error();
    facts["domains"] = domains->size();
    facts["users"] = users->size();
    return {};
}

Result<void> filter_facts(const config::Config& config, nlohmann::json& facts) {
    auto models = load_models(config);
    if (!models) return models.error();
    const auto stats = (*models)->stats();
    facts["trained_ham"] = stats.ham;
    facts["trained_spam"] = stats.spam;
    facts["features"] = stats.features;
    facts["bytes"] = stats.bytes;
    return {};
}

void add_lines(std::string& text, const std::string& path, const nlohmann::json& value) {
    if (value.is_object()) {
        for (const auto& [key, child] : value.items()) {
            add_lines(text, path.empty() ? key : path + "." + key, child);
        }
        return;
    }
    text += path + ": " + (value.is_string() ? value.get<std::string>() : value.dump()) + "\n";
}

int status(Context& context) {
    nlohmann::json facts{{"version", POSTERN_VERSION}};
    const auto daemon = daemon_status(context.config);
    facts["running"] = daemon.has_value();
    if (daemon) {
        facts["daemon"] = nlohmann::json::parse(*daemon, nullptr, false);
        if (facts["daemon"].is_discarded()) {
            return fail(exit_unavailable, "the daemon's answer is not JSON",
                        "is it of the same version? see: postern --version");
        }
    }
    if (auto done = store_facts(context.config, facts["store"]); !done) return fail(done.error());
    if (daemon && facts["daemon"].contains("filter")) {
        facts["filter"] = std::move(facts["daemon"]["filter"]);
        facts["daemon"].erase("filter");
    } else if (auto done = filter_facts(context.config, facts["filter"]); !done) {
        return fail(done.error());
    }
    if (context.json) {
        print_json(facts);
    } else {
        std::string text;
        add_lines(text, "", facts);
        print(text);
    }
    return exit_ok;
}

}  // namespace

void add_status(CLI::App& app, Action& chosen) {
    auto* command = app.add_subcommand("status", "Say whether the daemon runs and what there is.");
    command->footer(
        "Works with and without a daemon: what only the daemon knows stands under \"daemon\".\n"
        "The exit status is 0 in both cases.\n\n"
        "Example:\n"
        "  postern status --json");
    command->callback([&chosen] { chosen = status; });
}

}  // namespace postern::cli

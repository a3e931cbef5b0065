// A certificate from an authority by ACME (RFC 8555), by the program uacme.
#include "appliance/cli/choose.h"
#include "appliance/cli/daemon.h"
#include "appliance/cli/file_lock.h"
#include "appliance/cli/machine_commands.h"
#include "appliance/cli/ownership.h"
#include "appliance/cli/programs.h"
#include "appliance/cli/store_access.h"
#include "gateway/config/shipped.h"
#include "gateway/net/tls.h"

#include <CLI/CLI.hpp>
#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>

namespace postern::cli {

namespace {

namespace fs = std::filesystem;

// uacme's own codes.
constexpr int issued = 0;
constexpr int still_current = 1;

struct CertificateOptions {
    bool force = false;
    bool scheduled = false;
};

std::string challenge_folder(const config::Config& config) {
    return config.acme_folder() + "/.well-known/acme-challenge";
}

// What stands in the way before anybody is asked; empty: nothing does.
std::string obstacle(const config::Config& config) {
    const auto& tls = config.tls;
    if (tls.acme.directory.empty()) {
        return "tls.acme.directory is empty: no authority was chosen";
    }
    if (!tls.certificate.empty()) {
        return "tls.certificate is set, so no authority is asked for one";
    }
    if (config.listeners.http.empty()) {
        return "listeners.http is empty: the authority asks at port 80";
    }
    if (config.hostname.find('.') == std::string::npos) {
        return config.hostname + ": no authority knows a name without a domain";
    }
    return "";
}

Result<void> make_folders(const config::Config& config) {
    std::error_code problem;
    for (const auto& folder : {challenge_folder(config), config.acme_client_folder()}) {
        fs::create_directories(folder, problem);
        if (problem) return Error{Errc::unavailable, folder + ": " + problem.message()};
    }
    fs::permissions(config.acme_client_folder(), fs::perms::owner_all, problem);
    hand_to_owner(config.data_dir);
    return {};
}

// The client's command line, as the owner of the data folder: what root writes there as root could
// be led elsewhere by a link.
std::vector<std::string> client(const config::Config& config) {
    std::vector<std::string> command;
    struct stat owner {};
    if (::geteuid() == 0 && ::stat(config.data_dir.c_str(), &owner) == 0 && owner.st_uid != 0) {
        command = {"setpriv", "--reuid=" + std::to_string(owner.st_uid),
                   "--regid=" + std::to_string(owner.st_gid), "--clear-groups", "--"};
    }
    for (const auto& word :
         {std::string("env"), "POSTERN_ACME_CHALLENGES=" + challenge_folder(config),
          std::string("uacme"), std::string("--yes"), std::string("--type=EC"),
          "--confdir=" + config.acme_client_folder(), "--acme-url=" + config.tls.acme.directory}) {
        command.push_back(word);
    }
    return command;
}

// Never through a link that lies there.
Result<void> write_anew(const std::string& path, const std::string& text) {
    ::unlink(path.c_str());
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    const bool written =
        file >= 0 && ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    if (file >= 0) ::close(file);
    if (!written) return Error{Errc::unavailable, path + ": cannot be written"};
    return {};
}

// Made once for each authority and contact; a file says for which.
Result<void> have_account(const config::Config& config) {
    const auto& acme = config.tls.acme;
    const auto wanted = acme.directory + "\n" + acme.contact + "\n";
    const auto marker = config.acme_client_folder() + "/account";
    std::ifstream file(marker, std::ios::binary);
    const std::string had(std::istreambuf_iterator<char>(file), {});
    if (had == wanted) return {};
    auto command = client(config);
    command.push_back(had.starts_with(acme.directory + "\n") ? "update" : "new");
    if (!acme.contact.empty()) command.push_back(acme.contact);
    const auto code = code_of_program(command);
    if (!code) return code.error();
    if (*code != issued) {
        return Error{Errc::unavailable, acme.directory + ": gave no account (see above)"};
    }
    return write_anew(marker, wanted);
}

// Whether there is a new one.
Result<bool> fetch(const config::Config& config, bool force) {
    if (auto done = make_folders(config); !done) return done.error();
    // The timer's and an admin's would take each other's challenges.
    const FileLock turn(config.acme_folder() + "/lock");
    if (!turn.held()) return Error{Errc::unavailable, "another renewal is under way"};
    if (auto done = have_account(config); !done) return done.error();
    const auto hook = config::shipped_acme_hook();
    if (hook.empty()) return Error{Errc::not_found, "acme-hook does not lie beside the program"};
    auto command = client(config);
    command.push_back("--hook=" + hook);
    if (force) command.push_back("--force");
    command.push_back("issue");
    command.push_back(config.hostname);
    for (const auto& name : config.tls.acme.names) command.push_back(name);
    const auto code = code_of_program(command);
    if (!code) return code.error();
    if (*code == issued || *code == still_current) return *code == issued;
    return Error{Errc::unavailable, config.tls.acme.directory + ": gave no certificate for " +
                                        config.hostname + " (see above)"};
}

int renew(Context& context, const CertificateOptions& options) {
    const auto& config = context.config;
    const auto before = obstacle(config);
    if (!before.empty()) {
        if (options.scheduled) return exit_ok;
        return fail(exit_failure, before, "docs/admin/install.md says what ACME needs");
    }
    const auto fresh = fetch(config, options.force);
    if (!fresh) {
        return fail(fresh.error(), "http://" + config.hostname +
                                       "/ must reach this machine's port 80; postern doctor looks "
                                       "at names and ports");
    }
    auto loaded = net::TlsContext::load(config.acme_certificate(), config.acme_key());
    if (!loaded) return fail(loaded.error());
    const auto days =
        std::chrono::duration_cast<std::chrono::hours>((*loaded)->expires() - now()).count() / 24;
    if (*fresh) {
        if (auto told = reload_daemon(config); !told) note("the daemon: " + told.error().text);
    }
    if (context.json) {
        print_json({{"renewed", *fresh}, {"days_left", days}, {"file", config.acme_certificate()}});
    } else {
        print(config.hostname + (*fresh ? ": a new certificate, for " : ": still good for ") +
              std::to_string(days) + " days\n");
    }
    return exit_ok;
}

}  // namespace

void add_certificate(CLI::App& app, Action& chosen) {
    auto* group = app.add_subcommand("certificate", "The certificate that an authority gives.");
    group->require_subcommand(1);
    auto options = std::make_shared<CertificateOptions>();
    auto* command = group->add_subcommand("renew", "Get it, or a new one before it ends.");
    command->add_flag("--force", options->force, "Although the one that is there is still good.");
    command->add_flag("--scheduled", options->scheduled,
                      "As the timer does: silent where no authority was chosen.");
    command->footer(
        "Asks the authority of tls.acme.directory for a certificate for the host name and\n"
        "tls.acme.names, when there is none, it is not for these names, or it ends within 30\n"
        "days; agrees to the authority's terms of service. The daemon answers the authority's\n"
        "question at port 80 (listeners.http) and takes the new certificate up without dropping\n"
        "a session. The timer postern-certificate does this every few hours.\n\n"
        "Example:\n"
        "  postern certificate renew");
    choose(*command, chosen, options, renew);
}

}  // namespace postern::cli

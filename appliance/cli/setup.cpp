#include "appliance/cli/choose.h"
#include "appliance/cli/domain_plan.h"
#include "appliance/cli/machine_commands.h"
#include "appliance/cli/questions.h"
#include "appliance/cli/setup_steps.h"
#include "appliance/cli/terminal.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <iterator>
#include <memory>

namespace postern::cli {

namespace {

struct SetupOptions {
    std::string answers;
    std::string machine;  // the root folder of the machine's own files; empty: they are left alone
    bool again = false;
};

struct Done {
    bool made_password = false;
    bool self_signed = false;
};

// One question after the other, each again until its answer will do.
template <typename Good>
Result<std::string> ask_until(const std::string& question, const std::string& preset, Good good) {
    for (;;) {
        auto line = ask_line(question, preset);
        if (!line) return line;
        const std::string complaint = good(*line);
        if (complaint.empty()) return line;
        note(complaint);
    }
}

Result<void> ask_password(config::Answers& answers) {
    note("Password of " + answers.admin + "; an empty one is made up and shown at the end.");
    for (;;) {
        const auto password = ask_new_password("Password");
        if (password) {
            answers.admin_password = *password;
            return {};
        }
        if (password.error().code == Errc::unavailable) return password.error();
        if (password.error().text.find("empty") != std::string::npos) return {};
        note(password.error().text);
    }
}

Result<config::Answers> ask(const Context& context, const SetupOptions& options) {
    config::Answers answers;
    answers.domain = "example.org";  // until it is asked for: each answer is checked alone
    answers.hostname = "mx.example.org";
    const auto field = [&answers](std::string& value, const std::string& question,
                                  const std::string& preset) -> Result<void> {
        auto line = ask_until(question, preset, [&](const std::string& text) {
            value = text;
            const auto checked = config::check_answers(answers);
            return checked ? std::string() : checked.error().text;
        });
        if (!line) return line.error();
        return {};
    };
    const auto& host = context.config.hostname;
    auto done = field(answers.hostname, "Host name, as the MX record gives it",
                      host.find('.') == std::string::npos ? "" : host);
    const auto dot = answers.hostname.find('.');
    if (done) done = field(answers.domain, "First mail domain", answers.hostname.substr(dot + 1));
    if (done) done = field(answers.admin, "Admin's address", "postmaster@" + answers.domain);
    if (done) done = ask_password(answers);
    if (done && !options.machine.empty()) {
        done = field(answers.address, "Address with prefix, or dhcp", "dhcp");
        if (done && answers.address != "dhcp") {
            done = field(answers.gateway, "Gateway", "");
        }
    }
    if (done) {
        auto certificate = ask_line(
            "Certificate, a PEM file, or acme to get one by port 80 (empty: self-signed)", "");
        if (!certificate) return certificate.error();
        answers.certificate = *certificate;
        const bool given = !certificate->empty() && !answers.by_acme();
        if (given) done = field(answers.key, "Its key, a PEM file", "");
    }
    if (done) {
        done = field(answers.backup_target,
                     "Backup, a folder or ssh:USER@HOST:/FOLDER (empty: none)", "");
    }
    if (!done) return done.error();
    return answers;
}

Result<config::Answers> gather(const Context& context, const SetupOptions& options) {
    if (options.answers.empty()) return ask(context, options);
    if (options.answers != "-") return config::load_answers(options.answers);
    const std::string text((std::istreambuf_iterator<char>(std::cin)), {});
    return config::parse_answers(text, "standard input");
}

// The order matters: what is written last says that all of it was done.
Result<Done> carry_out(const Context& context, const SetupOptions& options,
                       config::Answers& answers) {
    Done done;
    done.self_signed = answers.certificate.empty();
    if (answers.admin.empty()) answers.admin = "postmaster@" + answers.domain;
    if (answers.admin_password.empty()) {
        answers.admin_password = random_password();
        done.made_password = true;
    }
    if (auto step = place_certificate(context, answers); !step) return step.error();
    if (auto step = make_domain(context, answers); !step) return step.error();
    if (!options.machine.empty()) {
        if (auto step = write_machine_files(options.machine, answers); !step) return step.error();
    }
    if (auto step = write_setup_file(context, answers); !step) return step.error();
    return done;
}

std::vector<std::string> dns_records(const Context& context, const config::Answers& answers) {
    auto config = context.config;
    config.hostname = answers.hostname;
    std::vector<std::string> lines;
    const auto plan = plan_of(config, answers.domain);
    if (!plan) return lines;
    for (const auto& each : health::records_of(*plan)) lines.push_back(health::to_string(each));
    return lines;
}

void report(const Context& context, const config::Answers& answers, const Done& done) {
    if (context.json) {
        nlohmann::json facts{{"hostname", answers.hostname},
                             {"domain", answers.domain},
                             {"admin", answers.admin},
                             {"self_signed", done.self_signed},
                             {"acme", answers.by_acme()},
                             {"file", setup_file(context)},
                             {"dns", dns_records(context, answers)}};
        if (done.made_password) facts["password"] = answers.admin_password;
        return print_json(facts);
    }
    print("Set up: " + answers.hostname + " for " + answers.domain + ", written to " +
          setup_file(context) + "\n");
    if (done.made_password) {
        print("Password of " + answers.admin + ", shown this once: " + answers.admin_password +
              "\n");
        print("Change it with: postern user passwd " + answers.admin + "\n");
    }
    if (done.self_signed) {
        print("The certificate is self-signed; set tls.certificate and tls.key in that file.\n");
    }
    if (answers.by_acme()) {
        print("The certificate comes from " + answers.acme_directory +
              ",\nwhich asks at port 80: postern certificate renew, once the daemon runs and the "
              "names below\nare in the DNS. A timer does the same every few hours.\n");
    }
    print("\nIn the DNS, beside an A or AAAA record and a PTR record of " + answers.hostname +
          ":\n");
    for (const auto& record : dns_records(context, answers)) print("  " + record + "\n");
    print("\nNext: systemctl restart postern, and postern status\n");
}

int setup(Context& context, const SetupOptions& options) {
    std::error_code ignored;
    if (!options.again && std::filesystem::exists(setup_file(context), ignored)) {
        return fail(exit_failure, "this machine is set up already: " + setup_file(context),
                    "change that file, or start over with --again (mail and users stay)");
    }
    if (options.answers.empty() && !is_terminal(STDIN_FILENO)) {
        return fail(exit_usage, "no terminal to ask at", "give the answers with --answers FILE");
    }
    auto answers = gather(context, options);
    if (!answers) return fail(answers.error());
    if (!answers->address.empty() && options.machine.empty()) {
        note("address, gateway and name_servers are left alone: this machine has its own network");
    }
    const auto done = carry_out(context, options, *answers);
    if (!done) return fail(done.error(), "nothing listens yet; start it again when that is mended");
    report(context, *answers, *done);
    return exit_ok;
}

}  // namespace

void add_setup(CLI::App& app, Action& chosen) {
    auto options = std::make_shared<SetupOptions>();
    auto* command = app.add_subcommand("setup", "Set up a new machine, by questions or a file.");
    command->add_option("--answers", options->answers, "YAML file with the answers; - is stdin.")
        ->type_name("FILE");
    command->add_flag("--again", options->again, "Although it was set up before.");
    command->add_option("--machine", options->machine)->group("");  // for the image's first boot
    command->footer(
        "Without --answers it asks. Makes the first domain and its admin, aliases for postmaster\n"
        "and abuse, and writes host name, certificate and backup target to local.d/10-setup.yaml\n"
        "beside the configuration. All answers are checked before anything is changed. When no\n"
        "password is given, one is made up and shown once.\n\n"
        "Answers: hostname, domain, admin, admin_password, certificate, key (files or PEM texts;\n"
        "or certificate: acme), acme_directory, backup_target; the first two are needed. A\n"
        "#cloud-config file has them below postern:.\n\n"
        "Example:\n"
        "  postern setup\n"
        "  postern setup --answers answers.yaml --json");
    choose(*command, chosen, options, setup);
}

}  // namespace postern::cli

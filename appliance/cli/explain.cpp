#include "appliance/cli/commands.h"
#include "appliance/cli/filter_access.h"
#include "appliance/cli/report_text.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <memory>

namespace postern::cli {

namespace {

struct ExplainOptions {
    std::vector<std::string> paths;
    std::string user;
    std::string mailbox = "INBOX";
    Uid uid = 0;
};

void show(const Context& context, const std::string& name, const filters::Report& report) {
    if (context.json) {
        print_json(to_json(name, report));
    } else {
        print_styled(full_text(name, report));
    }
}

int explain_files(Context& context, const ExplainOptions& options) {
    auto models = load_models(context.config);
    if (!models) return fail(models.error());
    auto scanner = make_scanner(context.config, *models);
    if (!scanner) return fail(exit_bad_config, scanner.error().text);
    std::size_t judged = 0;
    auto done = judge_all(options.paths, **scanner, [&](Judged each) {
        if (!each.problem.empty()) {
            note(each.name + ": " + each.problem + "; skipped");
            return;
        }
        ++judged;
        show(context, each.name, each.report);
    });
    if (!done) return fail(done.error());
    return judged > 0 ? exit_ok : fail(exit_bad_data, "no message could be read");
}

int explain_stored(Context& context, const ExplainOptions& options) {
    auto store = open_mail(context.config, Opening::existing);
    if (!store) return fail(store.error());
    const auto user = (*store)->directory.find(options.user);
    if (!user) return fail(user.error());
    if (!user->has_value()) {
        return fail(exit_failure, options.user + ": no such user",
                    "see them with: postern user list");
    }
    const auto mailbox = (*store)->mail->find((*user)->id, options.mailbox);
    if (!mailbox) {
        return fail(mailbox.error(), "see them with: postern mailbox list " + options.user);
    }
    const std::string name =
        options.user + " " + options.mailbox + " UID " + std::to_string(options.uid);
    const auto kept = (*store)->mail->report(mailbox->id, options.uid);
    if (!kept) return fail(kept.error());
    if (kept->empty()) {
        return fail(exit_failure, name + ": no report is kept",
                    "only mail that came in through the filter has one");
    }
    const auto report = filters::decode_report(*kept);
    if (!report) return fail(report.error());
    show(context, name, *report);
    return exit_ok;
}

}  // namespace

void add_explain(CLI::App& app, Action& chosen) {
    auto* command = app.add_subcommand("explain", "Say in full why a message is judged as it is.");
    command->footer(
        "Lists every symbol with its score, description and evidence (for the learned models the\n"
        "words that moved them most) and the sum. With --user the judgement is the one that was\n"
        "made when the message arrived; with PATH it is made now.\n\n"
        "Examples:\n"
        "  postern explain message.eml\n"
        "  postern explain --user ann@example.org --mailbox Junk --uid 7");
    auto options = std::make_shared<ExplainOptions>();
    auto* path = command->add_option("PATH", options->paths, "Message file, mbox or folder.");
    auto* user =
        command->add_option("--user", options->user, "Explain a stored message of a user.");
    auto* uid = command->add_option("--uid", options->uid, "Its UID in the mailbox.");
    command->add_option("--mailbox", options->mailbox, "The mailbox it is in (INBOX).")
        ->needs(user);
    uid->needs(user);
    user->needs(uid)->excludes(path);
    command->callback([&chosen, options] {
        if (options->paths.empty() && options->user.empty()) {
            throw CLI::RequiredError("PATH, or --user with --uid");
        }
        chosen = [options](Context& context) {
            return options->user.empty() ? explain_files(context, *options)
                                         : explain_stored(context, *options);
        };
    });
}

}  // namespace postern::cli

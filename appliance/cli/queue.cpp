#include "store/queue/queue.h"

#include "appliance/cli/commands.h"
#include "appliance/cli/daemon.h"
#include "appliance/cli/store_access.h"
#include "appliance/cli/terminal.h"
#include "gateway/clock/wall_clock.h"
#include "protocols/wire/text.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <ctime>
#include <memory>

namespace postern::cli {

namespace {

struct QueueOptions {
    std::vector<std::string> ids;
    bool all = false;
    bool yes = false;
    std::string reason;
};

constexpr const char* rejected_by = "rejected by the postmaster";
constexpr std::size_t max_reject_reason_bytes = 160;  // beside `rejected_by`, in one row's reason
static_assert(std::string_view(rejected_by).size() + 2 + max_reject_reason_bytes <=
              queue::max_reason_bytes);

std::string utc(Time time) {
    const std::time_t seconds = to_unix_ms(time) / 1000;
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    char text[32];
    const auto size = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return {text, size};
}

std::string sender_of(const queue::Message& message) {
    return message.reverse_path.empty() ? "<>" : message.reverse_path;
}

nlohmann::json message_json(const queue::Message& message) {
    auto recipients = nlohmann::json::array();
    for (const auto& each : message.recipients) {
        recipients.push_back({{"address", each.address},
                              {"attempts", each.attempts},
                              {"next_attempt", utc(each.next_attempt)},
                              {"reason", each.reason}});
    }
    return {{"id", to_hex(message.id)},
            {"from", message.reverse_path},
            {"account", message.account},
            {"size", message.size},
            {"queued_at", utc(message.queued_at)},
            {"held", message.held},
            {"rejected", message.rejected},
            {"recipients", recipients}};
}

std::string state_of(const queue::Message& message, const queue::Recipient& recipient) {
    std::string text;
    if (message.rejected)
        text = "back to its sender as soon as the daemon runs";
    else if (message.held)
        text = "held until postern queue release, reject or delete";
    else if (recipient.attempts == 0)
        text = "not tried yet";
    else
        text = "tried " +
               (recipient.attempts == 1 ? "once" : std::to_string(recipient.attempts) + " times") +
               ", next at " + utc(recipient.next_attempt);
    if (!recipient.reason.empty()) text += ": " + recipient.reason;
    return text;
}

int queue_list(Context& context, const QueueOptions&) {
    auto store = open_store(context.config, Opening::existing);
    if (!store) return fail(store.error());
    std::size_t damaged = 0;
    const auto all = queue::Queue(*(*store)->kv).all(&damaged);
    if (!all) return fail(all.error());
    if (damaged > 0) note(std::to_string(damaged) + " rows of the queue cannot be read");
    if (context.json) {
        auto rows = nlohmann::json::array();
        for (const auto& message : *all) rows.push_back(message_json(message));
        print_json({{"messages", rows}});
        return exit_ok;
    }
    for (const auto& message : *all) {
        print(to_hex(message.id) + "  " + utc(message.queued_at) + "  " +
              std::to_string(message.size) + " bytes  from " + sender_of(message) + "\n");
        for (const auto& each : message.recipients) {
            print("    to " + each.address + ": " + state_of(message, each) + "\n");
        }
    }
    return exit_ok;
}

// The messages that were named by their id or its beginning.
Result<std::vector<queue::Message>> chosen_messages(queue::Queue& queue,
                                                    const QueueOptions& options) {
    auto all = queue.all();
    if (!all || options.all) return all;
    std::vector<queue::Message> out;
    for (const auto& given : options.ids) {
        const auto id = wire::lower_case(given);
        // An unset variable of a script must not stand for whatever there is.
        if (id.empty()) return Error{Errc::invalid, "an id is empty"};
        std::size_t found = 0;
        for (const auto& message : *all) {
            if (!to_hex(message.id).starts_with(id)) continue;
            out.push_back(message);
            ++found;
        }
        if (found == 0) return Error{Errc::not_found, "no message " + given + " in the queue"};
        if (found > 1) return Error{Errc::conflict, given + " is the beginning of several ids"};
    }
    return out;
}

// `edit` answers whether the message is to be counted as `done`.
int queue_change(Context& context, const QueueOptions& options, const char* done,
                 const std::function<bool(queue::Message&)>& edit) {
    auto store = open_store(context.config, Opening::existing);
    if (!store) return fail(store.error());
    queue::Queue queue(*(*store)->kv);
    const auto messages = chosen_messages(queue, options);
    if (!messages) return fail(messages.error(), "postern queue list shows them");
    std::size_t count = 0;
    for (const auto& message : *messages) {
        bool counts = false;
        const auto changed =
            queue.change(message.id, [&](queue::Message& each) { counts = edit(each); });
        if (!changed) return fail(changed.error());
        if (*changed && counts) ++count;
    }
    wake_queue(context.config);
    if (context.json)
        print_json({{done, count}});
    else
        print(std::string(done) + ": " + std::to_string(count) + "\n");
    return exit_ok;
}

int queue_show(Context& context, const QueueOptions& options) {
    auto store = open_store(context.config, Opening::existing);
    if (!store) return fail(store.error());
    queue::Queue queue(*(*store)->kv);
    const auto messages = chosen_messages(queue, options);
    if (!messages) return fail(messages.error(), "postern queue list shows them");
    constexpr std::uint64_t shown_bytes = 64 * 1024;
    for (const auto& message : *messages) {
        const auto bytes = queue.read(message, 0, shown_bytes);
        if (!bytes) return fail(bytes.error());
        if (context.json) {
            auto value = message_json(message);
            value["message"] = *bytes;
            print_json(value);
            continue;
        }
        print("id:      " + to_hex(message.id) + "\nfrom:    " + sender_of(message) +
              "\naccount: " + message.account + "\nqueued:  " + utc(message.queued_at) +
              "\nsize:    " + std::to_string(message.size) + "\n");
        for (const auto& each : message.recipients) {
            print("to:      " + each.address + ": " + state_of(message, each) + "\n");
        }
        std::string text = *bytes;
        text.erase(std::remove(text.begin(), text.end(), '\r'), text.end());
        print("\n" + text);
    }
    return exit_ok;
}

int hold(Context& context, const QueueOptions& options) {
    return queue_change(context, options, "held", [](queue::Message& message) {
        message.held = true;
        message.rejected = false;
        return true;
    });
}

bool make_due(queue::Message& message) {
    for (auto& each : message.recipients) each.next_attempt = wall_clock();
    return true;
}

// A held one stays as it is.
bool make_due_unless_held(queue::Message& message) {
    return !message.held && make_due(message);
}

int release(Context& context, const QueueOptions& options) {
    return queue_change(context, options, "released", [](queue::Message& message) {
        // While it was held nobody tried: the time until it is given up begins now.
        if (message.held) message.queued_at = wall_clock();
        message.held = message.notice_owed = message.rejected = false;
        for (auto& each : message.recipients) {
            if (each.attempts == 0) each.reason.clear();  // it was why the message was held
        }
        return make_due(message);
    });
}

int retry(Context& context, const QueueOptions& options) {
    return queue_change(context, options, "retried", make_due_unless_held);
}

int flush(Context& context, const QueueOptions&) {
    QueueOptions everything;
    everything.all = true;
    return queue_change(context, everything, "retried", make_due_unless_held);
}

int queue_remove(Context& context, const QueueOptions& options) {
    if (options.all && !options.yes && !confirm("Delete every message of the queue, unsent?")) {
        return fail(exit_usage, "nothing deleted", "say --yes where nobody can be asked");
    }
    return queue_change(context, options, "deleted", [](queue::Message& message) {
        message.recipients.clear();
        return true;
    });
}

// Why the reason cannot go into a report; empty: it can.
std::string wrong_with(const std::string& reason) {
    if (reason.size() > max_reject_reason_bytes) {
        return "the reason is longer than " + std::to_string(max_reject_reason_bytes) + " bytes";
    }
    const bool one_line = std::none_of(reason.begin(), reason.end(), [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    });
    if (!one_line) return "the reason has to be one line";
    return wire::is_utf8(reason) ? "" : "the reason is not UTF-8";
}

int reject(Context& context, const QueueOptions& options) {
    if (const auto wrong = wrong_with(options.reason); !wrong.empty()) {
        return fail(exit_usage, wrong);
    }
    if (options.all && !options.yes && !confirm("Return every message of the queue, unsent?")) {
        return fail(exit_usage, "nothing rejected", "say --yes where nobody can be asked");
    }
    const auto reason =
        rejected_by + (options.reason.empty() ? std::string() : ": " + options.reason);
    return queue_change(context, options, "rejected", [&reason](queue::Message& message) {
        message.held = message.notice_owed = false;
        message.rejected = true;
        for (auto& each : message.recipients) each.reason = reason;
        return make_due(message);
    });
}

constexpr const char* queue_footer =
    "Mail to other servers waits here until it is delivered, or given up and returned to its "
    "sender\n"
    "(outbound.give_up_after_s). A user's mail that was judged spam is held (submission.spam) "
    "until\n"
    "it is released, rejected (its sender gets it back with the reason) or deleted (its sender is\n"
    "told nothing more). Ids may be shortened to a beginning that only one has.\n"
    "\n"
    "Examples:\n"
    "  postern queue list --json\n"
    "  postern queue show 3f2a\n"
    "  postern queue hold 3f2a9c\n"
    "  postern queue reject 3f2a9c --reason \"advertising may not be sent from here\"\n"
    "  postern queue retry --all";

}  // namespace

void add_queue(CLI::App& app, Action& chosen) {
    auto* group = app.add_subcommand("queue", "Mail on its way to other servers.");
    group->require_subcommand(1);
    group->footer(queue_footer);
    auto options = std::make_shared<QueueOptions>();
    const auto command = [&](const char* name, const char* help, bool with_ids,
                             int (*run)(Context&, const QueueOptions&)) {
        auto* sub = group->add_subcommand(name, help);
        sub->callback([&chosen, options, run, with_ids, sub] {
            if (with_ids && options->ids.empty() && !options->all) {
                throw CLI::RequiredError(sub->get_name() + ": ID or --all");
            }
            chosen = [options, run](Context& context) { return run(context, *options); };
        });
        if (with_ids) {
            sub->add_option("ID", options->ids, "Id of a message, or its beginning.");
            sub->add_flag("--all", options->all, "Every message.");
        }
        return sub;
    };
    command("list", "What waits, why, and when it goes on.", false, queue_list);
    command("show", "One message with its text.", true, queue_show);
    command("hold", "Keep messages from being sent.", true, hold);
    command("release", "Send held messages after all.", true, release);
    command("retry", "Try messages now that are not held.", true, retry);
    auto* rejecting = command("reject", "Return messages to their senders, unsent.", true, reject);
    rejecting->add_option("--reason", options->reason, "What the senders are told, in one line.");
    rejecting->add_flag("--yes", options->yes, "Do not ask about --all.");
    command("delete", "Drop messages unsent; their senders are not told.", true, queue_remove)
        ->add_flag("--yes", options->yes, "Do not ask about --all.");
    command("flush", "Try everything that is not held now.", false, flush);
}

}  // namespace postern::cli

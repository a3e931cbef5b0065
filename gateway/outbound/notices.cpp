// What senders are told: reports of attempts, of mail that is held, of mail that an admin rejected.
#include "gateway/clock/wall_clock.h"
#include "gateway/log/log.h"
#include "gateway/outbound/outbound.h"
#include "gateway/outbound/retry.h"
#include "store/kv/random_id.h"

#include <algorithm>

namespace postern::outbound {

namespace {

constexpr Action every_action[] = {Action::failed, Action::delayed, Action::delivered,
                                   Action::relayed, Action::expanded};

bool may_report(const queue::Message& message) {
    // No bounce of a bounce (RFC 5321 section 4.5.5), and none to whom a spammer named as sender.
    return !message.reverse_path.empty() && !(message.spam && message.account.empty());
}

}  // namespace

// What is the same in every report on a message. Without recipients: there is no such news.
Report Outbound::report_on(const queue::Message& message, Action news,
                           const std::vector<ReportedRecipient>& reported) const {
    Report report;
    for (const auto& each : reported) {
        if (each.action == news) report.recipients.push_back(each);
    }
    report.hostname = backends_.config.get()->hostname;
    report.id = to_hex(kv::random_id());
    report.to = message.reverse_path;
    report.envelope_id = message.envelope_id;
    report.message_id = to_hex(message.id);
    report.arrived = message.queued_at;
    report.now = wall_clock();
    return report;
}

// One report for each kind of news. True: all are durable, or nobody may be told.
net::Awaitable<bool> Outbound::send_reports(const queue::Message& message,
                                            std::vector<ReportedRecipient> reported) {
    if (!may_report(message)) {
        logging::info("no report is sent", {{"id", to_hex(message.id)},
                                            {"from", message.reverse_path},
                                            {"recipients", reported.size()}});
        co_return true;
    }
    for (const auto action : every_action) {
        Report report = report_on(message, action, reported);
        if (report.recipients.empty()) continue;
        if (!message.held) {
            report.retry_until =
                message.queued_at +
                std::chrono::seconds(backends_.config.get()->outbound.give_up_after_s);
        }
        // RFC 8689 section 5: what must not be read on its way must not be so on its way back.
        report.headers_only = message.headers_only || message.require_tls;
        report.message_bytes = message.size;
        auto bytes = backends_.queue.read(message, 0, max_returned_bytes);
        if (bytes) report.message = std::move(*bytes);
        const bool sent = co_await backends_.deliver_report(
            message.reverse_path, report_text(report), message.require_tls);
        if (!sent) co_return false;
    }
    co_return true;
}

net::Awaitable<bool> Outbound::report_accepted(const queue::Message& message, std::string header,
                                               std::vector<ReportedRecipient> reported) {
    if (!may_report(message)) co_return true;
    bool all = true;
    for (const auto action : every_action) {
        Report report = report_on(message, action, reported);
        if (report.recipients.empty()) continue;
        report.headers_only = true;
        report.message = header;
        const bool sent = co_await backends_.deliver_report(
            message.reverse_path, report_text(report), message.require_tls);
        if (!sent) logging::warning("report not sent", {{"to", message.reverse_path}});
        all = all && sent;
    }
    co_return all;
}

// What a message's row says that its sender is still to be told.
net::Awaitable<void> Outbound::report_owed(OperationId id) {
    auto found = backends_.queue.find(id);
    if (found && *found) {
        if ((*found)->rejected) {
            co_await return_rejected(std::move(**found));
        } else if ((*found)->held && (*found)->notice_owed) {
            co_await report_held(std::move(**found));
        }
    }
    done_with(id);
}

net::Awaitable<void> Outbound::report_held(queue::Message message) {
    std::vector<ReportedRecipient> reported;
    for (const auto& each : message.recipients) {
        // Who wants to hear of failures alone hears of this too: without a release it is one.
        if (!is_wanted(each, smtp::notify_delay | smtp::notify_failure, true)) continue;
        reported.push_back({each.address, each.original, Action::delayed, "4.7.1",
                            "held until the postmaster releases it: " + each.reason, ""});
    }
    const bool told = reported.empty() || co_await send_reports(message, std::move(reported));
    const auto config = backends_.config.get();
    if (!told && !is_too_old(wall_clock(), message.queued_at, config->outbound)) {
        logging::warning("notice of held mail not stored, it is tried again",
                         {{"id", to_hex(message.id)}, {"to", message.reverse_path}});
        co_await put_off(message.id, notice_pause);
        co_return;
    }
    if (!told) {
        logging::warning("notice of held mail given up",
                         {{"id", to_hex(message.id)}, {"to", message.reverse_path}});
    }
    // Only now: a crash in between tells twice rather than never.
    std::function<void(queue::Message&)> edit = [](queue::Message& each) {
        each.notice_owed = false;
    };
    const auto stored = co_await change(message.id, std::move(edit));
    if (!stored) {
        logging::error("notice of held mail not marked as sent",
                       {{"id", to_hex(message.id)}, {"reason", stored.error().text}});
    }
}

net::Awaitable<void> Outbound::return_rejected(queue::Message message) {
    std::vector<ReportedRecipient> reported;
    for (const auto& each : message.recipients) {
        if (!is_wanted(each, smtp::notify_failure, true)) continue;
        reported.push_back({each.address, each.original, Action::failed, "5.7.1", each.reason, ""});
    }
    const bool told = reported.empty() || co_await send_reports(message, std::move(reported));
    if (!told) {
        logging::error("report not stored, the message waits", {{"id", to_hex(message.id)}});
        co_await put_off(message.id, report_pause);
        co_return;
    }
    for (const auto& each : message.recipients) {
        logging::info("bounced", {{"id", to_hex(message.id)},
                                  {"from", message.reverse_path},
                                  {"to", each.address},
                                  {"reply", each.reason}});
    }
    // Whoever released it meanwhile comes too late: its sender was told.
    std::function<void(queue::Message&)> drop = [](queue::Message& each) {
        each.recipients.clear();
    };
    const auto stored = co_await change(message.id, std::move(drop));
    if (!stored) {
        logging::error("rejected message not removed from the queue",
                       {{"id", to_hex(message.id)}, {"reason", stored.error().text}});
        co_return;
    }
    counters_.bounced += message.recipients.size();
}

net::Awaitable<void> Outbound::put_off(OperationId id, std::chrono::seconds pause) {
    std::function<void(queue::Message&)> edit = [until = wall_clock() + pause](auto& message) {
        for (auto& each : message.recipients) {
            each.next_attempt = std::max<Time>(each.next_attempt, until);
        }
    };
    const auto stored = co_await change(id, std::move(edit));
    if (!stored) {
        logging::error("queued message not put off",
                       {{"id", to_hex(id)}, {"reason", stored.error().text}});
    }
}

}  // namespace postern::outbound

// What one attempt makes of a message: delivered, tried again later, or back to its sender.
#include "gateway/clock/wall_clock.h"
#include "gateway/log/log.h"
#include "gateway/outbound/outbound.h"
#include "gateway/outbound/retry.h"
#include "store/kv/random_id.h"

#include <algorithm>

namespace postern::outbound {

namespace {

bool is_wanted(const queue::Recipient& recipient, std::uint8_t flag, bool by_default) {
    return recipient.notify == 0 ? by_default : (recipient.notify & flag) != 0;
}

std::string reason_text(const smtp::Reply& reply) {
    std::string text = reply.code == 0 ? "" : std::to_string(reply.code) + " ";
    if (!reply.enhanced.empty()) text += reply.enhanced + " ";
    text += reply.text;
    std::replace_if(
        text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
    return text.substr(0, queue::max_reason_bytes);
}

std::string status_of(const smtp::Reply& reply, char first) {
    if (!reply.enhanced.empty() && reply.enhanced[0] == first) return reply.enhanced;
    return std::string(1, first) + ".0.0";
}

ReportedRecipient reported_as(const queue::Recipient& recipient, Action action, std::string status,
                              const std::string& reason, const Carried& carried) {
    const auto bracket = carried.server.find('[');
    return {recipient.address,
            recipient.original,
            action,
            std::move(status),
            reason,
            carried.server.substr(0, bracket)};
}

bool may_report(const queue::Message& message) {
    // No bounce of a bounce (RFC 5321 section 4.5.5), and none to whom a spammer named as sender.
    return !message.reverse_path.empty() && !(message.spam && message.account.empty());
}

Parcel parcel_of(queue::Queue& queue, const queue::Message& message,
                 const std::vector<std::string>& addresses) {
    Parcel parcel;
    auto& out = parcel.message;
    out.reverse_path = message.reverse_path;
    out.parameters.size = message.size;
    out.parameters.body_8bit = true;
    out.parameters.smtputf8 = message.smtputf8;
    out.parameters.require_tls = message.require_tls;
    if (message.headers_only) out.parameters.ret = smtp::Return::headers;
    out.parameters.envelope_id = message.envelope_id;
    for (const auto& recipient : message.recipients) {
        const bool due =
            std::find(addresses.begin(), addresses.end(), recipient.address) != addresses.end();
        if (due)
            out.recipients.push_back({recipient.address, {recipient.notify, recipient.original}});
    }
    parcel.read = [&queue, message](std::uint64_t offset, std::uint64_t length) {
        auto bytes = queue.read(message, offset, length);
        return bytes ? std::optional<std::string>(std::move(*bytes)) : std::nullopt;
    };
    return parcel;
}

}  // namespace

// False: the destination could not be reached.
net::Awaitable<bool> Outbound::attempt(Route route, std::shared_ptr<Courier::Line>& line,
                                       Work work) {
    const auto found = backends_.queue.find(work.id);
    if (!found || !*found || (*found)->held) co_return true;
    queue::Message message = **found;
    Parcel parcel = parcel_of(backends_.queue, message, work.addresses);
    if (parcel.message.recipients.empty()) co_return true;
    work.addresses.clear();
    for (const auto& each : parcel.message.recipients) work.addresses.push_back(each.address);

    Carried carried;
    {
        std::lock_guard lock(mutex_);
        const auto& destination = destinations_[route.key()];
        if (destination.paused_until > wall_clock()) {
            carried.unreachable = true;
            carried.replies.assign(work.addresses.size(), {0, "", destination.pause_reason});
        }
    }
    const bool paused = carried.unreachable;
    if (!paused) carried = co_await backends_.courier.carry(route, line, std::move(parcel));
    if (carried.unreachable && !paused) {
        std::lock_guard lock(mutex_);
        destinations_[route.key()].pause_reason = carried.replies.front().text;
    }
    const bool reached = !carried.unreachable;
    const bool nothing_said = std::all_of(carried.replies.begin(), carried.replies.end(),
                                          [](const auto& reply) { return reply.code == 0; });
    {
        // An attempt that our own end cut short is none.
        std::lock_guard lock(mutex_);
        if (stopping_ && nothing_said) co_return true;
    }
    co_await settle(std::move(message), std::move(work), std::move(carried));
    co_return reached;
}

// Decides, tells the sender, and only then strikes recipients off: a crash in between tells twice
// rather than never.
net::Awaitable<void> Outbound::settle(queue::Message before, Work work, Carried carried) {
    const auto now = wall_clock();
    std::vector<ReportedRecipient> reported;
    queue::Message after = before;
    judge(after, work, carried, now, reported);
    const bool told = reported.empty() || co_await send_reports(before, reported);
    if (!told) {
        logging::error("report not stored, the message waits", {{"id", to_hex(before.id)}});
        const auto later = now + std::chrono::seconds(60);
        std::function<void(queue::Message&)> defer = [later](queue::Message& message) {
            for (auto& each : message.recipients) {
                each.next_attempt = std::max(each.next_attempt, later);
            }
        };
        (void)co_await change(work.id, std::move(defer));
        co_return;
    }
    std::function<void(queue::Message&)> store = [work, after](queue::Message& message) {
        std::erase_if(message.recipients, [&](queue::Recipient& each) {
            const bool tried = std::find(work.addresses.begin(), work.addresses.end(),
                                         each.address) != work.addresses.end();
            if (!tried) return false;
            const auto kept =
                std::find_if(after.recipients.begin(), after.recipients.end(),
                             [&](const auto& other) { return other.address == each.address; });
            if (kept == after.recipients.end()) return true;
            each = *kept;
            return false;
        });
    };
    const auto stored = co_await change(work.id, std::move(store));
    if (!stored) {
        logging::error("outcome of an attempt not stored",
                       {{"id", to_hex(before.id)}, {"reason", stored.error().text}});
    }
}

// Leaves in `message` those of the tried recipients that are to be tried again.
void Outbound::judge(queue::Message& message, const Work& work, const Carried& carried, Time now,
                     std::vector<ReportedRecipient>& reported) {
    const auto config = backends_.config.get();
    std::vector<queue::Recipient> kept;
    for (auto& each : message.recipients) {
        const auto at = std::find(work.addresses.begin(), work.addresses.end(), each.address);
        if (at == work.addresses.end()) continue;
        const auto& reply = carried.replies[static_cast<std::size_t>(at - work.addresses.begin())];
        const auto reason = reason_text(reply);
        const bool delivered = reply.code >= 200 && reply.code < 300;
        const bool expired = !delivered && is_too_old(now, message.queued_at, config->outbound);
        const bool refused = reply.code >= 500;
        const char* outcome = delivered ? "delivered" : refused || expired ? "bounced" : "deferred";
        logging::info(outcome, {{"id", to_hex(message.id)},
                                {"from", message.reverse_path},
                                {"to", each.address},
                                {"server", carried.server},
                                {"tls", carried.tls},
                                {"reply", reason}});
        if (delivered) {
            ++counters_.delivered;
            if (is_wanted(each, smtp::notify_success, false) && !carried.dsn_passed_on) {
                reported.push_back(
                    reported_as(each, Action::relayed, status_of(reply, '2'), reason, carried));
            }
        } else if (refused || expired) {
            ++counters_.bounced;
            if (is_wanted(each, smtp::notify_failure, true)) {
                reported.push_back(reported_as(each, Action::failed,
                                               refused ? status_of(reply, '5') : "5.4.7", reason,
                                               carried));
            }
        } else {
            ++counters_.deferred;
            ++each.attempts;
            each.reason = reason;
            each.next_attempt = next_attempt(now, each.attempts, chance(), config->outbound);
            const bool late = is_late(now, message.queued_at, config->outbound);
            if (late && !each.delay_notified && is_wanted(each, smtp::notify_delay, true)) {
                each.delay_notified = true;
                reported.push_back(
                    reported_as(each, Action::delayed, status_of(reply, '4'), reason, carried));
            }
            kept.push_back(each);
        }
    }
    message.recipients = std::move(kept);
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
    const auto config = backends_.config.get();
    for (const auto action :
         {Action::failed, Action::delayed, Action::delivered, Action::relayed}) {
        Report report;
        for (const auto& each : reported) {
            if (each.action == action) report.recipients.push_back(each);
        }
        if (report.recipients.empty()) continue;
        report.hostname = config->hostname;
        report.id = to_hex(kv::random_id());
        report.to = message.reverse_path;
        report.envelope_id = message.envelope_id;
        report.message_id = to_hex(message.id);
        report.arrived = message.queued_at;
        report.now = wall_clock();
        if (!message.held) {
            report.retry_until =
                message.queued_at + std::chrono::seconds(config->outbound.give_up_after_s);
        }
        report.headers_only = message.headers_only;
        report.message_bytes = message.size;
        auto bytes = backends_.queue.read(message, 0, max_returned_bytes);
        if (bytes) report.message = std::move(*bytes);
        const bool sent =
            co_await backends_.deliver_report(message.reverse_path, report_text(report));
        if (!sent) co_return false;
    }
    co_return true;
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
    if (!told) logging::warning("report not sent", {{"to", message.reverse_path}});
}

net::Awaitable<void> Outbound::report_delivered(const queue::Message& message, std::string header) {
    if (!may_report(message)) co_return;
    Report report;
    for (const auto& each : message.recipients) {
        report.recipients.push_back(
            {each.address, each.original, Action::delivered, "2.1.5", "", ""});
    }
    report.hostname = backends_.config.get()->hostname;
    report.id = to_hex(kv::random_id());
    report.to = message.reverse_path;
    report.envelope_id = message.envelope_id;
    report.message_id = to_hex(message.id);
    report.arrived = report.now = wall_clock();
    report.headers_only = true;
    report.message = std::move(header);
    const bool sent = co_await backends_.deliver_report(message.reverse_path, report_text(report));
    if (!sent) logging::warning("report not sent", {{"to", message.reverse_path}});
}

}  // namespace postern::outbound

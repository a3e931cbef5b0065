// What one attempt makes of a message: delivered, tried again later, or back to its sender.
#include "gateway/clock/wall_clock.h"
#include "gateway/log/log.h"
#include "gateway/outbound/outbound.h"
#include "gateway/outbound/retry.h"
#include "protocols/smtp/reply.h"

#include <algorithm>

namespace postern::outbound {

namespace {

// One line, of the server's words or of ours.
std::string words_of(const smtp::ClientReply& reply, const std::string& server) {
    std::string text;
    if (reply.by_server)
        text = std::to_string(reply.code) + " ";
    else
        text = "we could not send it" + (server.empty() ? "" : " to " + server) + ": ";
    if (!reply.enhanced.empty()) text += reply.enhanced + " ";
    text += reply.text;
    std::replace_if(
        text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
    return text;
}

// Whose words they are too.
std::string reason_text(const smtp::ClientReply& reply, const std::string& server) {
    const auto words = words_of(reply, server);
    return (reply.by_server ? server + " said: " + words : words)
        .substr(0, queue::max_reason_bytes);
}

std::string status_of(const smtp::Reply& reply, char first) {
    if (!reply.enhanced.empty() && reply.enhanced[0] == first) return reply.enhanced;
    return std::string(1, first) + ".0.0";
}

// RFC 5321 section 4.5.3.1.10: the message was too many recipients' at once.
bool is_one_too_many(const smtp::ClientReply& reply) {
    if (!reply.by_server || reply.code / 100 != 4) return false;
    return reply.enhanced == "4.5.3" || (reply.code == 452 && reply.enhanced.empty());
}

ReportedRecipient reported_as(const queue::Recipient& recipient, Action action, std::string status,
                              const smtp::ClientReply& reply, const std::string& server) {
    const auto host = server.substr(0, server.find('['));
    return {recipient.address, recipient.original,      action,
            std::move(status), words_of(reply, server), reply.by_server ? host : ""};
}

Parcel parcel_of(queue::Queue& queue, const queue::Message& message,
                 const std::vector<std::string>& addresses) {
    Parcel parcel;
    parcel.own = !message.account.empty();
    parcel.tls_waived = message.tls_waived;
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
    if (!found || !*found || (*found)->held || (*found)->rejected) co_return true;
    queue::Message message = **found;
    Parcel parcel = parcel_of(backends_.queue, message, work.addresses);
    if (parcel.message.recipients.empty()) co_return true;
    work.addresses.clear();
    for (const auto& each : parcel.message.recipients) work.addresses.push_back(each.address);

    Carried carried;
    {
        std::lock_guard lock(mutex_);
        const auto& destination = destinations_[route.key()];
        // What paused it may be the very policy that does not concern this message.
        if (destination.paused_until > wall_clock() && !message.tls_waived) {
            carried.unreachable = true;
            carried.server = destination.paused_by;
            carried.turned_away = true;
            carried.replies.assign(work.addresses.size(), destination.pause_reason);
        }
    }
    const bool paused = carried.unreachable;
    if (!paused) carried = co_await backends_.courier.carry(route, line, std::move(parcel));
    if (carried.unreachable && !paused) {
        std::lock_guard lock(mutex_);
        auto& destination = destinations_[route.key()];
        destination.pause_reason = carried.replies.front();
        destination.paused_by = carried.server;
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
        co_await put_off(work.id, report_pause);
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
            if (!message.rejected) each = *kept;  // else its reason is the admin's
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
    const bool taken_by_some =
        std::any_of(carried.replies.begin(), carried.replies.end(), smtp::is_positive);
    for (auto& each : message.recipients) {
        const auto at = std::find(work.addresses.begin(), work.addresses.end(), each.address);
        if (at == work.addresses.end()) continue;
        const auto& reply = carried.replies[static_cast<std::size_t>(at - work.addresses.begin())];
        const auto reason = reason_text(reply, carried.server);
        const bool delivered = smtp::is_positive(reply);
        const bool expired = !delivered && is_too_old(now, message.queued_at, config->outbound);
        const bool refused = reply.code >= 500 && !carried.turned_away;
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
                reported.push_back(reported_as(each, Action::relayed, status_of(reply, '2'), reply,
                                               carried.server));
            }
        } else if (refused || expired) {
            ++counters_.bounced;
            if (is_wanted(each, smtp::notify_failure, true)) {
                reported.push_back(reported_as(each, Action::failed,
                                               refused ? status_of(reply, '5') : "5.4.7", reply,
                                               carried.server));
            }
        } else {
            ++counters_.deferred;
            each.reason = reason;
            // There are fewer left: they need not wait.
            if (taken_by_some && is_one_too_many(reply)) {
                each.next_attempt = now;
            } else {
                ++each.attempts;
                each.next_attempt = next_attempt(now, each.attempts, chance(), config->outbound);
            }
            const bool late = is_late(now, message.queued_at, config->outbound);
            if (late && !each.delay_notified && is_wanted(each, smtp::notify_delay, true)) {
                each.delay_notified = true;
                reported.push_back(reported_as(each, Action::delayed, status_of(reply, '4'), reply,
                                               carried.server));
            }
            kept.push_back(each);
        }
    }
    message.recipients = std::move(kept);
}

}  // namespace postern::outbound

#include "gateway/delivery/delivery.h"

#include "gateway/clock/wall_clock.h"
#include "gateway/log/log.h"
#include "store/kv/random_id.h"

#include <chrono>
#include <utility>

namespace postern::delivery {

namespace {

constexpr std::size_t max_logged_recipients = 10;

std::string joined(const std::vector<LocalRecipient>& recipients) {
    std::string text;
    for (std::size_t i = 0; i < recipients.size() && i < max_logged_recipients; ++i) {
        text += (i == 0 ? "" : ",") + recipients[i].address;
    }
    if (recipients.size() > max_logged_recipients) {
        text += ",+" + std::to_string(recipients.size() - max_logged_recipients);
    }
    return text;
}

std::string only_recipient(const std::vector<LocalRecipient>& local,
                           const std::vector<RemoteRecipient>& remote) {
    if (local.size() + remote.size() != 1) return "";
    return local.empty() ? remote.front().address : local.front().address;
}

}  // namespace

// One message on its way.
struct Delivery::Job {
    OperationId id;
    std::string id_text;
    Arrival arrival;
    std::vector<LocalRecipient> recipients;
    std::vector<RemoteRecipient> remote;
    std::string body;
    std::chrono::steady_clock::time_point begun = std::chrono::steady_clock::now();
    Time now = wall_clock();
    Assembled message;
    std::string mailbox;  // the only one, or the first recipient's
    Uid uid = 0;          // there; 0: several copies follow
    Accepted outcome;

    mail::NewMessage new_message() {
        mail::NewMessage out{message.bytes, message.summary, message.report, Flags{}, now, {}, {}};
        out.thread_root = message.thread_root;
        out.quota = arrival.ours ? mail::QuotaRule::none : mail::QuotaRule::incoming;
        return out;
    }
};

net::Awaitable<Result<Accepted>> Delivery::accept(Arrival arrival,
                                                  std::vector<LocalRecipient> recipients,
                                                  std::vector<RemoteRecipient> remote,
                                                  std::string body) {
    Job job;
    job.id = kv::random_id();
    job.id_text = to_hex(job.id);
    job.arrival = std::move(arrival);
    job.recipients = std::move(recipients);
    job.remote = std::move(remote);
    job.body = std::move(body);
    job.message = judge(job);
    if (is_refused_spam(job)) {
        logging::warning("outgoing message refused, judged spam",
                         {{"session", job.arrival.session},
                          {"user", job.arrival.authenticated_user},
                          {"rcpt", job.remote.front().address},
                          {"reason", spam_reason(job.message.judgement)}});
        co_return Error{Errc::permission, "judged spam"};
    }

    Result<void> stored = co_await leave_out_full(job);
    // Other servers first: what is queued can be withdrawn, what lies in a mailbox cannot. A crash
    // in between sends a message that was not acknowledged; none is lost.
    if (stored && !job.remote.empty()) stored = co_await send_on(job);
    if (stored && !job.recipients.empty()) {
        const bool single = job.recipients.size() == 1;
        auto storing = single ? append_to_one(job) : accept_for_many(job);
        stored = co_await std::move(storing);
        if (!stored && !job.remote.empty()) co_await backends_.outgoing.withdraw(job.id);
    }
    if (!stored) {
        ++counters_.failed;
        logging::error("message not accepted", {{"session", job.arrival.session},
                                                {"id", job.id_text},
                                                {"from", job.arrival.reverse_path},
                                                {"rcpt", joined(job.recipients)},
                                                {"reason", stored.error().text}});
        co_return stored.error();
    }
    if (!job.remote.empty()) backends_.outgoing.stands(job.id);
    ++counters_.accepted;
    job.outcome.id = job.id_text;
    job.outcome.spam = job.message.judgement.verdict == filters::Verdict::spam;
    if (job.outcome.spam) ++counters_.spam;
    log_accepted(job);
    co_return std::move(job.outcome);
}

// Takes those without room off the recipients. Error: nobody would get it.
net::Awaitable<Result<void>> Delivery::leave_out_full(Job& job) {
    if (job.arrival.ours) co_return Result<void>();
    auto& left_out = job.outcome.left_out;
    std::vector<LocalRecipient> kept;
    for (auto& each : job.recipients) {
        Result<void> room;
        if (each.may_be_left_out) {
            room = co_await check_room(each.account, job.message.bytes->size());
        }
        const bool full = !room && (room.error().code == Errc::over_quota ||
                                    room.error().code == Errc::too_large);
        if (!full) {
            kept.push_back(std::move(each));
            continue;
        }
        logging::warning("copy left out, the mailbox is full", {{"session", job.arrival.session},
                                                                {"id", job.id_text},
                                                                {"rcpt", each.address},
                                                                {"reason", room.error().text}});
        left_out.emplace_back(std::move(each.address), room.error());
    }
    job.recipients = std::move(kept);
    const bool for_nobody = job.recipients.empty() && job.remote.empty();
    if (for_nobody) co_return left_out.front().second;
    co_return Result<void>();
}

Assembled Delivery::judge(Job& job) {
    filters::Connection connection;
    connection.client_address = job.arrival.client_address;
    connection.helo = job.arrival.helo;
    connection.reverse_path = job.arrival.reverse_path;
    for (const auto& recipient : job.recipients) connection.recipients.push_back(recipient.address);
    for (const auto& recipient : job.remote) connection.recipients.push_back(recipient.address);
    connection.authenticated = !job.arrival.authenticated_user.empty();

    const auto config = backends_.config.get();
    const Stamp stamp{config->hostname, job.id_text, only_recipient(job.recipients, job.remote),
                      job.now};
    return assemble(std::move(job.body), job.arrival, stamp,
                    [&](std::string_view bytes, const mime::Message& parsed) {
                        // Who sent a message has to see what became of it.
                        if (job.arrival.ours) return filters::Report();
                        return backends_.scan(bytes, parsed, std::move(connection), job.now);
                    });
}

// Only mail that would leave: spam for mailboxes here goes to Junk.
bool Delivery::is_refused_spam(const Job& job) {
    return !job.remote.empty() && !job.arrival.authenticated_user.empty() &&
           job.message.judgement.verdict == filters::Verdict::spam &&
           backends_.config.get()->submission.spam == "reject";
}

// A user's mail goes out as the user wrote it; other mail shows what this gateway found in it.
net::Awaitable<Result<void>> Delivery::send_on(Job& job) {
    const Assembled& message = job.message;
    const bool own = !job.arrival.authenticated_user.empty();
    const std::string& bytes = *message.bytes;
    Outgoing out;
    out.id = job.id;
    out.reverse_path = job.arrival.forwarding_path.value_or(job.arrival.reverse_path);
    out.account = job.arrival.authenticated_user;
    out.envelope_id = job.arrival.envelope_id;
    out.headers_only = job.arrival.return_headers_only;
    out.smtputf8 = job.arrival.smtputf8;
    out.require_tls = job.arrival.require_tls;
    out.spam = message.judgement.verdict == filters::Verdict::spam;
    if (own && out.spam && backends_.config.get()->submission.spam == "hold") {
        out.hold_reason = spam_reason(message.judgement);
        logging::warning("outgoing message held, judged spam", {{"session", job.arrival.session},
                                                                {"id", job.id_text},
                                                                {"user", out.account},
                                                                {"reason", out.hold_reason}});
    }
    out.recipients = job.remote;
    const bool as_written = own || job.arrival.ours;
    out.bytes = bytes.substr(message.return_path_bytes,
                             as_written ? message.received_bytes : std::string::npos);
    if (as_written) out.bytes += bytes.substr(message.fields_bytes);
    return backends_.outgoing.add(std::move(out));
}

// Junk may have been removed by its owner; INBOX is always there.
Result<mail::MailboxInfo> Delivery::target(AccountId account, filters::Verdict verdict) {
    if (verdict == filters::Verdict::spam) {
        auto junk = backends_.mail.find_special(account, mail::SpecialUse::junk);
        if (junk || junk.error().code != Errc::not_found) return junk;
    }
    return backends_.mail.find(account, "INBOX");
}

net::Awaitable<Result<mail::MailboxInfo>> Delivery::target_made_if_missing(
    AccountId account, filters::Verdict verdict) {
    auto found = target(account, verdict);
    if (found || found.error().code != Errc::not_found) co_return found;
    auto made = co_await net::from_store<void>(
        [&](mail::Done<void> done) { backends_.mail.create_account(account, std::move(done)); });
    if (!made) co_return made.error();
    co_return target(account, verdict);
}

net::Awaitable<Result<void>> Delivery::check_room(AccountId account, std::uint64_t bytes) {
    co_return co_await net::from_store<void>([&](mail::Done<void> done) {
        backends_.mail.check_room(account, bytes, mail::QuotaRule::incoming, std::move(done));
    });
}

net::Awaitable<Result<void>> Delivery::append_to_one(Job& job) {
    auto& judgement = job.message.judgement;
    // Beside recipients at other servers; what went to those is on its way already.
    if (!judgement.personal.empty()) {
        judgement = filters::report_for(judgement, job.recipients.front().address);
        job.message.report = filters::encode_report(judgement, mail::max_report_bytes);
    }
    auto mailbox =
        co_await target_made_if_missing(job.recipients.front().account, judgement.verdict);
    if (!mailbox) co_return mailbox.error();
    auto appended = co_await net::from_store<mail::Appended>([&](mail::Done<mail::Appended> done) {
        backends_.mail.append(mailbox->id, job.new_message(), job.id, std::move(done));
    });
    if (!appended) co_return appended.error();
    job.mailbox = mailbox->name;
    job.uid = appended->uid;
    ++counters_.delivered;
    co_return Result<void>();
}

net::Awaitable<Result<void>> Delivery::accept_for_many(Job& job) {
    spool::Envelope envelope{
        job.id, job.arrival.reverse_path, {}, job.now, job.message.thread_root};
    CopyReports reports;
    for (const auto& recipient : job.recipients) {
        const auto own = filters::report_for(job.message.judgement, recipient.address);
        if (own.symbols.size() != job.message.judgement.symbols.size()) {
            reports[recipient.address] = filters::encode_report(own, mail::max_report_bytes);
        }
        auto mailbox = co_await target_made_if_missing(recipient.account, own.verdict);
        if (!mailbox) co_return mailbox.error();
        if (!job.arrival.ours && !recipient.may_be_left_out) {
            auto room = co_await check_room(recipient.account, job.message.bytes->size());
            if (!room) co_return room.error();
        }
        if (job.mailbox.empty()) job.mailbox = mailbox->name;
        envelope.recipients.push_back({recipient.address, recipient.account, mailbox->id});
    }
    {
        std::lock_guard lock(mutex_);
        under_way_.insert(job.id);
    }
    auto item = co_await net::from_store<spool::Item>([&](mail::Done<spool::Item> done) {
        backends_.spool.accept(std::move(envelope), job.message.bytes, job.message.summary,
                               job.message.report, std::move(done));
    });
    if (!item) {
        std::lock_guard lock(mutex_);
        under_way_.erase(job.id);
        co_return item.error();
    }
    if (job.recipients.size() <= max_copies_at_once) {
        auto settled = co_await deliver_copies(*item, reports);
        backends_.spawn([this, id = job.id, settled = std::move(settled)] {
            return settle(id, settled);
        });
        co_return Result<void>();
    }
    backends_.spawn([this, kept = std::move(*item), reports = std::move(reports)] {
        return deliver(kept, reports);
    });
    co_return Result<void>();
}

void Delivery::log_accepted(const Job& job) {
    const auto& judgement = job.message.judgement;
    const auto* strongest = filters::strongest(judgement);
    const auto duration =
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - job.begun);
    logging::info("message accepted",
                  {{"session", job.arrival.session},
                   {"id", job.id_text},
                   {"message_id", job.message.message_id},
                   {"from", job.arrival.reverse_path},
                   {"rcpt", joined(job.recipients)},
                   {"queued", job.remote.size()},
                   {"size", job.message.bytes->size()},
                   {"verdict", filters::to_string(judgement.verdict)},
                   {"score", judgement.score},
                   {"symbol", strongest != nullptr ? std::string_view(strongest->name) : "none"},
                   {"mailbox", job.mailbox},
                   {"uid", job.uid},
                   {"duration_ms", duration.count()}});
}

}  // namespace postern::delivery

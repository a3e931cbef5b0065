#include "gateway/delivery/delivery.h"
#include "gateway/log/log.h"
#include "protocols/base/hash.h"

#include <algorithm>
#include <utility>

namespace postern::delivery {

namespace {

constexpr std::size_t pending_page = 1000;

// The same for each try of the same copy, so that a copy that arrived before a crash is not
// doubled.
OperationId copy_id(const OperationId& message, const std::string& address) {
    const auto text = to_hex(message) + address;
    const std::uint64_t halves[] = {hash64(text, 1), hash64(text, 2)};
    OperationId id;
    for (std::size_t i = 0; i < id.bytes.size(); ++i) {
        id.bytes[i] = static_cast<std::uint8_t>(halves[i / 8] >> (8 * (i % 8)));
    }
    return id;
}

const std::string& report_of(const spool::Item& item, const spool::Recipient& recipient,
                             const std::map<std::string, std::string>& reports) {
    const auto own = reports.find(recipient.address);
    return own == reports.end() ? item.report : own->second;
}

filters::Verdict verdict_of(std::string_view encoded) {
    auto report = filters::decode_report(encoded);
    return report ? report->verdict : filters::Verdict::ham;
}

}  // namespace

net::StoreCall<mail::Appended> Delivery::start_copy(const spool::Item& item,
                                                    const spool::Recipient& recipient,
                                                    MailboxId mailbox, const CopyReports& reports) {
    return net::StoreCall<mail::Appended>([&](mail::Done<mail::Appended> done) {
        mail::NewMessage message;
        message.summary = item.summary;
        message.report = report_of(item, recipient, reports);
        message.internal_date = item.envelope.accepted_at;
        message.thread_root = item.envelope.thread_root;
        backends_.mail.append_stored(mailbox, item.blob, item.size, std::move(message),
                                     copy_id(item.envelope.id, recipient.address), std::move(done));
    });
}

// True: nothing is left to do for this recipient.
net::Awaitable<bool> Delivery::finish_copy(const spool::Item& item,
                                           const spool::Recipient& recipient,
                                           Result<mail::Appended> appended,
                                           const CopyReports& reports) {
    if (!appended && appended.error().code == Errc::not_found) {
        // The mailbox went away since the message was accepted.
        auto other = target(recipient.account, verdict_of(report_of(item, recipient, reports)));
        if (other) appended = co_await start_copy(item, recipient, other->id, reports).wait();
    }
    if (appended) {
        ++counters_.delivered;
        logging::info("copy delivered", {{"id", to_hex(item.envelope.id)},
                                         {"rcpt", recipient.address},
                                         {"uid", appended->uid}});
        co_return true;
    }
    const bool gone = appended.error().code == Errc::not_found;
    logging::error(gone ? "copy dropped, the account is gone" : "copy waits",
                   {{"id", to_hex(item.envelope.id)},
                    {"rcpt", recipient.address},
                    {"reason", appended.error().text}});
    co_return gone;
}

net::Awaitable<void> Delivery::deliver(spool::Item item, CopyReports reports) {
    auto settled = co_await deliver_copies(item, reports);
    co_await settle(item.envelope.id, std::move(settled));
}

// The addresses for which nothing is left to do.
net::Awaitable<std::vector<std::string>> Delivery::deliver_copies(const spool::Item& item,
                                                                  const CopyReports& reports) {
    const auto& all = item.envelope.recipients;
    std::vector<std::string> settled;
    for (std::size_t from = 0; from < all.size(); from += max_copies_at_once) {
        const auto to = std::min(all.size(), from + max_copies_at_once);
        std::vector<net::StoreCall<mail::Appended>> started;
        for (auto i = from; i < to; ++i)
            started.push_back(start_copy(item, all[i], all[i].mailbox, reports));
        for (auto i = from; i < to; ++i) {
            auto appended = co_await started[i - from].wait();
            const bool done = co_await finish_copy(item, all[i], std::move(appended), reports);
            if (done) settled.push_back(all[i].address);
        }
    }
    co_return settled;
}

// Strikes them off; the item is under way no longer.
net::Awaitable<void> Delivery::settle(OperationId id, std::vector<std::string> addresses) {
    Result<void> struck;
    if (!addresses.empty()) {
        struck = co_await net::from_store<void>([&](mail::Done<void> done) {
            backends_.spool.settle(id, std::move(addresses), std::move(done));
        });
    }
    if (!struck) {
        logging::error("spool record stays", {{"id", to_hex(id)}, {"reason", struck.error().text}});
    }
    std::lock_guard lock(mutex_);
    under_way_.erase(id);
}

net::Awaitable<void> Delivery::deliver_pending() {
    auto items = backends_.spool.pending(pending_page);
    if (!items) {
        logging::error("spool cannot be read", {{"reason", items.error().text}});
        co_return;
    }
    std::size_t taken_up = 0;
    for (auto& item : *items) {
        {
            std::lock_guard lock(mutex_);
            if (!under_way_.insert(item.envelope.id).second) continue;
        }
        ++taken_up;
        co_await deliver(std::move(item), {});
    }
    if (taken_up > 0) logging::info("spool taken up", {{"messages", taken_up}});
}

}  // namespace postern::delivery

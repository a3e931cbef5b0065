#include "gateway/pop3_service/expiry.h"

#include "gateway/log/log.h"

#include <algorithm>
#include <chrono>
#include <string>

namespace postern::pop3_service {

namespace {

constexpr std::size_t rows_at_once = 1000;

// UIDs ascend with the time of arrival, so the first that is young enough ends the search.
Result<UidSet> older_than(mail::MailStore& mail, MailboxId mailbox, Time limit) {
    auto state = mail.state(mailbox);
    if (!state) return state.error();
    UidSet old;
    while (!state->uids.empty()) {
        const auto page = mail.rows(mailbox, state->uids, rows_at_once, false);
        if (!page) return page.error();
        for (const auto& row : *page) {
            if (row.save_date >= limit) return old;
            old.add(row.uid);
        }
        if (page->empty()) return old;
        UidSet seen;
        seen.add_range(1, page->back().uid);
        state->uids -= seen;
    }
    return old;
}

net::Awaitable<Result<void>> remove_from(mail::MailStore& mail, AccountId account,
                                         const std::string& name, Time limit) {
    const auto mailbox = mail.find(account, name);
    if (!mailbox || !mailbox->selectable) co_return Result<void>();
    const auto old = older_than(mail, mailbox->id, limit);
    if (!old) co_return old.error();
    if (old->empty()) co_return Result<void>();
    const auto removed = co_await net::from_store<UidSet>(
        [&](mail::Done<UidSet> done) { mail.expunge(mailbox->id, *old, true, std::move(done)); });
    if (!removed) co_return removed.error();
    logging::info("expired mail removed",
                  {{"account", account.value}, {"mailbox", name}, {"count", removed->size()}});
    co_return Result<void>();
}

}  // namespace

net::Awaitable<void> remove_expired(mail::MailStore& mail,
                                    directory::AccountPreferences& preferences, Time now) {
    const auto all = preferences.all();
    if (!all) {
        logging::error("expired mail not removed", {{"reason", all.error().text}});
        co_return;
    }
    for (const auto& [account, each] : *all) {
        if (each.pop3_expire_days == 0) continue;
        const Time limit = now - std::chrono::days(each.pop3_expire_days);
        for (const auto& name : each.pop3_mailboxes) {
            const auto removed = co_await remove_from(mail, account, name, limit);
            if (removed) continue;
            logging::error(
                "expired mail not removed",
                {{"account", account.value}, {"mailbox", name}, {"reason", removed.error().text}});
        }
    }
}

std::optional<std::uint32_t> shortest_expiry(directory::AccountPreferences& preferences) {
    std::optional<std::uint32_t> shortest;
    const auto all = preferences.all();
    if (!all) return shortest;
    for (const auto& [account, each] : *all) {
        if (each.pop3_expire_days == 0) continue;
        shortest = std::min(shortest.value_or(each.pop3_expire_days), each.pop3_expire_days);
    }
    return shortest;
}

}  // namespace postern::pop3_service

// Logins, and the names of mailboxes.
#include "gateway/imap_service/imap_service.h"

#include <algorithm>
#include <array>
#include <utility>

namespace postern::imap_service {

namespace {

using mail::SpecialUse;

constexpr std::array<std::pair<SpecialUse, const char*>, 5> special_uses = {{
    {SpecialUse::archive, "\\Archive"},
    {SpecialUse::drafts, "\\Drafts"},
    {SpecialUse::junk, "\\Junk"},
    {SpecialUse::sent, "\\Sent"},
    {SpecialUse::trash, "\\Trash"},
}};

std::string name_of(SpecialUse use) {
    for (const auto& [known, name] : special_uses) {
        if (known == use) return name;
    }
    return {};
}

bool same_word(std::string_view a, std::string_view b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; };
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [&](char x, char y) { return lower(x) == lower(y); });
}

std::optional<SpecialUse> special_use_of(const std::string& name) {
    if (name.empty()) return SpecialUse::none;
    for (const auto& [use, known] : special_uses) {
        if (same_word(known, name)) return use;
    }
    return std::nullopt;
}

}  // namespace

net::Awaitable<imap::Answer> ImapService::on(imap::Authenticate question) {
    auto login = co_await backends_.authenticator.check(
        session_, std::move(question.authorization_id), std::move(question.user),
        std::move(question.password));
    if (login.status == auth::LoginStatus::temporary) {
        co_return imap::Failure{"UNAVAILABLE", "Logins cannot be checked now, try again later"};
    }
    if (login.status != auth::LoginStatus::ok) {
        co_return imap::Failure{"AUTHENTICATIONFAILED", "Authentication failed"};
    }
    account_ = login.user.id;
    user_ = login.user.address;
    co_return imap::Done{};
}

net::Awaitable<imap::Answer> ImapService::on(imap::ListMailboxes) {
    auto boxes = backends_.mail.list(account_);
    if (!boxes) co_return failure(boxes.error());
    auto subscriptions = backends_.mail.subscriptions(account_);
    if (!subscriptions) co_return failure(subscriptions.error());
    imap::MailboxList answer;
    for (auto& box : *boxes) {
        std::erase(*subscriptions, box.name);
        answer.mailboxes.push_back(
            {std::move(box.name), name_of(box.special_use), box.subscribed, true, box.selectable});
    }
    for (auto& name : *subscriptions) {
        answer.mailboxes.push_back({std::move(name), {}, true, false, false});
    }
    co_return answer;
}

net::Awaitable<imap::Answer> ImapService::on(imap::CreateMailbox question) {
    const auto use = special_use_of(question.special_use);
    if (!use) co_return imap::Failure{"USEATTR", "No such special use here"};
    auto made =
        co_await net::from_store<mail::MailboxInfo>([&](mail::Done<mail::MailboxInfo> done) {
            backends_.mail.create(account_, std::move(question.name), *use, std::move(done));
        });
    if (!made) co_return failure(made.error());
    co_return imap::Done{};
}

net::Awaitable<imap::Answer> ImapService::on(imap::DeleteMailbox question) {
    auto done = co_await net::from_store<void>([&](mail::Done<void> each) {
        backends_.mail.remove(account_, std::move(question.name), std::move(each));
    });
    if (!done) co_return failure(done.error());
    co_return imap::Done{};
}

net::Awaitable<imap::Answer> ImapService::on(imap::RenameMailbox question) {
    auto done = co_await net::from_store<void>([&](mail::Done<void> each) {
        backends_.mail.rename(account_, std::move(question.from), std::move(question.to),
                              std::move(each));
    });
    if (!done) co_return failure(done.error());
    co_return imap::Done{};
}

net::Awaitable<imap::Answer> ImapService::on(imap::Subscribe question) {
    if (question.subscribed) {
        const auto box = backends_.mail.find(account_, question.name);
        if (!box) co_return failure(box.error());
    }
    auto done = co_await net::from_store<void>([&](mail::Done<void> each) {
        backends_.mail.subscribe(account_, std::move(question.name), question.subscribed,
                                 std::move(each));
    });
    if (!done) co_return failure(done.error());
    co_return imap::Done{};
}

net::Awaitable<imap::Answer> ImapService::on(imap::GetStatus question) {
    auto box = find_selectable(question.name);
    if (!box) co_return failure(box.error());
    auto status = backends_.mail.status(box->id);
    if (!status) co_return failure(status.error());
    co_return imap::StatusData{status->uid_validity, status->uid_next, status->highest_modseq,
                               status->messages,     status->unseen,   status->recent,
                               status->deleted,      status->bytes};
}

}  // namespace postern::imap_service

// Logins, and the names of mailboxes.
#include "gateway/imap_service/imap_service.h"
#include "gateway/imap_service/rows.h"

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
    co_return logged_in(login.status, std::move(login.user));
}

net::Awaitable<imap::Answer> ImapService::on(imap::ContinueAuth question) {
    auto step =
        co_await backends_.authenticator.step(session_, mechanism_, std::move(question.mechanism),
                                              std::move(question.response), question.first);
    if (step.challenge) co_return imap::AuthChallenge{std::move(*step.challenge)};
    co_return logged_in(step.status, std::move(step.user));
}

imap::Answer ImapService::logged_in(auth::LoginStatus status, directory::User user) {
    if (status == auth::LoginStatus::temporary) {
        return imap::Failure{"UNAVAILABLE", "Logins cannot be checked now, try again later"};
    }
    if (status != auth::LoginStatus::ok) {
        return imap::Failure{"AUTHENTICATIONFAILED", "Authentication failed"};
    }
    account_ = user.id;
    user_ = std::move(user.address);
    return imap::Done{};
}

net::Awaitable<imap::Answer> ImapService::on(imap::Unauthenticate) {
    selected_.reset();
    account_ = {};
    user_.clear();
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
    imap::StatusData answer{status->uid_validity,
                            status->uid_next,
                            status->highest_modseq,
                            status->messages,
                            status->unseen,
                            status->recent,
                            status->deleted,
                            status->bytes,
                            mail::mailbox_object_id(box->id),
                            0};
    if (question.deleted_bytes) {
        auto bytes = deleted_bytes(box->id);
        if (!bytes) co_return failure(bytes.error());
        answer.deleted_bytes = *bytes;
    }
    co_return answer;
}

Result<std::uint64_t> ImapService::deleted_bytes(MailboxId mailbox) {
    auto left = backends_.mail.with_flag(mailbox, SystemFlag::deleted);
    if (!left) return left.error();
    std::uint64_t sum = 0;
    while (!left->empty()) {
        const auto rows = backends_.mail.rows(mailbox, *left, max_rows, false);
        if (!rows) return rows.error();
        if (rows->empty()) break;
        for (const auto& row : *rows) sum += row.size;
        UidSet done;
        done.add_range(0, rows->back().uid);
        *left -= done;
    }
    return sum;
}

// A soft limit is the owner's; where there is none, the hard one holds.
net::Awaitable<imap::Answer> ImapService::on(imap::GetQuota question) {
    if (!question.mailbox.empty()) {
        const auto box = backends_.mail.find(account_, question.mailbox);
        if (!box) co_return failure(box.error());
    }
    auto roots = backends_.mail.quota(account_);
    if (!roots) co_return failure(roots.error());
    imap::QuotaRoots answer;
    for (auto& root : *roots) {
        const auto limit = root.soft_bytes != 0 ? root.soft_bytes : root.hard_bytes;
        if (limit != 0) answer.roots.push_back({std::move(root.name), root.used_bytes, limit});
    }
    co_return answer;
}

// Mailbox 0 holds what belongs to the account itself.
Result<MailboxId> ImapService::annotated(const std::string& mailbox) {
    if (mailbox.empty()) return MailboxId{};
    const auto box = backends_.mail.find(account_, mailbox);
    if (!box) return box.error();
    return box->id;
}

net::Awaitable<imap::Answer> ImapService::on(imap::GetAnnotations question) {
    const auto mailbox = annotated(question.mailbox);
    if (!mailbox) co_return failure(mailbox.error());
    auto found = backends_.mail.annotations(account_, *mailbox);
    if (!found) co_return failure(found.error());
    imap::Annotations answer;
    for (auto& [name, value] : *found) answer.entries.emplace_back(name, std::move(value));
    co_return answer;
}

net::Awaitable<imap::Answer> ImapService::on(imap::SetAnnotations question) {
    const auto mailbox = annotated(question.mailbox);
    if (!mailbox) co_return failure(mailbox.error());
    std::vector<mail::AnnotationChange> changes;
    for (auto& [name, value] : question.changes) {
        changes.push_back({std::move(name), std::move(value)});
    }
    auto done = co_await net::from_store<void>([&](mail::Done<void> each) {
        backends_.mail.annotate(account_, *mailbox, std::move(changes), std::move(each));
    });
    if (done) co_return imap::Done{};
    if (done.error().code == Errc::too_large) {
        co_return imap::Failure{"METADATA MAXSIZE " + std::to_string(mail::max_annotation_bytes),
                                done.error().text};
    }
    if (done.error().code == Errc::limit) {
        co_return imap::Failure{"METADATA TOOMANY", done.error().text};
    }
    co_return failure(done.error());
}

}  // namespace postern::imap_service

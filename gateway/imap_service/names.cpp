// Logins, and the names of mailboxes.
#include "gateway/imap_service/imap_service.h"
#include "gateway/imap_service/mailbox_list.h"
#include "gateway/imap_service/rows.h"

#include <algorithm>
#include <utility>

namespace postern::imap_service {

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
    watching_.reset();
    account_ = {};
    user_.clear();
    co_return imap::Done{};
}

net::Awaitable<imap::Answer> ImapService::on(imap::ListMailboxes) {
    auto names = list_names(backends_.mail, backends_.sharing, who());
    if (!names) co_return failure(names.error());
    imap::MailboxList answer;
    for (auto& name : *names) answer.mailboxes.push_back(std::move(name.listed));
    co_return answer;
}

net::Awaitable<imap::Answer> ImapService::on(imap::CreateMailbox question) {
    const auto use = special_use_of(question.special_use);
    if (!use) co_return imap::Failure{"USEATTR", "No such special use here"};
    const auto where = backends_.sharing.locate(who(), question.name);
    if (!where) co_return failure(where.error());
    if (!*where) co_return imap::Failure{"NOPERM", "You have no right to create that"};
    auto answer = co_await create_at(**where, *use);
    if (watching_) watching_->settle_names({question.name});
    co_return answer;
}

net::Awaitable<imap::Answer> ImapService::on(imap::DeleteMailbox question) {
    auto place = place_with(question.name, 'x');
    if (auto* failed = std::get_if<imap::Failure>(&place)) co_return std::move(*failed);
    const auto& found = std::get<sharing::Place>(place);
    auto done = co_await net::from_store<void>([&](mail::Done<void> each) {
        backends_.mail.remove(found.owner.id, found.box.name, std::move(each));
    });
    if (!done) co_return failure(done.error());
    log_change(found, "mailbox removed", 1);
    if (watching_) watching_->settle_names({question.name});
    co_return imap::Done{};
}

net::Awaitable<imap::Answer> ImapService::on(imap::RenameMailbox question) {
    auto place = place_with(question.from, 'x');
    if (auto* failed = std::get_if<imap::Failure>(&place)) co_return std::move(*failed);
    const auto& from = std::get<sharing::Place>(place);
    const auto to = backends_.sharing.locate(who(), question.to);
    if (!to) co_return failure(to.error());
    if (!*to) co_return imap::Failure{"NOPERM", "You have no right to create that"};
    if ((*to)->owner.id != from.owner.id) {
        co_return imap::Failure{"CANNOT", "A mailbox stays with its owner: copy its messages"};
    }
    if (!from.own) {
        const auto above = backends_.sharing.parent(from.owner, (*to)->name);
        if (!above) co_return failure(above.error());
        const auto rights = *above ? backends_.sharing.rights_of(who(), from.owner, (*above)->id)
                                   : Result<std::string>(std::string());
        if (!rights) co_return failure(rights.error());
        if (!imap::has_right(*rights, 'k')) co_return denied(from);
    }
    auto done = co_await net::from_store<void>([&](mail::Done<void> each) {
        backends_.mail.rename(from.owner.id, from.box.name, (*to)->name, std::move(each));
    });
    if (!done) co_return failure(done.error());
    if (from.own && from.box.name == "INBOX") {
        co_await copy_annotations(from.box.id, question.to);
    }
    log_change(from, "mailbox renamed", 1);
    if (watching_) watching_->settle_names({question.from, question.to});
    co_return imap::Done{};
}

net::Awaitable<imap::Answer> ImapService::on(imap::Subscribe question) {
    if (question.subscribed) {
        auto place = place_with(question.name, 'l');
        if (auto* failed = std::get_if<imap::Failure>(&place)) co_return std::move(*failed);
    }
    auto done = co_await net::from_store<void>([&](mail::Done<void> each) {
        backends_.mail.subscribe(account_, question.name, question.subscribed, std::move(each));
    });
    if (!done) co_return failure(done.error());
    if (watching_) watching_->settle_names({question.name});
    co_return imap::Done{};
}

net::Awaitable<imap::Answer> ImapService::on(imap::GetStatus question) {
    auto place = find_selectable(question.name);
    if (!place) co_return failure(place.error());
    if (!place->may('r')) co_return denied(*place);
    const auto* box = &place->box;
    auto status = backends_.mail.status(as_seen(*place));
    if (!status) co_return failure(status.error());
    auto answer = to_imap(*status, box->id);
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

// Whether there is no such mailbox, and the user could make it.
bool ImapService::could_be_own(const std::string& mailbox, const Error& why_not) {
    if (why_not.code != Errc::not_found) return false;
    const auto where = backends_.sharing.locate(who(), mailbox);
    return where && *where && (*where)->own;
}

// A soft limit is the owner's; where there is none, the hard one holds. One's own mailbox need not
// exist: told is what it would count against (RFC 9208 section 4.1.2).
net::Awaitable<imap::Answer> ImapService::on(imap::GetQuota question) {
    AccountId account = account_;
    if (!question.mailbox.empty()) {
        const auto place = backends_.sharing.find(who(), question.mailbox);
        if (place && !place->may('r')) co_return denied(*place);
        if (place) account = place->owner.id;
        if (!place && !could_be_own(question.mailbox, place.error())) {
            co_return failure(place.error());
        }
    }
    auto roots = backends_.mail.quota(account);
    if (!roots) co_return failure(roots.error());
    imap::QuotaRoots answer;
    for (auto& root : *roots) {
        const auto limit = root.soft_bytes != 0 ? root.soft_bytes : root.hard_bytes;
        if (limit == 0 && root.max_messages == 0) continue;
        answer.roots.push_back(
            {std::move(root.name), root.used_bytes, limit, root.used_messages, root.max_messages});
    }
    co_return answer;
}

// Mailbox 0 holds what belongs to the account itself. RFC 5464 section 3.3: some right to the
// mailbox's content is needed.
std::variant<MailboxId, imap::Failure> ImapService::annotated(const std::string& mailbox,
                                                              std::string_view any_right) {
    if (mailbox.empty()) return MailboxId{};
    auto place = place_with(mailbox, 'l');
    if (auto* failed = std::get_if<imap::Failure>(&place)) return std::move(*failed);
    const auto& found = std::get<sharing::Place>(place);
    const bool may = std::any_of(any_right.begin(), any_right.end(),
                                 [&](char right) { return found.may(right); });
    if (!may) return denied(found);
    return found.box.id;
}

net::Awaitable<imap::Answer> ImapService::on(imap::GetAnnotations question) {
    auto mailbox = annotated(question.mailbox, "rswip");
    if (auto* failed = std::get_if<imap::Failure>(&mailbox)) co_return std::move(*failed);
    auto found = backends_.mail.annotations(account_, std::get<MailboxId>(mailbox));
    if (!found) co_return failure(found.error());
    imap::Annotations answer;
    for (auto& [name, value] : *found) answer.entries.emplace_back(name, std::move(value));
    if (auto failed = add_own_seen(question.mailbox, answer)) co_return std::move(*failed);
    add_special_use(question.mailbox, answer);
    co_return answer;
}

// RFC 5464 section 4.1: what is known of INBOX stays with it and goes with its messages. Messages
// that are renamed already stay so, should it fail.
net::Awaitable<void> ImapService::copy_annotations(MailboxId from, const std::string& to) {
    auto found = backends_.mail.annotations(account_, from);
    const auto place = backends_.sharing.find(who(), to);
    if (!found || !place || found->empty()) co_return;
    std::vector<mail::AnnotationChange> changes;
    for (auto& [name, value] : *found) changes.push_back({name, std::move(value)});
    const auto done = co_await net::from_store<void>([&](mail::Done<void> each) {
        backends_.mail.annotate(account_, place->box.id, std::move(changes), std::move(each));
    });
    if (!done) {
        session_.log(logging::Level::warning, "annotations not copied",
                     {{"mailbox", place->box.name}, {"reason", done.error().text}});
    }
}

net::Awaitable<imap::Answer> ImapService::on(imap::SetAnnotations question) {
    if (names_own_seen(question)) co_return co_await set_own_seen(std::move(question));
    const bool shared =
        std::any_of(question.changes.begin(), question.changes.end(),
                    [](const auto& each) { return each.first.starts_with("/shared/"); });
    auto mailbox = annotated(question.mailbox, shared ? "w" : "rswip");
    if (auto* failed = std::get_if<imap::Failure>(&mailbox)) co_return std::move(*failed);
    const std::size_t asked = question.changes.size();
    if (auto failed = settle_special_use(question)) co_return std::move(*failed);
    if (asked != 0 && question.changes.empty()) co_return imap::Done{};
    std::vector<mail::AnnotationChange> changes;
    for (auto& [name, value] : question.changes) {
        changes.push_back({std::move(name), std::move(value)});
    }
    auto done = co_await net::from_store<void>([&](mail::Done<void> each) {
        backends_.mail.annotate(account_, std::get<MailboxId>(mailbox), std::move(changes),
                                std::move(each));
    });
    if (done && watching_) watching_->settle_entries(question.mailbox);
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

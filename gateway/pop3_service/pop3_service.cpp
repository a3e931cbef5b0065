#include "gateway/pop3_service/pop3_service.h"

#include "gateway/pop3_service/expiry.h"

#include <map>
#include <utility>

namespace postern::pop3_service {

namespace {

constexpr std::size_t rows_per_page = 1000;

}  // namespace

net::Awaitable<pop3::Answer> Pop3Service::answer(pop3::Authenticate question) {
    auto login = co_await backends_.authenticator.check(
        session_, std::move(question.authorization_id), std::move(question.user),
        std::move(question.password));
    co_return co_await logged_in(login.status, std::move(login.user));
}

net::Awaitable<pop3::Answer> Pop3Service::answer(pop3::ContinueAuth question) {
    auto step =
        co_await backends_.authenticator.step(session_, mechanism_, std::move(question.mechanism),
                                              std::move(question.response), question.first);
    if (step.challenge) {
        pop3::LoginAnswer answer;
        answer.challenge = std::move(step.challenge);
        co_return answer;
    }
    co_return co_await logged_in(step.status, std::move(step.user));
}

net::Awaitable<pop3::LoginAnswer> Pop3Service::logged_in(auth::LoginStatus status,
                                                         directory::User user) {
    pop3::LoginAnswer answer;
    if (status != auth::LoginStatus::ok) {
        const bool temporary = status == auth::LoginStatus::temporary;
        answer.response_code = temporary ? "SYS/TEMP" : "AUTH";
        answer.text = temporary ? "Logins cannot be checked now" : "Authentication failed";
        co_return answer;
    }
    lock_ = backends_.locks.take(user.id);
    if (!lock_) {
        answer.response_code = "IN-USE";
        answer.text = "The maildrop is in use by another POP3 session";
        co_return answer;
    }
    const auto preferences = backends_.preferences.get(user.id);
    Result<std::vector<pop3::MaildropEntry>> maildrop =
        Error{Errc::unavailable, "the preferences cannot be read"};
    if (preferences) maildrop = co_await open(user.id, preferences->pop3_mailboxes);
    if (!maildrop) {
        lock_.reset();
        session_.log(logging::Level::error, "maildrop cannot be read",
                     {{"user", user.address}, {"reason", maildrop.error().text}});
        answer.response_code = "SYS/TEMP";
        answer.text = "The maildrop cannot be read now";
        co_return answer;
    }
    answer.ok = true;
    if (preferences->pop3_expire_days > 0) answer.expire_days = preferences->pop3_expire_days;
    answer.maildrop = std::move(*maildrop);
    co_return answer;
}

net::Awaitable<Result<std::vector<pop3::MaildropEntry>>> Pop3Service::open(
    AccountId account, std::vector<std::string> mailboxes) {
    std::vector<pop3::MaildropEntry> entries;
    messages_.clear();
    for (const auto& name : mailboxes) {
        auto found = backends_.mail.find(account, name);
        const bool missing = !found ? found.error().code == Errc::not_found : !found->selectable;
        if (missing && name != "INBOX") continue;
        if (!found) co_return found.error();
        // INBOX as it always was; the validities of two mailboxes may be the same.
        const auto prefix = name == "INBOX" ? "" : std::to_string(found->id.value) + ".";
        auto added = co_await add_mailbox(found->id, prefix, entries);
        if (!added) co_return added.error();
    }
    uidls_.clear();
    co_return entries;
}

net::Awaitable<Result<void>> Pop3Service::add_mailbox(MailboxId mailbox, std::string prefix,
                                                      std::vector<pop3::MaildropEntry>& entries) {
    auto state = backends_.mail.state(mailbox);
    if (!state) co_return state.error();
    auto uidls = backends_.mail.uidls(mailbox);
    if (!uidls) co_return uidls.error();
    prefix += std::to_string(state->uid_validity) + ".";
    UidSet left = std::move(state->uids);
    while (!left.empty()) {
        auto page = backends_.mail.rows(mailbox, left, rows_per_page, false);
        if (!page) co_return page.error();
        if (page->empty()) break;
        for (const auto& row : *page) {
            messages_.push_back({mailbox, row.uid, row.blob});
            std::string uidl = prefix + std::to_string(row.uid);
            const auto own = uidls->find(row.uid);
            // Of two copies of one message the first keeps the id (RFC 1939 section 7).
            if (own != uidls->end() && uidls_.insert(own->second).second) uidl = own->second;
            entries.push_back({row.size, std::move(uidl)});
        }
        UidSet seen;
        seen.add_range(1, page->back().uid);
        left -= seen;
        co_await net::yield_core();
    }
    co_return Result<void>();
}

net::Awaitable<pop3::Answer> Pop3Service::answer(pop3::ReadMessage question) {
    pop3::MessageBytes answer;
    auto bytes =
        backends_.mail.read(messages_.at(question.index).blob, question.offset, question.length);
    if (bytes) {
        answer.ok = true;
        answer.bytes = std::move(*bytes);
    } else {
        session_.log(logging::Level::error, "stored message cannot be read",
                     {{"uid", messages_.at(question.index).uid}, {"reason", bytes.error().text}});
    }
    co_return answer;
}

net::Awaitable<pop3::Answer> Pop3Service::answer(pop3::CommitDeletions question) {
    pop3::Outcome outcome{true, ""};
    std::map<MailboxId, UidSet> by_mailbox;
    for (auto index : question.indexes) {
        const Message& message = messages_.at(index);
        by_mailbox[message.mailbox].add(message.uid);
    }
    for (const auto& [mailbox, uids] : by_mailbox) {
        auto removed = co_await net::from_store<UidSet>([&](mail::Done<UidSet> done) {
            backends_.mail.expunge(mailbox, uids, true, std::move(done));
        });
        if (removed) {
            session_.log(logging::Level::info, "messages removed", {{"count", removed->size()}});
        } else {
            session_.log(logging::Level::error, "messages not removed",
                         {{"count", uids.size()}, {"reason", removed.error().text}});
            outcome = {false, "Some messages could not be removed"};
        }
    }
    // The next session may come before this connection is closed.
    lock_.reset();
    co_return outcome;
}

net::ConversationFactory make_factory(const Backends& backends) {
    return [&backends](net::Session& session) {
        const auto config = backends.config.get();
        pop3::Config engine;
        engine.hostname = config->hostname;
        engine.tls_offered = true;
        engine.allow_plaintext_auth = config->auth.allow_plaintext;
        if (const auto shortest = shortest_expiry(backends.preferences)) {
            engine.expire_days = *shortest;
            engine.expire_varies = true;
        }
        engine.more_mechanisms = backends.authenticator.mechanisms();
        return net::make_conversation<Pop3Protocol>(
            engine, session, std::make_unique<Pop3Service>(backends, session));
    };
}

std::string refusal() {
    return "-ERR [SYS/TEMP] Too many connections, try again later\r\n";
}

}  // namespace postern::pop3_service

// What the POP3 engine asks, answered from INBOX, or the mailboxes that the account's preferences
// name, as they were at login.
//
// One service for each connection, used on its core alone. The unique id of a message is the one
// that it brought along, else "uidvalidity.uid" in decimal, with the mailbox's number before it
// outside INBOX: it stays as long as the message stays there.
#pragma once

#include "gateway/auth/authenticator.h"
#include "gateway/config/current.h"
#include "gateway/net/conversation.h"
#include "gateway/pop3_service/maildrop_locks.h"
#include "protocols/pop3/engine.h"
#include "store/directory/preferences.h"
#include "store/mail/mail_store.h"

#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

namespace postern::pop3_service {

struct Pop3Protocol {
    using Engine = pop3::Engine;
    using Config = pop3::Config;
    using Send = pop3::Send;
    using StartTls = pop3::StartTls;
    using Close = pop3::Close;
    using Log = pop3::Log;
};

struct Backends {
    const config::Current& config;
    mail::MailStore& mail;
    auth::Authenticator& authenticator;
    MaildropLocks& locks;
    directory::AccountPreferences& preferences;
};

class Pop3Service {
public:
    Pop3Service(const Backends& backends, net::Session& session)
        : backends_(backends), session_(session) {}

    net::Awaitable<pop3::Answer> answer(pop3::Authenticate question);
    net::Awaitable<pop3::Answer> answer(pop3::ContinueAuth question);
    net::Awaitable<pop3::Answer> answer(pop3::ReadMessage question);
    net::Awaitable<pop3::Answer> answer(pop3::CommitDeletions question);

private:
    struct Message {
        MailboxId mailbox;
        Uid uid;
        BlobId blob;
    };

    net::Awaitable<pop3::LoginAnswer> logged_in(auth::LoginStatus status, directory::User user);
    net::Awaitable<Result<std::vector<pop3::MaildropEntry>>> open(
        AccountId account, std::vector<std::string> mailboxes);
    net::Awaitable<Result<void>> add_mailbox(MailboxId mailbox, std::string prefix,
                                             std::vector<pop3::MaildropEntry>& entries);

    const Backends& backends_;
    net::Session& session_;
    auth::MechanismSession mechanism_;
    std::unique_ptr<MaildropLocks::Lock> lock_;
    std::vector<Message> messages_;
    std::unordered_set<std::string> uidls_;  // while opening: those that messages brought along
};

net::ConversationFactory make_factory(const Backends& backends);

// The line for a connection over the limits.
std::string refusal();

}  // namespace postern::pop3_service

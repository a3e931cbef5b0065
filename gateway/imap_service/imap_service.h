// What the IMAP engine asks, answered from the mail store.
//
// One service for each connection, used on its core alone. Searches that need more than bitmaps,
// and the learning of messages moved into or out of Junk, run on a pool; changes of the selected
// mailbox by any session or delivery wake this one through the store's watch.
#pragma once

#include "gateway/auth/authenticator.h"
#include "gateway/config/current.h"
#include "gateway/delivery/delivery.h"
#include "gateway/imap_service/search.h"
#include "gateway/imap_service/sort_cache.h"
#include "gateway/imap_service/watching.h"
#include "gateway/learning/learning.h"
#include "gateway/limits/inflight_budget.h"
#include "gateway/net/conversation.h"
#include "gateway/net/work_pool.h"
#include "gateway/search_index/search_index.h"
#include "gateway/sharing/sharing.h"
#include "protocols/imap/engine.h"
#include "store/mail/mail_store.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace postern::imap_service {

struct ImapProtocol {
    using Engine = imap::Engine;
    using Config = imap::Config;
    using Send = imap::Send;
    using StartTls = imap::StartTls;
    using StartCompression = imap::StartCompression;
    using Close = imap::Close;
    using Log = imap::Log;
};

struct Backends {
    const config::Current& config;
    mail::MailStore& mail;
    auth::Authenticator& authenticator;
    learning::Learning& learning;
    net::WorkPool& pool;  // not the one that logins wait for
    limits::InflightBudget& budget;
    sharing::Sharing& sharing;
    search_index::SearchIndex* search_index = nullptr;  // none: searches read each message
    // How often the client hears of a search or a copy that takes long (RFC 9585).
    std::chrono::milliseconds progress_interval{10'000};
    std::shared_ptr<SortCache> sorts = std::make_shared<SortCache>();
};

class ImapService {
public:
    ImapService(const Backends& backends, net::Session& session)
        : backends_(backends), session_(session), share_(backends.budget) {}
    ~ImapService();
    ImapService(const ImapService&) = delete;
    ImapService& operator=(const ImapService&) = delete;

    net::Awaitable<imap::Answer> answer(imap::Question question);
    void take(imap::AppendChunk chunk);
    void take(imap::AppendNext next);
    void take(imap::DiscardAppend);
    Result<std::string> read(const imap::SendBlob& body, std::uint64_t offset,
                             std::uint64_t length);
    // Something may have happened to the selected mailbox or to what NOTIFY watches.
    bool woken() const { return selected_.has_value() || watching_ != nullptr; }

private:
    // What the engine was told of the selected mailbox.
    struct Selected {
        sharing::Place place;
        bool read_only = false;
        ModSeq modseq = 0;
        Uid uid_next = 1;
        UidSet uids;
        UidSet recent;  // taken, not yet told
        std::shared_ptr<void> watch;
    };

    // A whole message of an APPEND.
    struct Pending {
        std::shared_ptr<const std::string> bytes;
        Flags flags;
        std::optional<Time> internal_date;
    };

    // names.cpp
    net::Awaitable<imap::Answer> on(imap::Authenticate question);
    net::Awaitable<imap::Answer> on(imap::ContinueAuth question);
    net::Awaitable<imap::Answer> on(imap::Unauthenticate question);
    net::Awaitable<imap::Answer> on(imap::ListMailboxes question);
    net::Awaitable<imap::Answer> on(imap::CreateMailbox question);
    net::Awaitable<imap::Answer> on(imap::DeleteMailbox question);
    net::Awaitable<imap::Answer> on(imap::RenameMailbox question);
    net::Awaitable<imap::Answer> on(imap::Subscribe question);
    net::Awaitable<imap::Answer> on(imap::GetStatus question);
    bool could_be_own(const std::string& mailbox, const Error& why_not);
    net::Awaitable<imap::Answer> on(imap::GetQuota question);
    net::Awaitable<imap::Answer> on(imap::GetAnnotations question);
    net::Awaitable<imap::Answer> on(imap::SetAnnotations question);
    // notify.cpp
    net::Awaitable<imap::Answer> on(imap::Watch question);
    net::Awaitable<imap::Answer> on(imap::GetNews question);
    void leave_selected();
    // own_seen.cpp
    static bool names_own_seen(const imap::SetAnnotations& question);
    net::Awaitable<imap::Answer> set_own_seen(imap::SetAnnotations question);
    std::optional<imap::Failure> add_own_seen(const std::string& name, imap::Annotations& answer);
    net::Awaitable<void> copy_annotations(MailboxId from, const std::string& to);
    // special_use.cpp
    std::string special_use_in(const std::string& mailbox);
    void add_special_use(const std::string& mailbox, imap::Annotations& answer);
    std::optional<imap::Failure> settle_special_use(imap::SetAnnotations& question);
    // shared.cpp
    net::Awaitable<imap::Answer> on(imap::GetAcl question);
    net::Awaitable<imap::Answer> on(imap::GetRights question);
    net::Awaitable<imap::Answer> on(imap::GetGrantable question);
    net::Awaitable<imap::Answer> on(imap::SetAcl question);
    net::Awaitable<imap::Answer> create_at(sharing::Location where, mail::SpecialUse use);
    sharing::Who who() const { return {account_, user_}; }
    mail::Viewed as_seen(const sharing::Place& place) const { return {place.box.id, account_}; }
    static imap::Failure denied(const sharing::Place& place);
    Result<sharing::Place> find_selectable(const std::string& name);
    std::variant<sharing::Place, imap::Failure> place_with(const std::string& name, char right);
    Result<std::string> selected_rights();
    // nullopt: the user has that right to the selected mailbox.
    std::optional<imap::Failure> refused(char right);
    // A line for the owner and the admin: who did what in a mailbox of somebody else.
    void log_change(const sharing::Place& place, std::string_view what, std::uint64_t messages);
    // selected.cpp
    net::Awaitable<imap::Answer> on(imap::OpenMailbox question);
    net::Awaitable<imap::Answer> on(imap::CloseMailbox question);
    net::Awaitable<imap::Answer> on(imap::Refresh question);
    net::Awaitable<imap::Answer> on(imap::GetHistory question);
    net::Awaitable<imap::Answer> on(imap::FindMessage question);
    net::Awaitable<imap::Answer> on(imap::FetchRows question);
    net::Awaitable<imap::Answer> on(imap::ReadBlob question);
    net::Awaitable<imap::Answer> on(imap::GoOn question);
    // searching.cpp
    net::Awaitable<imap::Answer> on(imap::Search question);
    net::Awaitable<imap::Answer> on(imap::Sort question);
    net::Awaitable<imap::Answer> on(imap::Thread question);
    template <class Found>
    net::Awaitable<imap::Answer> run_slowly(std::function<Result<Found>(SearchProgress&)> job);
    template <class Found>
    net::Awaitable<imap::Answer> found_in(net::StoreCall<Found> call,
                                          std::shared_ptr<SearchProgress> progress);
    // changes.cpp
    net::Awaitable<imap::Answer> on(imap::CheckAppend question);
    net::Awaitable<imap::Answer> on(imap::AppendMessage question);
    net::Awaitable<imap::Answer> on(imap::StoreFlags question);
    net::Awaitable<imap::Answer> on(imap::CopyMessages question);
    // `expected`: how many; else the copies go again. nullopt: as many as there were.
    net::Awaitable<imap::Answer> copied_by(net::StoreCall<mail::Copied> call, sharing::Place to,
                                           bool move, std::optional<std::size_t> expected);
    net::Awaitable<imap::Answer> on(imap::ExpungeMessages question);

    net::Awaitable<Result<std::vector<imap::FlagNews>>> stored_news(
        std::vector<std::pair<Uid, Flags>> flags, bool with_modseq);
    Result<std::map<Uid, Flags>> known_flags(const UidSet& uids);
    // Errors: invalid (NUL where it cannot be), unavailable.
    net::Awaitable<Result<mail::NewMessage>> prepare(Pending pending);
    // All or none.
    net::Awaitable<Result<std::vector<mail::Appended>>> append_all(
        mail::Viewed mailbox, std::vector<mail::NewMessage> messages, mail::Replaced replaced);
    net::Awaitable<Result<void>> take_back(MailboxId mailbox, UidSet uids);
    net::Awaitable<void> learn_from(const sharing::Place& to, std::vector<Uid> uids);
    net::Awaitable<Result<mail::FlagResult>> change_flags(UidSet uids, mail::FlagChange change);
    net::Awaitable<Result<mail::FlagResult>> replace_flags(UidSet uids, mail::FlagChange change,
                                                           const std::string& rights);
    net::Awaitable<void> drop_flags(const sharing::Place& place, std::vector<Uid> uids);
    Result<std::uint64_t> deleted_bytes(MailboxId mailbox);
    std::variant<MailboxId, imap::Failure> annotated(const std::string& mailbox,
                                                     std::string_view any_right);
    net::Awaitable<Result<UidSet>> take_recent(MailboxId mailbox);
    imap::Answer logged_in(auth::LoginStatus status, directory::User user);
    imap::Failure failure(const Error& error);

    const Backends& backends_;
    net::Session& session_;
    AccountId account_;
    std::string user_;
    auth::MechanismSession mechanism_;
    std::optional<Selected> selected_;
    // Waits on for what was answered with Progress.
    std::function<net::Awaitable<imap::Answer>()> going_on_;
    std::shared_ptr<Watching> watching_;  // nullptr: NOTIFY watches nothing

    std::vector<Pending> append_messages_;
    std::string append_bytes_;
    bool append_refused_ = false;
    limits::InflightBudget::Share share_;
    std::shared_ptr<std::atomic<bool>> gone_ = std::make_shared<std::atomic<bool>>(false);
};

// For a listener. `backends` must outlive the server.
net::ConversationFactory make_factory(const Backends& backends);

// The line for a connection over the limits.
std::string refusal();

}  // namespace postern::imap_service

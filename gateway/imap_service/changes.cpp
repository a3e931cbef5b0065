// What changes mailboxes: appending, flags, copies and moves, expunging.
#include "gateway/imap_service/imap_service.h"
#include "gateway/imap_service/junk.h"
#include "protocols/mime/summary.h"
#include "protocols/mime/thread.h"
#include "store/kv/random_id.h"

#include <chrono>
#include <utility>

namespace postern::imap_service {

namespace {

// Larger messages are parsed on the pool: on the core it would take some milliseconds.
constexpr std::size_t parsed_on_core_bytes = 256 * 1024;
constexpr int max_learn_tries = 100;
constexpr std::chrono::milliseconds learn_retry_delay{50};

Time now() {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(
        std::chrono::system_clock::now());
}

imap::Failure none_selected() {
    return {"CLIENTBUG", "No mailbox is selected"};
}

imap::Failure read_only() {
    return {"READ-ONLY", "The mailbox was opened read-only"};
}

struct Computed {
    std::string summary;
    std::string thread_root;
};

Computed compute(const std::string& bytes) {
    const auto parsed = mime::parse(bytes);
    Computed out{mime::encode_summary(mime::summarize(parsed, bytes)),
                 mime::thread_root(parsed, bytes)};
    if (out.summary.size() > mail::max_summary_bytes) out.summary.clear();
    return out;
}

}  // namespace

void ImapService::take(imap::AppendChunk chunk) {
    append_refused_ = append_refused_ || !share_.grow(chunk.bytes.size());
    if (append_refused_) return;
    if (append_bytes_.empty()) {
        append_bytes_ = std::move(chunk.bytes);
    } else {
        append_bytes_ += chunk.bytes;
    }
}

void ImapService::take(imap::DiscardAppend) {
    append_bytes_ = {};
    append_refused_ = false;
    share_.reset();
}

net::Awaitable<imap::Answer> ImapService::on(imap::CheckAppend question) {
    take(imap::DiscardAppend{});
    auto box = find_selectable(question.name);
    if (!box) co_return failure(box.error());
    auto space = co_await net::from_store<void>([&](mail::Done<void> done) {
        backends_.mail.check_room(account_, question.size, mail::QuotaRule::user, std::move(done));
    });
    if (!space) co_return failure(space.error());
    // Only asked, so that the client does not send in vain; the bytes are counted as they come.
    const bool room = share_.grow(question.size);
    share_.reset();
    if (!room) co_return imap::Failure{"UNAVAILABLE", "Too much mail at once, try again later"};
    co_return imap::Done{};
}

net::Awaitable<imap::Answer> ImapService::on(imap::AppendMessage question) {
    const bool refused = append_refused_;
    auto bytes = std::make_shared<const std::string>(std::exchange(append_bytes_, {}));
    append_refused_ = false;
    if (refused) {
        share_.reset();
        co_return imap::Failure{"UNAVAILABLE", "Too much mail at once, try again later"};
    }
    auto box = find_selectable(question.name);
    if (!box) co_return failure(box.error());
    mail::NewMessage message;
    message.bytes = bytes;
    message.flags = std::move(question.flags);
    message.internal_date = question.internal_date.value_or(now());
    std::optional<Computed> computed;
    if (bytes->size() <= parsed_on_core_bytes) {
        computed = compute(*bytes);
    } else {
        auto job = [bytes] { return compute(*bytes); };
        computed = co_await backends_.pool.run(std::move(job));
    }
    if (computed) {
        message.summary = std::move(computed->summary);
        message.thread_root = std::move(computed->thread_root);
    }
    auto appended = co_await net::from_store<mail::Appended>([&](mail::Done<mail::Appended> done) {
        backends_.mail.append(box->id, std::move(message), kv::random_id(), std::move(done));
    });
    share_.reset();
    if (!appended) co_return failure(appended.error());
    co_return imap::AppendDone{appended->uid_validity, appended->uid};
}

net::Awaitable<imap::Answer> ImapService::on(imap::StoreFlags question) {
    if (!selected_) co_return none_selected();
    if (selected_->read_only) co_return read_only();
    mail::FlagChange change{question.mode, std::move(question.flags), question.unchanged_since};
    auto stored =
        co_await net::from_store<mail::FlagResult>([&](mail::Done<mail::FlagResult> done) {
            backends_.mail.change_flags(selected_->info.id, std::move(question.uids),
                                        std::move(change), std::move(done));
        });
    if (!stored) co_return failure(stored.error());
    co_return imap::FlagsStored{std::move(stored->changed), std::move(stored->modified),
                                stored->modseq};
}

net::Awaitable<imap::Answer> ImapService::on(imap::CopyMessages question) {
    if (!selected_) co_return none_selected();
    if (question.move && selected_->read_only) co_return read_only();
    auto to = find_selectable(question.to);
    if (!to) co_return failure(to.error());
    auto copied = co_await net::from_store<mail::Copied>([&](mail::Done<mail::Copied> done) {
        auto& mail = backends_.mail;
        const auto from = selected_->info.id;
        if (question.move) {
            mail.move(from, std::move(question.uids), to->id, std::move(done));
        } else {
            mail.copy(from, std::move(question.uids), to->id, std::move(done));
        }
    });
    if (!copied) co_return failure(copied.error());
    co_await learn_from(*to, copied->to);
    co_return imap::MessagesCopied{copied->uid_validity, std::move(copied->from),
                                   std::move(copied->to)};
}

// The client's OK comes after the learn jobs are durable: then nothing that it was told is lost.
net::Awaitable<void> ImapService::learn_from(const mail::MailboxInfo& to, std::vector<Uid> uids) {
    const auto trash = backends_.mail.find_special(account_, mail::SpecialUse::trash);
    const auto action =
        junk_signal(selected_->info, to, trash ? std::string_view(trash->name) : "");
    if (!action || uids.empty()) co_return;
    const auto job = [&backends = backends_, mailbox = to.id, uids, action = *action, who = user_] {
        return learn_messages(backends.mail, backends.learning, mailbox, uids, action, who, now());
    };
    std::optional<Result<std::size_t>> learned;
    for (int tries = 0; !learned && tries < max_learn_tries; ++tries) {
        learned = co_await backends_.pool.run(job);
        if (!learned) co_await net::sleep_for(learn_retry_delay);
    }
    const std::string_view as = *action == learning::LearnAction::spam ? "spam" : "ham";
    if (learned && *learned) {
        session_.log(logging::Level::info, "messages learned",
                     {{"user", user_}, {"as", as}, {"count", **learned}});
        co_return;
    }
    session_.log(logging::Level::error, "moved messages were not learned",
                 {{"user", user_},
                  {"as", as},
                  {"count", uids.size()},
                  {"reason", learned ? learned->error().text : std::string("too much to do")}});
}

net::Awaitable<imap::Answer> ImapService::on(imap::ExpungeMessages question) {
    if (!selected_) co_return none_selected();
    if (selected_->read_only) co_return read_only();
    const auto id = selected_->info.id;
    auto doomed = backends_.mail.with_flag(id, SystemFlag::deleted);
    if (!doomed) co_return failure(doomed.error());
    if (question.among) *doomed &= *question.among;
    if (doomed->empty()) co_return imap::Expunged{{}, selected_->modseq};
    auto removed = co_await net::from_store<UidSet>([&](mail::Done<UidSet> done) {
        backends_.mail.expunge(id, std::move(*doomed), false, std::move(done));
    });
    if (!removed) co_return failure(removed.error());
    auto state = backends_.mail.status(id);
    if (!state) co_return failure(state.error());
    co_return imap::Expunged{std::move(*removed), state->highest_modseq};
}

}  // namespace postern::imap_service

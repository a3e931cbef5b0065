// What changes mailboxes: appending, copies and moves, expunging.
#include "gateway/clock/wall_clock.h"
#include "gateway/delivery/encode_binary.h"
#include "gateway/imap_service/failure.h"
#include "gateway/imap_service/flags.h"
#include "gateway/imap_service/imap_service.h"
#include "gateway/imap_service/junk.h"
#include "gateway/imap_service/rows.h"
#include "protocols/mime/summary.h"
#include "protocols/mime/thread.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace postern::imap_service {

namespace {

// Larger messages are parsed on the pool: on the core it would take some milliseconds.
constexpr std::size_t parsed_on_core_bytes = 256 * 1024;
constexpr int max_learn_tries = 100;
static_assert(imap::max_append_messages <= mail::max_appended_at_all);
constexpr std::chrono::milliseconds learn_retry_delay{50};

Time now() {
    return wall_clock();
}

imap::Failure some_expunged() {
    return {"EXPUNGEISSUED", "Somebody else has expunged some of these messages"};
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
    append_messages_.clear();
    append_bytes_ = {};
    append_refused_ = false;
    share_.reset();
}

void ImapService::take(imap::AppendNext next) {
    append_messages_.push_back({std::make_shared<const std::string>(std::move(append_bytes_)),
                                std::move(next.flags), next.internal_date});
    append_bytes_ = {};
}

net::Awaitable<imap::Answer> ImapService::on(imap::CheckAppend question) {
    take(imap::DiscardAppend{});
    auto place = find_selectable(question.name);
    if (!place) co_return failure(place.error());
    if (!place->may('i')) co_return denied(*place);
    // Only asked, so that the client does not send in vain; the bytes are counted as they come.
    const bool room = share_.grow(question.size);
    share_.reset();
    if (!room) co_return imap::Failure{"UNAVAILABLE", "Too much mail at once, try again later"};
    // What that leaves is known once the message is there.
    if (question.replaces) co_return imap::Done{};
    auto space = co_await net::from_store<void>([&](mail::Done<void> done) {
        backends_.mail.check_room(place->owner.id, question.size, mail::QuotaRule::user,
                                  std::move(done));
    });
    if (!space) co_return failure(space.error());
    co_return imap::Done{};
}

net::Awaitable<Result<mail::NewMessage>> ImapService::prepare(Pending pending) {
    // RFC 3516 section 4.4: a literal8 may hold what no other client could be sent.
    if (pending.bytes->find('\0') != std::string::npos) {
        auto encode = [bytes = pending.bytes] { return delivery::encode_binary_parts(*bytes); };
        auto encoded = co_await backends_.pool.run(std::move(encode));
        if (!encoded) co_return Error{Errc::unavailable, "too much to do"};
        if (encoded->find('\0') != std::string::npos) {
            co_return Error{Errc::invalid, "NUL outside of parts marked as binary"};
        }
        pending.bytes = std::make_shared<const std::string>(std::move(*encoded));
    }
    mail::NewMessage message;
    message.bytes = pending.bytes;
    message.flags = std::move(pending.flags);
    message.internal_date = pending.internal_date.value_or(now());
    std::optional<Computed> computed;
    if (pending.bytes->size() <= parsed_on_core_bytes) {
        computed = compute(*pending.bytes);
    } else {
        auto job = [bytes = pending.bytes] { return compute(*bytes); };
        computed = co_await backends_.pool.run(std::move(job));
    }
    if (computed) {
        message.summary = std::move(computed->summary);
        message.thread_root = std::move(computed->thread_root);
    }
    co_return message;
}

net::Awaitable<Result<std::vector<mail::Appended>>> ImapService::append_all(
    mail::Viewed mailbox, std::vector<mail::NewMessage> messages, mail::Replaced replaced) {
    using All = std::vector<mail::Appended>;
    if (messages.size() > 1 || replaced.uid != 0) {
        co_return co_await net::from_store<All>([&](mail::Done<All> done) {
            backends_.mail.append_together(mailbox, std::move(messages), replaced, std::move(done));
        });
    }
    const auto one = co_await net::from_store<mail::Appended>([&](auto done) {
        // Never asked for again: it need not be remembered.
        backends_.mail.append(mailbox, std::move(messages.front()), OperationId(),
                              std::move(done));
    });
    if (!one) co_return one.error();
    co_return All{*one};
}

net::Awaitable<Result<void>> ImapService::take_back(MailboxId mailbox, UidSet uids) {
    if (uids.empty()) co_return Result<void>();
    const auto removed = co_await net::from_store<UidSet>([&](mail::Done<UidSet> done) {
        backends_.mail.expunge(mailbox, std::move(uids), true, std::move(done));
    });
    if (!removed) co_return removed.error();
    co_return Result<void>();
}

net::Awaitable<imap::Answer> ImapService::on(imap::AppendMessage question) {
    const bool too_much = append_refused_;
    append_messages_.push_back({std::make_shared<const std::string>(std::move(append_bytes_)),
                                std::move(question.flags), question.internal_date});
    auto messages = std::exchange(append_messages_, {});
    append_bytes_ = {};
    append_refused_ = false;
    const auto share = std::shared_ptr<void>(nullptr, [this](void*) { share_.reset(); });
    if (too_much) {
        co_return imap::Failure{"UNAVAILABLE", "Too much mail at once, try again later"};
    }
    auto place = find_selectable(question.name);
    if (!place) co_return failure(place.error());
    if (!place->may('i')) co_return denied(*place);
    if (question.replaces != 0 && selected_) {
        for (const char right : {'t', 'e'}) {
            if (auto no = refused(right)) co_return std::move(*no);
        }
    }
    std::vector<mail::NewMessage> prepared;
    for (auto& message : messages) {
        message.flags = permitted(message.flags, place->rights);
        auto one = co_await prepare(std::move(message));
        if (!one && one.error().code == Errc::invalid) {
            co_return imap::Failure{"UNKNOWN-CTE", one.error().text};
        }
        if (!one) co_return failure(one.error());
        prepared.push_back(std::move(*one));
    }
    mail::Replaced replaced;
    if (selected_) replaced = {selected_->place.box.id, question.replaces};
    const auto appended = co_await append_all(as_seen(*place), std::move(prepared), replaced);
    if (!appended) co_return failure(appended.error());
    imap::AppendDone answer;
    answer.uid_validity = appended->front().uid_validity;
    for (const auto& one : *appended) answer.uids.push_back(one.uid);
    log_change(*place, "appended", answer.uids.size());
    if (watching_) watching_->settle_arrivals(place->box.id, answer.uids);
    co_return answer;
}

net::Awaitable<imap::Answer> ImapService::on(imap::CopyMessages question) {
    if (!selected_) co_return none_selected();
    if (question.move && selected_->read_only) co_return read_only();
    for (const char right : std::string(question.move ? "rte" : "r")) {
        if (auto no = refused(right)) co_return std::move(*no);
    }
    auto to = find_selectable(question.to);
    if (!to) co_return failure(to.error());
    if (!to->may('i')) co_return denied(*to);
    std::optional<std::size_t> expected;
    if (question.whole) {
        const auto state = backends_.mail.state(selected_->place.box.id);
        if (!state) co_return failure(state.error());
        if (!(question.uids - state->uids).empty()) co_return some_expunged();
        expected = question.uids.size();
    }
    net::StoreCall<mail::Copied> call([&](mail::Done<mail::Copied> done) {
        auto& mail = backends_.mail;
        const auto from = as_seen(selected_->place);
        if (question.move) {
            mail.move(from, std::move(question.uids), to->box.id, std::move(done));
        } else {
            mail.copy(from, std::move(question.uids), to->box.id, std::move(done));
        }
    });
    co_return co_await copied_by(std::move(call), std::move(*to), question.move, expected);
}

net::Awaitable<imap::Answer> ImapService::copied_by(net::StoreCall<mail::Copied> call,
                                                    sharing::Place to, bool move,
                                                    std::optional<std::size_t> expected) {
    const bool done = co_await call.is_done_within(backends_.progress_interval);
    if (!done) {
        going_on_ = [this, call = std::as_const(call), to, move, expected] {
            return copied_by(call, to, move, expected);
        };
        co_return imap::Progress{};
    }
    auto copied = co_await call.wait();
    if (!copied) co_return failure(copied.error());
    if (expected && copied->to.size() != *expected) {  // expunged meanwhile
        UidSet copies;
        for (const Uid uid : copied->to) copies.add(uid);
        const auto taken = co_await take_back(to.box.id, std::move(copies));
        if (!taken) co_return failure(taken.error());
        co_return some_expunged();
    }
    co_await drop_flags(to, copied->to);
    if (move) log_change(selected_->place, "moved away", copied->from.size());
    log_change(to, move ? "moved in" : "copied in", copied->to.size());
    if (watching_) watching_->settle_arrivals(to.box.id, copied->to);
    co_await learn_from(to, copied->to);
    co_return imap::MessagesCopied{copied->uid_validity, std::move(copied->from),
                                   std::move(copied->to)};
}

// The client's OK comes after the learn jobs are durable: then nothing that it was told is lost.
net::Awaitable<void> ImapService::learn_from(const sharing::Place& to, std::vector<Uid> uids) {
    const auto trash = backends_.mail.find_special(to.owner.id, mail::SpecialUse::trash);
    const auto action =
        junk_signal(selected_->place.box, to.box, trash ? std::string_view(trash->name) : "");
    if (!action || uids.empty()) co_return;
    const auto job = [&backends = backends_, mailbox = to.box.id, uids, action = *action,
                      who = user_] {
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
    if (auto no = refused('e')) co_return std::move(*no);
    const auto id = selected_->place.box.id;
    auto doomed = backends_.mail.with_flag(id, SystemFlag::deleted);
    if (!doomed) co_return failure(doomed.error());
    if (question.among) *doomed &= *question.among;
    if (doomed->empty()) co_return imap::Expunged{{}, selected_->modseq};
    auto removed = co_await net::from_store<UidSet>([&](mail::Done<UidSet> done) {
        backends_.mail.expunge(id, std::move(*doomed), false, std::move(done));
    });
    if (!removed) co_return failure(removed.error());
    log_change(selected_->place, "expunged", removed->size());
    auto state = backends_.mail.status(id);
    if (!state) co_return failure(state.error());
    co_return imap::Expunged{std::move(*removed), state->highest_modseq};
}

}  // namespace postern::imap_service

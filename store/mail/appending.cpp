#include "store/mail/appending.h"

#include "store/blob/blob.h"
#include "store/blob/links.h"
#include "store/kv/random_id.h"
#include "store/mail/append_steps.h"
#include "store/mail/reading.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace postern::mail {

namespace {

// RFC 1939 section 7.
bool is_uidl(std::string_view text) {
    return text.size() <= max_uidl_bytes &&
           std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

// Bodies on their way into a batch, whose parts are stored already.
using Bodies = std::vector<blob::NewBody>;

void settle_all(kv::Store& store, const Bodies& bodies) {
    for (const auto& body : bodies) static_cast<void>(blob::settle(store, body));
}

// The same delivery may have been there before, or failed: then nobody needs the new bodies. An
// outcome in doubt leaves that to repair.
template <class T>
Done<T> settling(Mailboxes& mailboxes, Bodies bodies, Done<T> done) {
    std::erase_if(bodies, [](const blob::NewBody& body) { return body.parts.empty(); });
    if (bodies.empty()) return done;
    for (auto& body : bodies) body.framed.reset();
    return [&mailboxes, bodies = std::move(bodies), done = std::move(done)](Result<T> appended) {
        const bool doubtful = !appended && appended.error().code == Errc::unavailable;
        done(std::move(appended));
        if (doubtful) return;
        mailboxes.post([&mailboxes, bodies] { settle_all(mailboxes.store(), bodies); });
    };
}

// Holds the room until the mailbox's own sum tells of what was appended.
template <class T>
Done<T> holding(QuotaMeter::Hold room, Done<T> done) {
    if (!room) return done;
    return [room = std::move(room), done = std::move(done)](Result<T> appended) mutable {
        room.reset();
        done(std::move(appended));
    };
}

// `body` is to be settled also when this fails.
Result<AppendInput> with_body(Mailboxes& mailboxes, Viewed mailbox, NewMessage message,
                              OperationId operation, Bodies& bodies) {
    const auto bytes = std::move(message.bytes);
    auto body = blob::make_body(mailboxes.store(), mailbox_shard(mailbox.id), *bytes);
    if (!body) return body.error();
    const bool fits = body->framed->size() <= kv::max_blob_bytes;
    AppendInput input = append_input(std::move(message), bytes->size(), operation);
    input.viewer = mailbox.viewer;
    input.blob = body->id;
    input.owner = blob::first_owner;
    input.framed = body->framed;
    bodies.push_back(*std::move(body));
    if (!fits) return Error{Errc::too_large, "the message is too large to be stored"};
    return input;
}

// What the owner's quota gets back when it goes.
Result<QuotaUse> room_of(Mailboxes& mailboxes, Replaced replaced, AccountId owner) {
    if (replaced.uid == 0) return QuotaUse{};
    const auto sets = mailboxes.queue(replaced.mailbox)->sets();
    if (!sets) return sets.error();
    if ((*sets)->head.owner != owner) return QuotaUse{};
    const auto rows = read_rows(mailboxes.store(), **sets, owner, {replaced.uid}, 1, false);
    if (!rows) return rows.error();
    return rows->empty() ? QuotaUse{} : QuotaUse{rows->front().size, 1};
}

}  // namespace

Result<void> check_message(const NewMessage& message) {
    if (!message.bytes || message.bytes->empty()) return Error{Errc::invalid, "an empty message"};
    if (!is_uidl(message.uidl)) return Error{Errc::invalid, "no unique id for POP3"};
    return {};
}

AppendInput append_input(NewMessage message, std::uint64_t size, OperationId operation) {
    AppendInput input;
    input.size = size;
    if (message.summary.size() <= max_summary_bytes) input.summary = std::move(message.summary);
    if (message.report.size() <= max_report_bytes) input.report = std::move(message.report);
    input.uidl = std::move(message.uidl);
    input.flags = std::move(message.flags);
    input.internal_date = message.internal_date;
    input.thread_id = thread_id_of(message.thread_root);
    input.operation = operation;
    return input;
}

void append_message(Mailboxes& mailboxes, Viewed mailbox, AccountId owner, NewMessage message,
                    OperationId operation, Done<Appended> done) {
    auto room = mailboxes.meter().reserve(owner, {message.bytes->size(), 1}, message.quota);
    if (!room) return done(room.error());
    Bodies bodies;
    auto input = with_body(mailboxes, mailbox, std::move(message), operation, bodies);
    if (!input) {
        settle_all(mailboxes.store(), bodies);
        return done(input.error());
    }
    done = holding(*std::move(room), settling(mailboxes, std::move(bodies), std::move(done)));
    mailboxes.submit(mailbox.id, append_operation(*std::move(input), std::move(done)));
}

void append_messages(Mailboxes& mailboxes, Viewed mailbox, std::vector<NewMessage> messages,
                     Replaced replaced, Done<std::vector<Appended>> done) {
    if (messages.empty()) return done(Error{Errc::invalid, "no message"});
    if (messages.size() > max_appended_at_all || (replaced.uid != 0 && messages.size() > 1)) {
        return done(Error{Errc::limit, "too many messages at once"});
    }
    QuotaUse use;
    for (const NewMessage& message : messages) {
        if (auto checked = check_message(message); !checked) return done(checked.error());
        use += {message.bytes->size(), 1};
    }
    const auto sets = mailboxes.queue(mailbox.id)->sets();
    if (!sets) return done(sets.error());
    const AccountId owner = (*sets)->head.owner;
    const auto freed = room_of(mailboxes, replaced, owner);
    if (!freed) return done(freed.error());
    use -= {std::min(freed->bytes, use.bytes), freed->messages};
    auto room = use == QuotaUse{} ? Result<QuotaMeter::Hold>(QuotaMeter::Hold())
                                  : mailboxes.meter().reserve(owner, use, messages.front().quota);
    if (!room) return done(room.error());
    const OperationId intent = kv::random_id();
    Bodies bodies;
    std::vector<AppendInput> inputs;
    for (NewMessage& message : messages) {
        const auto operation = step_operation(intent, inputs.size() + 1);
        auto input = with_body(mailboxes, mailbox, std::move(message), operation, bodies);
        if (!input) {
            settle_all(mailboxes.store(), bodies);
            return done(input.error());
        }
        inputs.push_back(*std::move(input));
    }
    done = holding(*room, settling(mailboxes, std::move(bodies), std::move(done)));
    const bool fits = fits_together(inputs);
    const bool replaces = replaced.uid != 0 && (!fits || replaced.mailbox != mailbox.id);
    if (replaces || !fits) {
        auto all = replaces
                       ? replace_in_steps(mailboxes, mailbox.id, intent, std::move(inputs.front()),
                                          replaced, *room)
                       : append_in_steps(mailboxes, mailbox.id, intent, std::move(inputs), *room);
        room = QuotaMeter::Hold();  // `done` lets go of it before it tells anybody
        return done(std::move(all));
    }
    room = QuotaMeter::Hold();
    for (AppendInput& input : inputs) input.operation = {};  // it is never asked for again
    mailboxes.submit(mailbox.id,
                     append_together_operation(std::move(inputs), replaced.uid, std::move(done)));
}

}  // namespace postern::mail

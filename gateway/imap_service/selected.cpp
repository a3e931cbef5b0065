// The selected mailbox: opening it, what happened to it, rows, bodies and searches.
#include "gateway/imap_service/imap_service.h"
#include "gateway/imap_service/search.h"

#include <algorithm>
#include <utility>

namespace postern::imap_service {

namespace {

constexpr std::size_t max_rows = 1000;  // mail::MailStore::rows

// Opaque to the engine: the id's own bytes.
std::string reference(const BlobId& blob) {
    return {reinterpret_cast<const char*>(blob.bytes.data()), blob.bytes.size()};
}

Result<BlobId> blob_of(const std::string& reference) {
    BlobId blob;
    if (reference.size() != blob.bytes.size()) {
        return Error{Errc::internal, "a body reference that is none of ours"};
    }
    std::copy(reference.begin(), reference.end(), blob.bytes.begin());
    return blob;
}

imap::Failure none_selected() {
    return {"CLIENTBUG", "No mailbox is selected"};
}

}  // namespace

net::Awaitable<Result<UidSet>> ImapService::take_recent(MailboxId mailbox) {
    return net::from_store<UidSet>(
        [&](mail::Done<UidSet> done) { backends_.mail.take_recent(mailbox, std::move(done)); });
}

net::Awaitable<imap::Answer> ImapService::on(imap::OpenMailbox question) {
    selected_.reset();
    auto box = find_selectable(question.name);
    if (!box) co_return failure(box.error());
    Selected selected;
    selected.read_only = question.read_only;
    // Watched before it is read: no change falls between.
    selected.watch = backends_.mail.watch(box->id, [waker = session_.waker()] { waker->wake(); });
    auto state = backends_.mail.state(box->id);
    if (!state) co_return failure(state.error());
    UidSet recent = state->recent;
    if (!selected.read_only && !recent.empty()) {
        auto taken = co_await take_recent(box->id);
        if (!taken) co_return failure(taken.error());
        state = backends_.mail.state(box->id);
        if (!state) co_return failure(state.error());
        recent = std::move(*taken);
    }
    imap::MailboxOpened opened;
    opened.uid_validity = state->uid_validity;
    opened.uid_next = state->uid_next;
    opened.highest_modseq = state->highest_modseq;
    opened.uids = state->uids;
    opened.recent = recent & state->uids;
    opened.first_unseen = state->unseen.min();
    opened.keywords = std::move(state->keywords);
    opened.read_only = selected.read_only;
    selected.info = std::move(*box);
    selected.modseq = state->highest_modseq;
    selected.uids = std::move(state->uids);
    selected_ = std::move(selected);
    co_return opened;
}

net::Awaitable<imap::Answer> ImapService::on(imap::CloseMailbox) {
    selected_.reset();
    co_return imap::Done{};
}

net::Awaitable<imap::Answer> ImapService::on(imap::Refresh) {
    if (!selected_) co_return none_selected();
    const auto id = selected_->info.id;
    auto changes = backends_.mail.changes_since(id, selected_->modseq);
    if (!changes) co_return failure(changes.error());
    auto& state = changes->state;
    imap::MailboxChanges answer;
    answer.added = state.uids - selected_->uids;
    answer.vanished = selected_->uids - state.uids;
    if (!answer.added.empty() && selected_->read_only) {
        answer.recent = state.recent & answer.added;
    } else if (!answer.added.empty()) {
        if (!state.recent.empty()) {
            auto taken = co_await take_recent(id);
            if (!taken) co_return failure(taken.error());
            selected_->recent |= *taken;
        }
        // Some may have come after `state` was read: they wait for the next answer.
        answer.recent = selected_->recent & answer.added;
        selected_->recent -= state.uids;
    }
    for (auto& [uid, flags] : changes->flags) {
        if (!answer.added.contains(uid)) answer.flags.emplace_back(uid, std::move(flags));
    }
    answer.highest_modseq = selected_->modseq = state.highest_modseq;
    answer.uid_next = state.uid_next;
    answer.keywords = std::move(state.keywords);
    selected_->uids = std::move(state.uids);
    co_return answer;
}

net::Awaitable<imap::Answer> ImapService::on(imap::FetchRows question) {
    if (!selected_) co_return none_selected();
    auto rows = backends_.mail.rows(selected_->info.id, question.uids,
                                    std::min(question.limit, max_rows), question.with_summary);
    if (!rows) co_return failure(rows.error());
    imap::RowPage page;
    page.rows.reserve(rows->size());
    for (auto& row : *rows) {
        page.rows.push_back({row.uid, std::move(row.flags), row.modseq, row.internal_date, row.size,
                             reference(row.blob), std::move(row.summary)});
    }
    co_return page;
}

net::Awaitable<imap::Answer> ImapService::on(imap::ReadBlob question) {
    auto blob = blob_of(question.blob);
    if (!blob) co_return failure(blob.error());
    auto bytes = backends_.mail.read(*blob, question.offset, question.length);
    if (!bytes) co_return failure(bytes.error());
    co_return imap::BlobBytes{std::move(*bytes)};
}

Result<std::string> ImapService::read(const imap::SendBlob& body, std::uint64_t offset,
                                      std::uint64_t length) {
    auto blob = blob_of(body.blob);
    if (!blob) return blob.error();
    return backends_.mail.read(*blob, body.offset + offset, length);
}

net::Awaitable<imap::Answer> ImapService::on(imap::Search question) {
    if (!selected_) co_return none_selected();
    const auto id = selected_->info.id;
    imap::SearchResult answer;
    answer.highest_modseq = selected_->modseq;
    if (!needs_rows(question.program)) {
        auto found = search(backends_.mail, id, question.program, *gone_);
        if (!found) co_return failure(found.error());
        answer.uids = std::move(*found);
        co_return answer;
    }
    auto job = [&mail = backends_.mail, id, program = std::move(question.program), gone = gone_] {
        return search(mail, id, program, *gone);
    };
    auto found = co_await backends_.pool.run(std::move(job));
    if (!found) co_return imap::Failure{"LIMIT", "Too many searches at once, try again later"};
    if (!*found) co_return failure(found->error());
    answer.uids = std::move(**found);
    co_return answer;
}

}  // namespace postern::imap_service

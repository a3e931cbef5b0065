// The selected mailbox: opening it, what happened to it, rows and bodies.
#include "gateway/imap_service/failure.h"
#include "gateway/imap_service/imap_service.h"
#include "gateway/imap_service/rows.h"

#include <algorithm>
#include <utility>

namespace postern::imap_service {

net::Awaitable<Result<UidSet>> ImapService::take_recent(MailboxId mailbox) {
    return net::from_store<UidSet>(
        [&](mail::Done<UidSet> done) { backends_.mail.take_recent(mailbox, std::move(done)); });
}

net::Awaitable<imap::Answer> ImapService::on(imap::OpenMailbox question) {
    leave_selected();
    auto place = find_selectable(question.name);
    if (!place) co_return failure(place.error());
    if (!place->may('r')) co_return denied(*place);
    const auto* box = &place->box;
    Selected selected;
    // RFC 4314 section 5.2: with none of these it is open for reading only.
    selected.read_only = question.read_only || std::string_view("swtei").find_first_of(
                                                   place->rights) == std::string_view::npos;
    // Watched before it is read: no change falls between.
    selected.watch = backends_.mail.watch(box->id, [waker = session_.waker()] { waker->wake(); });
    auto state = backends_.mail.state(as_seen(*place));
    if (!state) co_return failure(state.error());
    UidSet recent = state->recent;
    if (!selected.read_only && !recent.empty()) {
        auto taken = co_await take_recent(box->id);
        if (!taken) co_return failure(taken.error());
        state = backends_.mail.state(as_seen(*place));
        if (!state) co_return failure(state.error());
        recent = std::move(*taken);
    }
    if (backends_.search_index) backends_.search_index->was_selected(box->id);
    imap::MailboxOpened opened;
    opened.uid_validity = state->uid_validity;
    opened.uid_next = state->uid_next;
    opened.highest_modseq = state->highest_modseq;
    opened.uids = state->uids;
    opened.recent = recent & state->uids;
    opened.first_unseen = state->unseen.min();
    opened.keywords = std::move(state->keywords);
    opened.read_only = selected.read_only;
    opened.mailbox_id = mail::mailbox_object_id(box->id);
    opened.rights = place->rights;
    selected.place = std::move(*place);
    selected.modseq = state->highest_modseq;
    selected.uid_next = state->uid_next;
    selected.uids = std::move(state->uids);
    selected_ = std::move(selected);
    co_return opened;
}

net::Awaitable<imap::Answer> ImapService::on(imap::CloseMailbox) {
    leave_selected();
    co_return imap::Done{};
}

net::Awaitable<imap::Answer> ImapService::on(imap::GoOn) {
    const auto go_on = std::exchange(going_on_, nullptr);
    if (!go_on) co_return imap::Failure{"SERVERBUG", "There is nothing to go on with"};
    co_return co_await go_on();
}

net::Awaitable<imap::Answer> ImapService::on(imap::Refresh) {
    if (!selected_) co_return none_selected();
    if (auto no = refused('r')) co_return std::move(*no);
    const auto id = selected_->place.box.id;
    auto changes = backends_.mail.changes_since(as_seen(selected_->place), selected_->modseq);
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
    for (std::size_t i = 0; i < changes->flags.size(); ++i) {
        auto& [uid, flags] = changes->flags[i];
        if (answer.added.contains(uid)) continue;
        answer.flags.push_back({uid, std::move(flags), changes->modseqs[i]});
    }
    answer.highest_modseq = selected_->modseq = state.highest_modseq;
    answer.uid_next = selected_->uid_next = state.uid_next;
    answer.keywords = std::move(state.keywords);
    answer.uids = selected_->uids = std::move(state.uids);
    co_return answer;
}

net::Awaitable<imap::Answer> ImapService::on(imap::GetHistory question) {
    if (!selected_) co_return none_selected();
    if (auto no = refused('r')) co_return std::move(*no);
    auto changes = backends_.mail.changes_since(as_seen(selected_->place), question.since);
    if (!changes) co_return failure(changes.error());
    imap::History history;
    for (const auto& [uid, flags] : changes->flags) history.changed.add(uid);
    history.changed &= selected_->uids;
    history.vanished = std::move(changes->vanished);
    if (!changes->complete && changes->state.uid_next > 1) {
        history.vanished.add_range(1, changes->state.uid_next - 1);
        history.vanished -= changes->state.uids;
    }
    // What vanished but is not told yet goes by EXPUNGE or VANISHED when its time has come.
    history.vanished -= selected_->uids;
    co_return history;
}

net::Awaitable<imap::Answer> ImapService::on(imap::FindMessage question) {
    auto place = find_selectable(question.mailbox);
    if (!place) co_return failure(place.error());
    if (!place->may('r')) co_return denied(*place);
    const auto* box = &place->box;
    auto status = backends_.mail.status(box->id);
    if (!status) co_return failure(status.error());
    if (question.uid_validity != 0 && question.uid_validity != status->uid_validity) {
        co_return imap::RowPage{};
    }
    auto rows = backends_.mail.rows(as_seen(*place), {question.uid}, 1, true);
    if (!rows) co_return failure(rows.error());
    imap::RowPage page;
    for (auto& row : *rows) page.rows.push_back(to_imap(std::move(row), false));
    co_return page;
}

net::Awaitable<imap::Answer> ImapService::on(imap::FetchRows question) {
    if (!selected_) co_return none_selected();
    if (auto no = refused('r')) co_return std::move(*no);
    auto rows = backends_.mail.rows(as_seen(selected_->place), question.uids,
                                    std::min(question.limit, max_rows), question.with_summary);
    if (!rows) co_return failure(rows.error());
    imap::RowPage page;
    page.rows.reserve(rows->size());
    for (auto& row : *rows) {
        page.rows.push_back(to_imap(std::move(row), question.with_object_ids));
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

}  // namespace postern::imap_service

// SEARCH, SORT and THREAD of the selected mailbox: on the core when bitmaps are enough, else on the
// pool.
#include "gateway/imap_service/imap_service.h"
#include "gateway/imap_service/relevancy.h"
#include "gateway/imap_service/search.h"
#include "gateway/imap_service/sort.h"
#include "gateway/imap_service/thread.h"

#include <utility>

namespace postern::imap_service {

namespace {

imap::Failure none_selected() {
    return {"CLIENTBUG", "No mailbox is selected"};
}

imap::Failure too_many() {
    return {"LIMIT", "Too many searches at once, try again later"};
}

}  // namespace

net::Awaitable<imap::Answer> ImapService::on(imap::Search question) {
    if (!selected_) co_return none_selected();
    if (auto no = refused('r')) co_return std::move(*no);
    const auto box = as_seen(selected_->place);
    auto job = [&mail = backends_.mail, index = backends_.search_index, box, question,
                gone = gone_]() -> Result<imap::SearchResult> {
        imap::SearchResult answer;
        auto found = search(mail, box, question.program, *gone, index);
        if (!found) return found.error();
        answer.uids = std::move(*found);
        if (question.with_modseq) {
            auto highest = highest_modseq(mail, box, answer.uids);
            if (!highest) return highest.error();
            answer.highest_modseq = *highest;
        }
        if (question.with_relevancy) {
            auto scores = relevancy(mail, box.id, answer.uids, question.program, *gone);
            if (!scores) return scores.error();
            answer.relevancy = std::move(*scores);
        }
        return answer;
    };
    if (!question.with_modseq && !question.with_relevancy && !needs_rows(question.program)) {
        auto found = job();
        if (!found) co_return failure(found.error());
        co_return std::move(*found);
    }
    auto found = co_await backends_.pool.run(std::move(job));
    if (!found) co_return too_many();
    if (!*found) co_return failure(found->error());
    co_return std::move(**found);
}

net::Awaitable<imap::Answer> ImapService::on(imap::Sort question) {
    if (!selected_) co_return none_selected();
    if (auto no = refused('r')) co_return std::move(*no);
    const auto box = as_seen(selected_->place);
    auto job = [&mail = backends_.mail, index = backends_.search_index, box, question,
                gone = gone_]() -> Result<imap::Sorted> {
        imap::Sorted answer;
        auto found = search(mail, box, question.program, *gone, index);
        if (!found) return found.error();
        if (question.with_relevancy || sorts_by_relevancy(question.keys)) {
            auto scores = relevancy(mail, box.id, *found, question.program, *gone);
            if (!scores) return scores.error();
            answer.relevancy = std::move(*scores);
        }
        auto sorted = sort_messages(mail, box.id, *found, question.keys, *gone, answer.relevancy);
        if (!sorted) return sorted.error();
        answer.uids = std::move(*sorted);
        if (!question.with_modseq) return answer;
        auto highest = highest_modseq(mail, box, *found);
        if (!highest) return highest.error();
        answer.highest_modseq = *highest;
        return answer;
    };
    auto sorted = co_await backends_.pool.run(std::move(job));
    if (!sorted) co_return too_many();
    if (!*sorted) co_return failure(sorted->error());
    co_return std::move(**sorted);
}

net::Awaitable<imap::Answer> ImapService::on(imap::Thread question) {
    if (!selected_) co_return none_selected();
    if (auto no = refused('r')) co_return std::move(*no);
    const auto box = as_seen(selected_->place);
    auto job = [&mail = backends_.mail, index = backends_.search_index, box, question,
                gone = gone_]() -> Result<imap::Threads> {
        auto found = search(mail, box, question.program, *gone, index);
        if (!found) return found.error();
        return thread_messages(mail, box.id, *found, question.algorithm, *gone);
    };
    auto threads = co_await backends_.pool.run(std::move(job));
    if (!threads) co_return too_many();
    if (!*threads) co_return failure(threads->error());
    co_return std::move(**threads);
}

}  // namespace postern::imap_service

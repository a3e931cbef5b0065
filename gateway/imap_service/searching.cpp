// SEARCH, SORT and THREAD of the selected mailbox: on the core when bitmaps are enough, else on the
// pool.
#include "gateway/imap_service/failure.h"
#include "gateway/imap_service/imap_service.h"
#include "gateway/imap_service/relevancy.h"
#include "gateway/imap_service/search.h"
#include "gateway/imap_service/sort.h"

#include <utility>

namespace postern::imap_service {

namespace {}  // namespace

// The job runs on the pool, and on without us when the session ends meanwhile: it holds nothing of
// ours.
template <class Found>
net::Awaitable<imap::Answer> ImapService::run_slowly(
    std::function<Result<Found>(SearchProgress&)> job) {
    auto progress = std::make_shared<SearchProgress>();
    bool taken = true;
    net::StoreCall<Found> call([&](auto done) {
        taken =
            backends_.pool.post([job = std::move(job), done, progress] { done(job(*progress)); });
        if (!taken) done(Error{Errc::limit, "Too many searches at once, try again later"});
    });
    return found_in<Found>(std::move(call), std::move(progress));
}

template <class Found>
net::Awaitable<imap::Answer> ImapService::found_in(net::StoreCall<Found> call,
                                                   std::shared_ptr<SearchProgress> progress) {
    const bool done = co_await call.is_done_within(backends_.progress_interval);
    if (!done) {
        going_on_ = [this, call = std::as_const(call), progress] {
            return found_in<Found>(call, progress);
        };
        co_return imap::Progress{progress->read, progress->goal};
    }
    auto found = co_await call.wait();
    if (!found) co_return failure(found.error());
    co_return std::move(*found);
}

net::Awaitable<imap::Answer> ImapService::on(imap::Search question) {
    if (!selected_) co_return none_selected();
    if (auto no = refused('r')) co_return std::move(*no);
    const auto box = as_seen(selected_->place);
    auto job = [&mail = backends_.mail, index = backends_.search_index, box, question,
                gone = gone_](SearchProgress& progress) -> Result<imap::SearchResult> {
        imap::SearchResult answer;
        auto found = search(mail, box, question.program, *gone, index, &progress);
        if (!found) return found.error();
        answer.uids = std::move(*found);
        if (question.modseq_of != imap::ModSeqOf::none) {
            const auto& found_uids = answer.uids;
            auto highest =
                highest_modseq(mail, box,
                               imap::modseq_counts_of(question.modseq_of, found_uids,
                                                      found_uids.min(), found_uids.max()));
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
    const bool on_the_core = question.modseq_of == imap::ModSeqOf::none &&
                             !question.with_relevancy && !needs_rows(question.program);
    if (on_the_core) {
        SearchProgress unused;
        auto found = job(unused);
        if (!found) co_return failure(found.error());
        co_return std::move(*found);
    }
    co_return co_await run_slowly<imap::SearchResult>(std::move(job));
}

net::Awaitable<imap::Answer> ImapService::on(imap::Sort question) {
    if (!selected_) co_return none_selected();
    if (auto no = refused('r')) co_return std::move(*no);
    const auto box = as_seen(selected_->place);
    auto job = [&mail = backends_.mail, index = backends_.search_index, cache = backends_.sorts,
                box, question, gone = gone_](SearchProgress& progress) -> Result<imap::Sorted> {
        auto found = search(mail, box, question.program, *gone, index, &progress);
        if (!found) return found.error();
        std::map<Uid, std::uint8_t> scores;
        if (question.with_relevancy || sorts_by_relevancy(question.keys)) {
            auto found_scores = relevancy(mail, box.id, *found, question.program, *gone);
            if (!found_scores) return found_scores.error();
            scores = std::move(*found_scores);
        }
        progress.goal = 0;  // what was found may be read once more
        auto sorted = cache->sort({mail, box.id, *found, *gone, &progress},
                                  {question.keys, scores, question.part});
        if (!sorted) return sorted.error();
        imap::Sorted answer = std::move(*sorted);
        answer.relevancy = std::move(scores);
        if (question.modseq_of == imap::ModSeqOf::none || answer.count == 0) return answer;
        const bool told = !answer.uids.empty();
        auto highest = highest_modseq(
            mail, box,
            imap::modseq_counts_of(question.modseq_of, *found, told ? answer.uids.front() : 0,
                                   told ? answer.uids.back() : 0));
        if (!highest) return highest.error();
        answer.highest_modseq = *highest;
        return answer;
    };
    co_return co_await run_slowly<imap::Sorted>(std::move(job));
}

net::Awaitable<imap::Answer> ImapService::on(imap::Thread question) {
    if (!selected_) co_return none_selected();
    if (auto no = refused('r')) co_return std::move(*no);
    const auto box = as_seen(selected_->place);
    auto job = [&mail = backends_.mail, index = backends_.search_index, cache = backends_.sorts,
                box, question, gone = gone_](SearchProgress& progress) -> Result<imap::Threads> {
        auto found = search(mail, box, question.program, *gone, index, &progress);
        if (!found) return found.error();
        progress.goal = 0;
        return cache->thread({mail, box.id, *found, *gone, &progress}, question.algorithm);
    };
    co_return co_await run_slowly<imap::Threads>(std::move(job));
}

}  // namespace postern::imap_service

#include "gateway/imap_service/sort_cache.h"

#include "gateway/imap_service/sort.h"
#include "gateway/imap_service/thread.h"

#include <limits>
#include <utility>

namespace postern::imap_service {

namespace {

constexpr std::size_t unbounded = std::numeric_limits<std::size_t>::max();

Result<imap::Sorted> sort_by_reading(const ListJob& job, const SortOrder& order) {
    auto sorted = sort_messages(job.store, job.mailbox, job.uids, order.keys, job.stopped,
                                order.relevancy, job.progress);
    if (!sorted) return sorted.error();
    imap::Sorted out;
    out.uids = std::move(*sorted);
    out.count = out.uids.size();
    return out;
}

// Adds those of `uids`, which come after all that are in there; `asked` gets what was looked at.
Result<void> add_facts(const ListJob& job, const UidSet& uids, std::size_t max_bytes,
                       ThreadFacts& facts, UidSet& asked) {
    const FactsWanted wanted{
        .date = true, .subject = true, .addresses = false, .references = true};
    auto read = visit_facts(job.store, job.mailbox, uids, wanted, job.stopped, job.progress,
                            [&](const SortFacts& message) -> Result<void> {
                                facts.add(message);
                                asked.add(message.uid);
                                if (facts.bytes() <= max_bytes) return {};
                                return Error{Errc::too_large, "the threads are too many"};
                            });
    if (read) asked |= uids;
    return read;
}

bool is_small(const ListJob& job, const UidSet& existing) {
    return job.uids.size() * min_cached_share < existing.size();
}

}  // namespace

Result<imap::Sorted> SortCache::sort(const ListJob& job, const SortOrder& order) {
    if (sorts_by_relevancy(order.keys)) return sort_by_reading(job, order);
    auto state = job.store.state(job.mailbox);
    if (!state) return state.error();
    const UidSet& existing = state->uids;
    if (is_small(job, existing)) return sort_by_reading(job, order);
    auto sorted = keys_.with(
        job.mailbox, existing.size(), job.stopped,
        [&](SortKeys& keys, std::size_t max_bytes) {
            return keys.cover(job.store, job.mailbox, existing, order.keys, max_bytes, job.stopped,
                              job.progress);
        },
        [&](const SortKeys& keys) { return keys.sort(job.uids, order.keys, order.part); });
    if (!sorted) return sorted.error();
    if (!*sorted) return sort_by_reading(job, order);
    return std::move(**sorted);
}

Result<imap::Threads> SortCache::thread(const ListJob& job, imap::ThreadAlgorithm algorithm) {
    auto state = job.store.state(job.mailbox);
    if (!state) return state.error();
    const UidSet& existing = state->uids;
    if (!is_small(job, existing)) {
        auto threads = threads_.with(
            job.mailbox, existing.size(), job.stopped,
            [&](KeptThreads& kept, std::size_t max_bytes) {
                if (many_are_gone(kept.asked, existing)) kept = KeptThreads();
                return add_facts(job, existing - kept.asked, max_bytes, kept.facts, kept.asked);
            },
            [&](const KeptThreads& kept) {
                return thread_messages(kept.facts, job.uids, algorithm);
            });
        if (!threads) return threads.error();
        if (*threads) return std::move(**threads);
    }
    ThreadFacts facts(kv::random_number());
    UidSet asked;
    if (auto read = add_facts(job, job.uids, unbounded, facts, asked); !read) return read.error();
    return thread_messages(facts, job.uids, algorithm);
}

}  // namespace postern::imap_service

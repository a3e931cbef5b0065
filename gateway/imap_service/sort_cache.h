// What SORT and THREAD compare, of whole mailboxes, kept from one to the next.
//
// A UID never gets another content: what is kept stays right, and only what came since has to be
// read. So the first SORT by a key reads the mailbox, and later ones do not; one that wants a part
// of the result (RFC 9394) costs what that part is away from the beginning. THREAD makes its
// threads anew, from what is kept.
#pragma once

#include "gateway/imap_service/mailbox_cache.h"
#include "gateway/imap_service/search.h"
#include "gateway/imap_service/sort_keys.h"
#include "gateway/imap_service/thread_facts.h"
#include "protocols/base/result.h"
#include "protocols/base/uid_set.h"
#include "protocols/imap/questions.h"
#include "store/kv/random_id.h"
#include "store/mail/mail_store.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace postern::imap_service {

// Of all mailboxes together, for SORT and for THREAD each. A million messages take 8 MB and 12 MB
// more for each key, and their different texts; for THREAD some 100 MB, so that it reads them.
inline constexpr std::size_t max_sort_cache_bytes = 64 * 1024 * 1024;
// Of a mailbox of which less is asked for, one part in so many, that part is read instead.
inline constexpr std::uint64_t min_cached_share = 64;

// Which messages, and how they are read.
struct ListJob {
    mail::MailStore& store;
    MailboxId mailbox;
    const UidSet& uids;
    const std::atomic<bool>& stopped;
    SearchProgress* progress = nullptr;
};
struct SortOrder {
    const std::vector<imap::SortKey>& keys;
    const std::map<Uid, std::uint8_t>& relevancy;           // where a key is by it
    std::optional<imap::PartialRange> part = std::nullopt;  // see imap::Sort
};

class SortCache {
public:
    explicit SortCache(std::size_t max_bytes = max_sort_cache_bytes)
        : keys_(max_bytes), threads_(max_bytes) {}

    // As sort_messages, of whose answer it may leave out what `part` does not name. Any thread;
    // blocks, as does thread.
    Result<imap::Sorted> sort(const ListJob& job, const SortOrder& order);
    Result<imap::Threads> thread(const ListJob& job, imap::ThreadAlgorithm algorithm);

    std::size_t bytes() const { return keys_.bytes() + threads_.bytes(); }
    std::size_t mailboxes() const { return keys_.mailboxes() + threads_.mailboxes(); }

private:
    struct KeptThreads {
        ThreadFacts facts{kv::random_number()};
        UidSet asked;  // also what could not be read

        std::size_t bytes() const { return sizeof *this + facts.bytes(); }
    };

    MailboxCache<SortKeys> keys_;
    MailboxCache<KeptThreads> threads_;
};

}  // namespace postern::imap_service

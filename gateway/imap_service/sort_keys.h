// The keys of a mailbox's messages for SORT, a column for each criterion, each in order.
#pragma once

#include "gateway/imap_service/sort.h"
#include "protocols/base/uid_set.h"
#include "protocols/imap/questions.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace postern::imap_service {

// Of what is kept, the part whose messages may be gone before all is read anew: one in so many.
inline constexpr std::uint64_t max_gone_share = 4;
bool many_are_gone(const UidSet& kept, const UidSet& existing);

// One criterion of messages that are known by their index. Texts are numbers in here: equal ones
// the same, in order of their bytes.
class SortColumn {
public:
    explicit SortColumn(imap::SortKey::By by) : by_(by) {}

    void push(const SortFacts& message);
    // After the last push, before what follows.
    void settle();

    std::int64_t key(std::uint32_t index) const {
        const std::int64_t value = values_[index];
        return ranks_.empty() ? value : ranks_[static_cast<std::size_t>(value)];
    }
    // Indices by key, those of the same key ascending.
    const std::vector<std::uint32_t>& order() const { return order_; }
    std::size_t size() const { return values_.size(); }
    std::size_t bytes() const;

private:
    std::uint32_t number_of(const std::string& text);
    std::string_view text(std::uint32_t number) const;
    void settle_texts();

    const imap::SortKey::By by_;
    std::vector<std::int64_t> values_;  // of a text its number
    std::vector<std::uint32_t> order_;
    std::string texts_;
    std::vector<std::size_t> ends_;  // of each text, by number
    std::vector<std::uint32_t> by_text_, ranks_;
    std::unordered_map<std::string, std::uint32_t> unsettled_;
};

// Not thread-safe.
class SortKeys {
public:
    // Reads what is missing of these messages, the whole mailbox, for these criteria. Errors:
    // too_large (it takes more than max_bytes), else as visit_facts.
    Result<void> cover(mail::MailStore& store, MailboxId mailbox, const UidSet& existing,
                       const std::vector<imap::SortKey>& keys, std::size_t max_bytes,
                       const std::atomic<bool>& stopped, SearchProgress* progress);
    // Of covered criteria, those of `uids` that are covered.
    imap::Sorted sort(const UidSet& uids, const std::vector<imap::SortKey>& keys,
                      const std::optional<imap::PartialRange>& part) const;
    std::size_t bytes() const;

private:
    using Columns = std::map<imap::SortKey::By, SortColumn>;

    std::vector<Uid> uids_;  // by index, ascending
    UidSet covered_;         // the same
    UidSet asked_;           // also what could not be read
    Columns columns_;
};

}  // namespace postern::imap_service

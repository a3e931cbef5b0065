#include "gateway/imap_service/sort_keys.h"

#include "protocols/imap/pages.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace postern::imap_service {

namespace {

using By = imap::SortKey::By;

// So few more are put in one by one; more are merged.
constexpr std::size_t max_insertions = 64;
// What a text takes in unsettled_ besides its bytes, about.
constexpr std::size_t unsettled_text_bytes = 80;

const std::string* text_of(By by, const SortFacts& message) {
    switch (by) {
        case By::cc:
            return &message.cc;
        case By::from:
            return &message.from;
        case By::subject:
            return &message.subject;
        case By::to:
            return &message.to;
        case By::display_from:
            return &message.display_from;
        case By::display_to:
            return &message.display_to;
        case By::arrival:
        case By::date:
        case By::size:
        case By::relevancy:
            break;
    }
    return nullptr;
}

std::int64_t plain_key(By by, const SortFacts& message) {
    if (by == By::arrival) return message.arrival;
    return by == By::date ? message.sent : static_cast<std::int64_t>(message.size);
}

// Sorted numbers from `begin` on go where they belong among those before, which are in order.
template <class Less>
void merge_tail(std::vector<std::uint32_t>& numbers, std::size_t begin, Less less) {
    const auto at = [&](std::size_t index) {
        return numbers.begin() + static_cast<std::ptrdiff_t>(index);
    };
    std::sort(at(begin), numbers.end(), less);
    if (numbers.size() - begin > max_insertions) {
        std::inplace_merge(numbers.begin(), at(begin), numbers.end(), less);
        return;
    }
    for (std::size_t next = begin; next < numbers.size(); ++next) {
        const auto place = std::upper_bound(numbers.begin(), at(next), numbers[next], less);
        std::rotate(place, at(next), at(next + 1));
    }
}

FactsWanted wanted_by(const std::vector<By>& criteria) {
    FactsWanted wanted{false, false, false, false};
    for (const By by : criteria) {
        wanted.date |= by == By::date;
        wanted.subject |= by == By::subject;
        wanted.addresses |= by != By::subject && text_of(by, {}) != nullptr;
    }
    return wanted;
}

}  // namespace

bool many_are_gone(const UidSet& kept, const UidSet& existing) {
    return (kept - existing).size() * max_gone_share > kept.size();
}

void SortColumn::push(const SortFacts& message) {
    const std::string* text = text_of(by_, message);
    values_.push_back(text != nullptr ? number_of(*text) : plain_key(by_, message));
}

std::string_view SortColumn::text(std::uint32_t number) const {
    const std::size_t begin = number == 0 ? 0 : ends_[number - 1];
    return std::string_view(texts_).substr(begin, ends_[number] - begin);
}

std::uint32_t SortColumn::number_of(const std::string& wanted) {
    const auto known =
        std::lower_bound(by_text_.begin(), by_text_.end(), std::string_view(wanted),
                         [this](std::uint32_t each, std::string_view sought) {
                             return text(each) < sought;
                         });
    if (known != by_text_.end() && text(*known) == wanted) return *known;
    const auto [found, fresh] =
        unsettled_.try_emplace(wanted, static_cast<std::uint32_t>(ends_.size()));
    if (fresh) {
        texts_ += wanted;
        ends_.push_back(texts_.size());
    }
    return found->second;
}

void SortColumn::settle_texts() {
    if (by_text_.size() == ends_.size()) return;
    unsettled_ = {};
    const std::size_t settled = by_text_.size();
    for (std::size_t number = settled; number < ends_.size(); ++number) {
        by_text_.push_back(static_cast<std::uint32_t>(number));
    }
    merge_tail(by_text_, settled,
               [this](std::uint32_t a, std::uint32_t b) { return text(a) < text(b); });
    ranks_.resize(by_text_.size());
    for (std::size_t rank = 0; rank < by_text_.size(); ++rank) {
        ranks_[by_text_[rank]] = static_cast<std::uint32_t>(rank);
    }
}

void SortColumn::settle() {
    settle_texts();
    const std::size_t settled = order_.size();
    for (std::size_t index = settled; index < values_.size(); ++index) {
        order_.push_back(static_cast<std::uint32_t>(index));
    }
    merge_tail(order_, settled, [this](std::uint32_t a, std::uint32_t b) {
        const std::int64_t x = key(a), y = key(b);
        return x != y ? x < y : a < b;
    });
}

std::size_t SortColumn::bytes() const {
    return values_.capacity() * sizeof(values_[0]) + order_.capacity() * sizeof(order_[0]) +
           texts_.capacity() + ends_.capacity() * sizeof(ends_[0]) +
           (by_text_.capacity() + ranks_.capacity()) * sizeof(ranks_[0]) +
           unsettled_.size() * unsettled_text_bytes;
}

std::size_t SortKeys::bytes() const {
    std::size_t sum = sizeof *this + uids_.capacity() * sizeof(Uid);
    for (const auto& [by, column] : columns_) sum += column.bytes();
    return sum;
}

Result<void> SortKeys::cover(mail::MailStore& store, MailboxId mailbox, const UidSet& existing,
                             const std::vector<imap::SortKey>& keys, std::size_t max_bytes,
                             const std::atomic<bool>& stopped, SearchProgress* progress) {
    if (many_are_gone(asked_, existing)) *this = {};
    Columns fresh;
    std::vector<By> missing, all;
    for (const auto& [by, column] : columns_) all.push_back(by);
    for (const auto& key : keys) {
        if (columns_.contains(key.by) || !fresh.try_emplace(key.by, key.by).second) continue;
        missing.push_back(key.by);
        all.push_back(key.by);
    }
    const auto bytes_with_fresh = [&] {
        std::size_t sum = bytes();
        for (const auto& [by, column] : fresh) sum += column.bytes();
        return sum;
    };
    const auto too_large = [&]() -> Result<void> {
        if (bytes_with_fresh() <= max_bytes) return {};
        return Error{Errc::too_large, "the keys of a mailbox take too much memory"};
    };
    if (!fresh.empty() && !uids_.empty()) {
        // A message that is gone keeps its place, with any key.
        std::size_t index = 0;
        const auto push = [&](const SortFacts& message) {
            for (auto& [by, column] : fresh) column.push(message);
            ++index;
        };
        const auto read = visit_facts(store, mailbox, covered_ & existing, wanted_by(missing),
                                      stopped, progress, [&](const SortFacts& message) {
                                          while (uids_[index] < message.uid) push({});
                                          push(message);
                                          return index % max_insertions != 0 ? Result<void>()
                                                                             : too_large();
                                      });
        if (!read) return read;
        while (index < uids_.size()) push({});
    }
    columns_.merge(fresh);
    const auto read = visit_facts(
        store, mailbox, existing - asked_, wanted_by(all), stopped, progress,
        [&](const SortFacts& message) {
            uids_.push_back(message.uid);
            covered_.add(message.uid);
            asked_.add(message.uid);
            for (auto& [by, column] : columns_) column.push(message);
            return uids_.size() % max_insertions != 0 ? Result<void>() : too_large();
        });
    if (read) asked_ |= existing;
    covered_.pack();
    asked_.pack();
    for (auto& [by, column] : columns_) column.settle();
    if (!read) return read;
    return too_large();
}

imap::Sorted SortKeys::sort(const UidSet& uids, const std::vector<imap::SortKey>& keys,
                            const std::optional<imap::PartialRange>& part) const {
    const UidSet wanted = uids & covered_;
    const bool whole = wanted == covered_;
    imap::Sorted out;
    out.count = wanted.size();
    std::uint64_t first = 1, last = out.count;
    if (part) std::tie(first, last) = imap::positions_of(*part, out.count);
    if (first > last) return out;
    out.skipped = first - 1;
    out.uids.reserve(last - first + 1);

    std::vector<const SortColumn*> columns;
    for (const auto& key : keys) columns.push_back(&columns_.at(key.by));
    const auto less = [&](std::uint32_t a, std::uint32_t b) {
        for (std::size_t i = 1; i < columns.size(); ++i) {
            const std::int64_t x = columns[i]->key(a), y = columns[i]->key(b);
            if (x != y) return keys[i].reverse ? x > y : x < y;
        }
        return a < b;
    };
    const SortColumn& column = *columns.front();
    const auto& order = column.order();
    std::uint64_t place = 0;
    std::vector<std::uint32_t> group;  // of one key, those that are wanted
    const auto tell_group = [&](std::size_t begin, std::size_t end) {
        group.clear();
        for (std::size_t i = begin; i < end; ++i) {
            if (whole || wanted.contains(uids_[order[i]])) group.push_back(order[i]);
        }
        const bool named = place + group.size() >= first;
        if (named && group.size() > 1 && columns.size() > 1) {
            std::sort(group.begin(), group.end(), less);
        }
        for (const std::uint32_t index : group) {
            if (++place >= first && place <= last) out.uids.push_back(uids_[index]);
        }
    };
    const auto same = [&](std::size_t a, std::size_t b) {
        return column.key(order[a]) == column.key(order[b]);
    };
    if (keys.front().reverse) {
        for (std::size_t end = order.size(); end > 0 && place < last;) {
            std::size_t begin = end - 1;
            while (begin > 0 && same(begin - 1, end - 1)) --begin;
            tell_group(begin, end);
            end = begin;
        }
    } else {
        for (std::size_t begin = 0; begin < order.size() && place < last;) {
            std::size_t end = begin + 1;
            while (end < order.size() && same(begin, end)) ++end;
            tell_group(begin, end);
            begin = end;
        }
    }
    return out;
}

}  // namespace postern::imap_service

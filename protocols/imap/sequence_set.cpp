#include "protocols/imap/sequence_set.h"

#include "protocols/imap/engine.h"

#include <algorithm>

namespace postern::imap {
namespace {

constexpr std::pair<std::uint32_t, std::uint32_t> everything{1, SequenceSet::star};

std::optional<std::uint32_t> parse_number_or_star(Lexer& lexer) {
    if (lexer.skip('*')) return SequenceSet::star;
    return lexer.nz_number();
}

// Ascending, with the star replaced.
std::pair<std::uint32_t, std::uint32_t> in_order(std::pair<std::uint32_t, std::uint32_t> range,
                                                 std::uint32_t largest) {
    if (range.first == SequenceSet::star) range.first = largest;
    if (range.second == SequenceSet::star) range.second = largest;
    return std::minmax(range.first, range.second);
}

}  // namespace

std::optional<SequenceSet> parse_sequence_set(Lexer& lexer) {
    Lexer ahead = lexer;
    SequenceSet set;
    if (ahead.skip('$')) {
        set.saved = true;
        lexer = ahead;
        return set;
    }
    do {
        const auto first = parse_number_or_star(ahead);
        if (!first) return std::nullopt;
        auto last = first;
        if (ahead.skip(':')) last = parse_number_or_star(ahead);
        if (!last || set.ranges.size() == max_sequence_ranges) return std::nullopt;
        set.ranges.emplace_back(*first, *last);
    } while (ahead.skip(','));
    lexer = ahead;
    return set;
}

std::optional<UidSet> resolve_positions(const SequenceSet& set, const UidSet& uids) {
    const auto count = static_cast<std::uint32_t>(uids.size());
    UidSet found;
    for (const auto& range : set.ranges) {
        // Scripts ask for 1:* before they know that there is nothing; "*" alone stays an error.
        if (count == 0 && range == everything) continue;
        const auto [first, last] = in_order(range, count);
        if (first == 0 || last > count) return std::nullopt;
        found.add_range(uids.at(first), uids.at(last));
    }
    return found &= uids;
}

UidSet resolve_existing_positions(const SequenceSet& set, const UidSet& uids) {
    const auto count = static_cast<std::uint32_t>(uids.size());
    UidSet found;
    for (const auto& range : set.ranges) {
        const auto [first, last] = in_order(range, count);
        if (first == 0 || first > count) continue;
        found.add_range(uids.at(first), uids.at(std::min(last, count)));
    }
    return found &= uids;
}

UidSet resolve_uids(const SequenceSet& set, const UidSet& uids) {
    UidSet found;
    for (const auto& range : set.ranges) {
        const auto [first, last] = in_order(range, uids.max());
        found.add_range(first, last);
    }
    return found &= uids;
}

}  // namespace postern::imap

// A SEARCH program as a tree (RFC 3501 section 6.4.4).
//
// Sequence numbers, UID sets, RECENT, OLD and NEW are turned into kind `uids` by the engine, which
// alone knows the client's view. Text is compared as the RFC says: a substring, case-insensitively.
#pragma once

#include "protocols/base/uid_set.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace postern::imap {

inline constexpr std::size_t max_search_keys = 1000;
inline constexpr std::size_t max_search_depth = 32;

struct SearchKey {
    enum class Kind : std::uint8_t {
        all,
        uids,
        system_flag,
        no_system_flag,
        keyword,
        no_keyword,
        before,  // internal date, whole days
        on,
        since,
        sent_before,  // Date field, whole days, its own zone disregarded
        sent_on,
        sent_since,
        larger,
        smaller,
        header,  // name and text; empty text: the field is there
        subject,
        from,
        to,
        cc,
        bcc,
        body,
        text,
        modseq,
        arrived_since,   // internal date, seconds since 1970-01-01 (RFC 5032 YOUNGER); at least
        arrived_before,  // likewise (OLDER): at most
        saved_before,    // save date, whole days (RFC 8514)
        saved_on,
        saved_since,
        email_id,  // text (RFC 8474)
        thread_id,
        fuzzy,  // one child, whose text may be found roughly (RFC 6203)
        not_,   // one child
        or_,    // any number of children
        and_,
    };
    Kind kind = Kind::all;
    UidSet uids;
    std::uint8_t flag = 0;    // SystemFlag
    std::string name;         // header name or keyword
    std::string text;         // UTF-8
    std::int64_t number = 0;  // size, modseq, or days since 1970-01-01
    std::vector<SearchKey> children;
};

// One criterion of SORT (RFC 5256, RFC 5957).
struct SortKey {
    enum class By : std::uint8_t {
        arrival,
        cc,
        date,
        from,
        size,
        subject,
        to,
        display_from,
        display_to,
        relevancy,  // best first (RFC 6203)
    };
    By by = By::arrival;
    bool reverse = false;
};
inline constexpr std::size_t max_sort_keys = 16;

// PARTIAL (RFC 9394): positions in a result, both included; negative ones count from its end.
struct PartialRange {
    std::int64_t first = 1, last = 1;
};

enum class ThreadAlgorithm : std::uint8_t { ordered_subject, references };

// Whose mod-sequences an answer tells the highest of (RFC 4731 section 3.2): of the first, the last
// or both of them when only these are shown, else of all that was found.
enum class ModSeqOf : std::uint8_t { none, first, last, ends, all };

// Those of `found` that count; first and last in the order of the answer, 0 when nothing was found.
UidSet modseq_counts_of(ModSeqOf of, const UidSet& found, UidSet::Value first, UidSet::Value last);

}  // namespace postern::imap

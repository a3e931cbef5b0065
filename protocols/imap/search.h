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
        not_,  // one child
        or_,   // any number of children
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

}  // namespace postern::imap

// Where the matches of a rule begin and how many there are: asked only of rules that fired, since
// telling starts for all rules at once would slow every scan.
#pragma once

#include "filters/patterns/hyperscan.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace postern::filters {

// Any thread; the database is made when it is first needed.
class Locator {
public:
    // The match that ends at `end` of `text`, quoted, at most max_evidence_bytes.
    std::string evidence(const Pattern& pattern, std::string_view text, std::size_t end,
                         Scratch& scratch);
    // Matches in `text` that do not overlap, at most `limit`. A pattern too large to tell starts
    // counts once.
    std::uint32_t count(const Pattern& pattern, std::string_view text, std::uint32_t limit,
                        Scratch& scratch);
    // Where the match that ends first ends; nothing: there is none.
    std::optional<std::size_t> first_end(const Pattern& pattern, std::string_view text,
                                         Scratch& scratch);

    // What would else be done by the first of those calls; the octets that it takes from then on.
    std::size_t prepare(const Pattern& pattern);

private:
    struct Compiled {
        Database database;
        bool tells_starts = false;  // not of a pattern too large for that
    };
    const Compiled& compiled(const Pattern& pattern);
    const Compiled& compiled_by_whoever_scans(const Pattern& pattern);

    std::mutex scanning_;  // held by the one that compiles during a scan; taken before mutex_
    std::mutex mutex_;     // guards compiled_, which stays once it is there
    std::unique_ptr<const Compiled> compiled_;
};

}  // namespace postern::filters

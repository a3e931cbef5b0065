// Asks one segment (see segment_writer.h). Several readers and one writer may have it open.
#pragma once

#include "protocols/base/result.h"
#include "store/fulltext/text.h"

#include <xapian.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::fulltext {

// A stretch that lies in more different words is not looked up in them: it tells too little.
inline constexpr std::size_t max_matching_words = 20'000;

// Not thread-safe. Errors: corrupt, unavailable.
class SegmentReader {
public:
    static Result<SegmentReader> open(const std::string& folder);

    // What is indexed, as of the last find().
    const UidSet& uids() const { return uids_; }
    std::uint32_t uid_validity() const { return validity_; }

    // Of uids(): those whose text in `field` surely, and those that possibly hold the needle
    // (folded, not empty).
    Result<Match> find(Field field, std::string_view needle);

private:
    SegmentReader() = default;
    Result<void> load();
    Match answer(Field field, std::string_view needle);
    // Messages with words that hold the stretch, which touches the word's ends where told so;
    // nullopt: too many words, or too short to say.
    std::optional<UidSet> with_words(Field field, std::string_view stretch, bool at_begin,
                                     bool at_end);
    UidSet with_grams(Field field, std::string_view stretch, bool at_end);
    std::optional<UidSet> with_run(Field field, std::string_view run, bool at_begin, bool at_end);
    // Takes those away that surely do not hold these.
    void keep_junctions(Field field, const std::vector<std::uint64_t>& junctions, UidSet& among);
    void add_postings(const std::string& name, UidSet& out);
    void keep_postings(const std::string& name, UidSet& among);

    std::string folder_;
    Xapian::Database database_;
    UidSet uids_;
    std::uint32_t validity_ = 0;
};

}  // namespace postern::fulltext

#include "store/fulltext/segment_reader.h"

#include "store/fulltext/guard.h"
#include "store/fulltext/junctions.h"
#include "store/fulltext/runs.h"
#include "store/fulltext/terms.h"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

namespace postern::fulltext {

namespace {

// A writer may change the segment under a reader that often before it gives up.
constexpr int max_reopenings = 5;
// A skip looks the place up anew, and a piece of the file holds some ten signatures: what lies so
// near is sooner reached step by step.
constexpr Xapian::docid max_steps = 32;

}  // namespace

Result<SegmentReader> SegmentReader::open(const std::string& folder) {
    return guarded(folder, [&]() -> Result<SegmentReader> {
        SegmentReader reader;
        reader.folder_ = folder;
        reader.database_ = Xapian::Database(folder, Xapian::DB_BACKEND_GLASS);
        if (auto loaded = reader.load(); !loaded) return loaded.error();
        return reader;
    });
}

Result<void> SegmentReader::load() {
    const auto uids = database_.get_metadata(std::string(uids_key));
    uids_.clear();
    if (!uids.empty() && !uids_.deserialize(uids)) {
        return Error{Errc::corrupt, folder_ + ": damaged"};
    }
    const auto validity = database_.get_metadata(std::string(validity_key));
    validity_ = 0;
    std::from_chars(validity.data(), validity.data() + validity.size(), validity_);
    return {};
}

Result<Match> SegmentReader::find(Field field, std::string_view needle) {
    return guarded(folder_, [&]() -> Result<Match> {
        for (int i = 0;; ++i) {
            try {
                return answer(field, needle);
            } catch (const Xapian::DatabaseModifiedError&) {
                if (i == max_reopenings) throw;
                database_.reopen();
                if (auto loaded = load(); !loaded) return loaded.error();
            }
        }
    });
}

void SegmentReader::add_postings(const std::string& name, UidSet& out) {
    for (auto it = database_.postlist_begin(name); it != database_.postlist_end(name); ++it) {
        out.add(*it);
    }
}

void SegmentReader::keep_postings(const std::string& name, UidSet& among) {
    UidSet kept;
    auto it = database_.postlist_begin(name);
    const auto end = database_.postlist_end(name);
    for (const auto uid : among.to_vector()) {
        if (it == end) break;
        it.skip_to(uid);
        if (it != end && *it == uid) kept.add(uid);
    }
    among = std::move(kept);
}

void SegmentReader::keep_junctions(Field field, const std::vector<std::uint64_t>& junctions,
                                   UidSet& among) {
    if (junctions.empty()) return;
    UidSet kept;
    auto it = database_.valuestream_begin(signature_slot(field));
    const auto end = database_.valuestream_end(signature_slot(field));
    for (const auto uid : among.to_vector()) {
        if (it != end && it.get_docid() + max_steps < uid) it.skip_to(uid);
        while (it != end && it.get_docid() < uid) ++it;
        const bool has_one = it != end && it.get_docid() == uid;
        if (!has_one || may_hold(*it, junctions)) kept.add(uid);
    }
    among = std::move(kept);
}

std::optional<UidSet> SegmentReader::with_words(Field field, std::string_view stretch,
                                                bool at_begin, bool at_end) {
    UidSet found;
    if (is_unspaced(stretch) || points(stretch) > max_word_points) return found;
    if (at_begin && at_end) {
        add_postings(term(field, word_kind, stretch), found);
        return found;
    }
    if (!at_begin && points(stretch) < min_listed_points) return std::nullopt;
    std::string prefix = "l" + std::string(stretch);
    if (at_end) prefix += '\0';
    std::size_t words = 0;
    auto key = database_.metadata_keys_begin(prefix);
    for (; key != database_.metadata_keys_end(prefix); ++key) {
        const std::string listed = *key;
        const auto border = listed.find('\0');
        const std::string begin = listed.substr(border + 1);
        if (++words > max_matching_words) return std::nullopt;
        if (at_begin && !begin.empty()) continue;
        add_postings(term(field, word_kind, begin + listed.substr(1, border - 1)), found);
    }
    return found;
}

UidSet SegmentReader::with_grams(Field field, std::string_view stretch, bool at_end) {
    UidSet found;
    std::vector<std::pair<Xapian::doccount, std::string>> names;
    const auto size = points(stretch);
    if (!at_end && size < gram_points) {
        const auto prefix = term(field, gram_kind, stretch);
        for (auto it = database_.allterms_begin(prefix); it != database_.allterms_end(prefix);
             ++it) {
            add_postings(*it, found);
        }
        return found;
    }
    for (const auto gram : grams_of(stretch)) {
        if (!at_end && points(gram) < gram_points) break;
        const auto name = term(field, gram_kind, gram);
        names.emplace_back(database_.get_termfreq(name), name);
    }
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    add_postings(names.front().second, found);
    for (std::size_t i = 1; i < names.size() && !found.empty(); ++i) {
        keep_postings(names[i].second, found);
    }
    return found;
}

std::optional<UidSet> SegmentReader::with_run(Field field, std::string_view run, bool at_begin,
                                              bool at_end) {
    auto found = with_words(field, run, at_begin, at_end);
    if (found) *found |= with_grams(field, run, at_end);
    return found;
}

Match SegmentReader::answer(Field field, std::string_view needle) {
    const Runs parts = runs_of(needle);
    Match match;
    UidSet overflown;
    add_postings(std::string(overflow_term), overflown);
    const auto& runs = parts.runs;
    const bool inside_a_run = runs.size() == 1 && parts.begins_open && parts.ends_open;
    if (inside_a_run) {
        const auto run = runs.front();
        auto words = with_words(field, run, false, false);
        UidSet grams = with_grams(field, run, false);
        // All grams being there does not make them follow each other, except for a single one.
        const bool exact = points(run) <= gram_points;
        if (words) match.sure = std::move(*words);
        if (exact) match.sure |= grams;
        match.possible = words ? std::move(grams) : uids_;
    } else {
        match.possible = uids_;
        for (std::size_t i = 0; i < runs.size(); ++i) {
            const bool at_begin = i > 0 || !parts.begins_open;
            const bool at_end = i + 1 < runs.size() || !parts.ends_open;
            if (const auto with = with_run(field, runs[i], at_begin, at_end)) {
                match.possible &= *with;
            }
        }
        keep_junctions(field, junctions_of_needle(parts), match.possible);
    }
    // A set is committed together with its documents, so it never lags behind them.
    match.sure &= uids_;
    match.possible |= overflown;
    match.possible &= uids_;
    match.possible -= match.sure;
    return match;
}

}  // namespace postern::fulltext

// Where one run of a text ends and the next begins (see runs.h): what narrows down a search for
// several words in a row.
//
// A junction is the last characters of a run, what stands between, and the first characters of the
// next run: gram_points of each and, as another one, long_junction_points of each; a shorter run is
// taken whole. The long ones tell more, the others are there for needles that end in a piece of a
// word. Of a message all junctions are kept as a signature, a Bloom filter: it answers "not there"
// for sure and "there" mostly.
#pragma once

#include "store/fulltext/runs.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace postern::fulltext {

// A message with more different ones has no signature: it may hold any.
inline constexpr std::size_t max_message_junctions = 40'000;
inline constexpr std::size_t signature_bits_a_junction = 8;
inline constexpr std::size_t long_junction_points = 4;

class Junctions {
public:
    // Beyond the limit it only counts on to tell that there are too many.
    void add(std::string_view text);
    // Never empty, but for too many junctions.
    std::string signature() const;

private:
    std::unordered_set<std::uint64_t> hashes_;
};

// Those that a text must hold to hold the needle; what tells more first. A junction with a run that
// the needle may have only a piece of, and too short a piece, is left out.
std::vector<std::uint64_t> junctions_of_needle(const Runs& needle);

// An empty signature may hold any.
bool may_hold(std::string_view signature, const std::vector<std::uint64_t>& junctions);

}  // namespace postern::fulltext

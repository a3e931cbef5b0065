#include "store/fulltext/junctions.h"

#include "protocols/base/hash.h"

#include <algorithm>

namespace postern::fulltext {

namespace {

constexpr unsigned probes = 5;

bool continues(char c) {
    return (c & 0xC0) == 0x80;
}

// Both look at the bytes of these characters alone, so that a piece of a run that holds them has
// the same ones as the run.
std::string_view first_points(std::string_view run, std::size_t count) {
    std::size_t end = 0;
    for (std::size_t i = 0; i < count && end < run.size(); ++i) {
        do ++end;
        while (end < run.size() && continues(run[end]));
    }
    return run.substr(0, end);
}
std::string_view last_points(std::string_view run, std::size_t count) {
    std::size_t begin = run.size();
    for (std::size_t i = 0; i < count && begin > 0; ++i) {
        do --begin;
        while (begin > 0 && continues(run[begin]));
    }
    return run.substr(begin);
}

// Of two runs of one text, the second after the first; `count` characters of each.
std::uint64_t junction(std::string_view first, std::string_view second, std::size_t count) {
    const std::string_view end = last_points(first, count), begin = first_points(second, count);
    return hash64({end.data(), static_cast<std::size_t>(begin.data() + begin.size() - end.data())});
}

// Where the probes of a junction lie: steps of an odd width through the bits.
template <class Visit>
bool all_bits(std::uint64_t hash, std::uint64_t bits, Visit visit) {
    const std::uint64_t step = hash >> 32 | 1;
    for (unsigned i = 0; i < probes; ++i) {
        if (!visit((hash + i * step) % bits)) return false;
    }
    return true;
}

}  // namespace

void Junctions::add(std::string_view text) {
    const auto runs = runs_of(text).runs;
    for (std::size_t i = 1; i < runs.size(); ++i) {
        for (const std::size_t count : {gram_points, long_junction_points}) {
            if (hashes_.size() > max_message_junctions) return;
            hashes_.insert(junction(runs[i - 1], runs[i], count));
        }
    }
}

std::string Junctions::signature() const {
    if (hashes_.size() > max_message_junctions) return {};
    std::string out(std::max<std::size_t>(1, (hashes_.size() * signature_bits_a_junction + 7) / 8),
                    '\0');
    for (const std::uint64_t hash : hashes_) {
        all_bits(hash, out.size() * 8, [&](std::uint64_t bit) {
            out[bit / 8] = static_cast<char>(out[bit / 8] | 1 << bit % 8);
            return true;
        });
    }
    return out;
}

std::vector<std::uint64_t> junctions_of_needle(const Runs& needle) {
    std::vector<std::uint64_t> out;
    const auto& runs = needle.runs;
    for (const std::size_t count : {long_junction_points, gram_points}) {
        for (std::size_t i = 1; i < runs.size(); ++i) {
            const bool piece_before = i == 1 && needle.begins_open;
            const bool piece_after = i + 1 == runs.size() && needle.ends_open;
            if (piece_before && points(runs[i - 1]) < count) continue;
            if (piece_after && points(runs[i]) < count) continue;
            out.push_back(junction(runs[i - 1], runs[i], count));
        }
    }
    return out;
}

bool may_hold(std::string_view signature, const std::vector<std::uint64_t>& junctions) {
    if (signature.empty()) return true;
    return std::all_of(junctions.begin(), junctions.end(), [&](std::uint64_t hash) {
        return all_bits(hash, signature.size() * 8, [&](std::uint64_t bit) {
            return (signature[bit / 8] >> bit % 8 & 1) != 0;
        });
    });
}

}  // namespace postern::fulltext

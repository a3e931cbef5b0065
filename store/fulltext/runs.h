// Text as the index sees it: runs of word characters, and what stands for a run in the index.
//
// A run is the longest stretch of letters, digits and other characters that are no separator. Most
// runs are words and are indexed whole. Runs that hardly ever come twice (keys, hashes), that are
// too long, or that hold a script without spaces are indexed by their grams: at each character the
// stretch of gram_points characters that begins there, shorter ones at the run's end. Text must be
// folded (mime::fold_case). Thread rule: any function from any thread.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>
#include <vector>

namespace postern::fulltext {

inline constexpr std::size_t gram_points = 3;
inline constexpr std::size_t max_word_points = 24;  // longer runs are indexed by grams
// A run with a digit that is longer than this is indexed by grams.
inline constexpr std::size_t max_mixed_word_points = 6;

struct Runs {
    std::vector<std::string_view> runs;
    bool begins_open = false;  // the text's first character belongs to the first run
    bool ends_open = false;    // the text's last character belongs to the last run
};
Runs runs_of(std::string_view text);

bool is_word(std::string_view run);
// Holds a character of a script that puts no spaces between words.
bool is_unspaced(std::string_view run);
std::size_t points(std::string_view run);  // characters
// Where each character of the run begins, and its end.
std::vector<std::size_t> point_offsets(std::string_view run);
// One gram for each character; the last gram_points - 1 are shorter.
std::vector<std::string_view> grams_of(std::string_view run);
// The same without a list, for runs of any length; ends early when `visit` answers false.
void for_each_gram(std::string_view run, const std::function<bool(std::string_view)>& visit);

}  // namespace postern::fulltext

// Names in a segment's database. Internal to store/fulltext.
//
//   term  field 'w' word          a word of that field
//   term  field 'g' gram          a gram of that field
//   term  '!'                     a message with too much text: it has to be read
//   data  'l' end NUL begin       of the word begin+end: a stretch inside a word is found as the
//                                 first characters of such a key
//   data  "uids", "validity"      what is indexed
//   value 0, 1                    signatures of the body's and the header's junctions (junctions.h)
#pragma once

#include "store/fulltext/text.h"

#include <string>
#include <string_view>
#include <vector>

namespace postern::fulltext {

// Part of each folder's name: another layout, or other text of a message, is another index, built
// anew.
inline constexpr int layout_version = 3;

inline constexpr std::string_view overflow_term = "!";
inline constexpr std::string_view uids_key = "uids";
inline constexpr std::string_view validity_key = "validity";
inline constexpr char word_kind = 'w';
inline constexpr char gram_kind = 'g';
// Shorter ends of words are not listed, so that shorter stretches cannot be looked up in words.
inline constexpr std::size_t min_listed_points = 3;

inline char letter(Field field) {
    return "BHSFTCX"[static_cast<std::size_t>(field)];
}

inline std::string term(Field field, char kind, std::string_view text) {
    std::string out{letter(field), kind};
    return out += text;
}

inline std::string listed_key(std::string_view begin, std::string_view end) {
    std::string key = "l";
    key += end;
    key += '\0';
    return key += begin;
}

// Where the signature lies that covers that field.
inline unsigned signature_slot(Field field) {
    return field == Field::body ? 0 : 1;
}

// All keys under which a word is listed; the first is that of the whole word.
std::vector<std::string> listed_keys(std::string_view word);

}  // namespace postern::fulltext

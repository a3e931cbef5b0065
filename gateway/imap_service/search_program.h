// A SEARCH program prepared for evaluation: costs known, cheap keys first, needles folded once.
#pragma once

#include "protocols/imap/search.h"

#include <cstdint>
#include <string>
#include <vector>

namespace postern::imap_service {

// What must be at hand to decide a key, each including the ones before.
enum class Cost : std::uint8_t { sets, row, summary, header, body };

struct Node {
    const imap::SearchKey* key = nullptr;  // of the program, which must outlive this
    Cost cost = Cost::sets;                // the highest below, too
    std::string needle;                    // folded text
    bool fuzzy = false;                    // below FUZZY
    std::string name;                      // lower-case header name
    std::vector<Node> children;            // ascending by cost
};

Node prepare(const imap::SearchKey& program);

}  // namespace postern::imap_service

#include "filters/features/features.h"

#include "protocols/base/hash.h"

#include <algorithm>
#include <cctype>
#include <unordered_set>

namespace postern::filters {

Features extract(const ScanInput& input, Names names) {
    Features features;
    const std::string_view text = input.message.substr(0, max_scanned_bytes);
    for (std::uint64_t half = 0; half < 2; ++half) {
        const std::uint64_t hash = hash64(text, half);
        for (std::size_t i = 0; i < 8; ++i) {
            features.vector.digest.bytes[half * 8 + i] = static_cast<std::uint8_t>(hash >> (8 * i));
        }
    }
    std::unordered_set<std::uint64_t> seen;
    for (std::size_t i = 0; i < text.size() && seen.size() < max_features;) {
        std::size_t end = i;
        while (end < text.size() && std::isalnum(static_cast<unsigned char>(text[end])) != 0) ++end;
        if (end - i >= 2 && end - i <= 40) {
            const std::uint64_t hash = hash64(text.substr(i, end - i)) >> (64 - feature_bits);
            if (seen.insert(hash).second) {
                features.vector.hashes.push_back(hash);
                if (names == Names::kept) features.names.emplace_back(text.substr(i, end - i));
            }
        }
        i = end + 1;
    }
    features.vector.tokens = static_cast<std::uint32_t>(features.vector.hashes.size());
    return features;
}

}  // namespace postern::filters

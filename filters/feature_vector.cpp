#include "filters/feature_vector.h"

#include <algorithm>

namespace postern::filters {

namespace {

constexpr char format_version = 1;
constexpr std::size_t hash_bytes = feature_bits / 8;
constexpr std::size_t head_bytes = 1 + 16 + 3 * 4;

void append(std::string& out, std::uint64_t value, std::size_t bytes) {
    for (std::size_t i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i));
}

std::uint64_t take(std::string_view& in, std::size_t bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i) {
        value |= std::uint64_t{static_cast<unsigned char>(in[i])} << (8 * i);
    }
    in.remove_prefix(bytes);
    return value;
}

}  // namespace

std::string FeatureVector::encode() const {
    const std::size_t hash_count = std::min(hashes.size(), max_features);
    const std::size_t gram_count = std::min(grams.size(), max_grams);
    std::string out;
    out.reserve(head_bytes + hash_count * hash_bytes + gram_count * 4);
    out += format_version;
    out.append(reinterpret_cast<const char*>(digest.bytes.data()), digest.bytes.size());
    append(out, std::min<std::size_t>(tokens, hash_count), 4);
    append(out, hash_count, 4);
    append(out, gram_count, 4);
    for (std::size_t i = 0; i < hash_count; ++i) append(out, hashes[i], hash_bytes);
    for (std::size_t i = 0; i < gram_count; ++i) append(out, grams[i], 4);
    return out;
}

Result<FeatureVector> FeatureVector::decode(std::string_view bytes) {
    if (bytes.size() < head_bytes || bytes[0] != format_version) {
        return Error{Errc::corrupt, "feature vector: too short or of an unknown version"};
    }
    FeatureVector vector;
    std::copy_n(bytes.begin() + 1, vector.digest.bytes.size(), vector.digest.bytes.begin());
    bytes.remove_prefix(1 + vector.digest.bytes.size());
    vector.tokens = static_cast<std::uint32_t>(take(bytes, 4));
    const std::uint64_t hash_count = take(bytes, 4);
    const std::uint64_t gram_count = take(bytes, 4);
    if (hash_count > max_features || gram_count > max_grams || vector.tokens > hash_count ||
        bytes.size() != hash_count * hash_bytes + gram_count * 4) {
        return Error{Errc::corrupt, "feature vector: counts and length do not agree"};
    }
    vector.hashes.reserve(hash_count);
    for (std::uint64_t i = 0; i < hash_count; ++i) {
        vector.hashes.push_back(take(bytes, hash_bytes));
    }
    vector.grams.reserve(gram_count);
    for (std::uint64_t i = 0; i < gram_count; ++i) {
        vector.grams.push_back(static_cast<std::uint32_t>(take(bytes, 4)));
    }
    return vector;
}

}  // namespace postern::filters

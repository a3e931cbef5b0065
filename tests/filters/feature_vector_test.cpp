#include "filters/feature_vector.h"

namespace postern::filters {
namespace {

FeatureVector with(std::size_t hashes, std::size_t grams) {
    FeatureVector vector;
    vector.digest.bytes[3] = 77;
    for (std::size_t i = 0; i < hashes; ++i) {
        vector.hashes.push_back((i * 0x9E3779B97F4A7C15U) >> (64 - feature_bits));
    }
    for (std::size_t i = 0; i < grams; ++i) vector.grams.push_back(static_cast<std::uint32_t>(~i));
    vector.tokens = static_cast<std::uint32_t>(hashes / 3);
    return vector;
}

TEST(FeatureVector, RoundTrip) {
    for (const FeatureVector& vector : {FeatureVector{}, with(1, 0), with(0, 1), with(500, 300)}) {
        const auto decoded = FeatureVector::decode(vector.encode());
        ASSERT_TRUE(decoded.has_value());
        EXPECT_EQ(*decoded, vector);
    }
}

TEST(FeatureVector, TheLargestFitsOneStoredValue) {
    const std::string bytes = with(max_features, max_grams).encode();
    EXPECT_EQ(bytes.size(), max_feature_vector_bytes);
    EXPECT_LT(bytes.size(), 63U * 1024);
    EXPECT_TRUE(FeatureVector::decode(bytes).has_value());
    EXPECT_EQ(with(max_features - 1, max_grams - 1).encode().size(), bytes.size() - 10);
}

TEST(FeatureVector, OverTheLimitIsCut) {
    const auto decoded = FeatureVector::decode(with(max_features + 1, max_grams + 1).encode());
    ASSERT_TRUE(decoded.has_value());
    EXPECT_EQ(decoded->hashes.size(), max_features);
    EXPECT_EQ(decoded->grams.size(), max_grams);
}

TEST(FeatureVector, EveryCutAndEveryTailIsCorrupt) {
    const std::string bytes = with(5, 5).encode();
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const auto decoded = FeatureVector::decode(std::string_view(bytes).substr(0, i));
        ASSERT_FALSE(decoded.has_value());
        EXPECT_EQ(decoded.error().code, Errc::corrupt);
    }
    EXPECT_FALSE(FeatureVector::decode(bytes + "x").has_value());
}

TEST(FeatureVector, UnknownVersionIsCorrupt) {
    std::string bytes = with(5, 5).encode();
    bytes[0] = 2;
    EXPECT_FALSE(FeatureVector::decode(bytes).has_value());
}

}  // namespace
}  // namespace postern::filters

#include "protocols/base/ids.h"

#include "protocols/base/hash.h"
#include "protocols/base/result.h"

namespace postern {
namespace {

TEST(Id128, PrintsAndReadsHex) {
    Id128 id;
    for (std::size_t i = 0; i < id.bytes.size(); ++i)
        id.bytes[i] = static_cast<std::uint8_t>(17 * i);
    const std::string text = to_hex(id);
    EXPECT_EQ(text, "00112233445566778899aabbccddeeff");
    Id128 read;
    ASSERT_TRUE(from_hex(text, read));
    EXPECT_EQ(read, id);
    ASSERT_TRUE(from_hex("00112233445566778899AABBCCDDEEFF", read));
    EXPECT_EQ(read, id);
}

TEST(Id128, RefusesWhatIsNotThirtyTwoHexDigits) {
    Id128 id;
    EXPECT_FALSE(from_hex(std::string(31, '0'), id));
    EXPECT_FALSE(from_hex(std::string(33, '0'), id));
    EXPECT_FALSE(from_hex(std::string(31, '0') + "g", id));
    EXPECT_TRUE(id.empty());
}

TEST(Hash64, IsTheSameOnEveryMachine) {
    // XXH3_64bits reference values: stored models and digests depend on them.
    EXPECT_EQ(hash64(""), 0x2d06800538d394c2ULL);
    EXPECT_NE(hash64("a", 0), hash64("a", 1));
}

TEST(ResultTest, CarriesEitherValueOrError) {
    const Result<int> good = 7;
    const Result<int> bad = Error{Errc::over_quota, "pool full"};
    EXPECT_EQ(good.value(), 7);
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error().code, Errc::over_quota);
    EXPECT_STREQ(to_string(bad.error().code), "over quota");
    EXPECT_THROW(static_cast<void>(bad.value()), std::logic_error);
}

}  // namespace
}  // namespace postern

#include "protocols/wire/base64.h"

#include <gtest/gtest.h>

namespace postern::wire {
namespace {

TEST(Base64, KnownPairs) {  // RFC 4648 section 10
    const std::pair<std::string, std::string> pairs[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
    for (const auto& [bytes, text] : pairs) {
        EXPECT_EQ(base64_encode(bytes), text);
        EXPECT_EQ(base64_decode(text), bytes);
    }
}

TEST(Base64, EveryByteComesBack) {
    std::string bytes;
    for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
    for (std::size_t size = 250; size <= 256; ++size) {
        EXPECT_EQ(base64_decode(base64_encode(bytes.substr(0, size))), bytes.substr(0, size));
    }
}

TEST(Base64, RefusesWhatIsNotCanonical) {
    for (const std::string text : {"Z", "Zg", "Zg=", "Zh==", "Zm9=", "Zm8=Zm8=", "====", "=",
                                   "Z===", "Zm 8", "Zm8=\n", "Zm-_", "Zg==Zg==", "Zm\xc3\xa4"}) {
        EXPECT_FALSE(base64_decode(text)) << text;
    }
    EXPECT_FALSE(base64_decode(std::string("Zm\0v", 4)));
}

}  // namespace
}  // namespace postern::wire

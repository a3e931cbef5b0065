#include "protocols/mime/idna.h"

#include <gtest/gtest.h>

namespace postern::mime {
namespace {

TEST(Idna, BothWays) {
    EXPECT_EQ(domain_to_ascii("b\xc3\xbc"
                              "cher.Example"),
              "xn--bcher-kva.example");
    EXPECT_EQ(domain_to_ascii("B\xc3\x9c"
                              "CHER.example"),
              "xn--bcher-kva.example");
    EXPECT_EQ(domain_to_ascii("fa\xc3\x9f.example"), "xn--fa-hia.example");
    EXPECT_EQ(domain_to_ascii("example.org"), "example.org");
    EXPECT_EQ(domain_to_utf8("xn--bcher-kva.example"),
              "b\xc3\xbc"
              "cher.example");
    EXPECT_EQ(domain_to_utf8("example.org"), "example.org");
}

TEST(Idna, NonsenseIsRefused) {
    EXPECT_FALSE(domain_to_ascii(""));
    EXPECT_FALSE(domain_to_ascii("a..b"));
    EXPECT_FALSE(domain_to_ascii("\xff"));
    EXPECT_FALSE(domain_to_ascii(std::string(64, 'x') + ".example"));
    EXPECT_FALSE(domain_to_ascii("\xe2\x80\x8b.example\xe2\x80\x8f"));
    EXPECT_EQ(domain_to_utf8("xn--zzzzzzzzz99999999999"), "xn--zzzzzzzzz99999999999");
}

}  // namespace
}  // namespace postern::mime

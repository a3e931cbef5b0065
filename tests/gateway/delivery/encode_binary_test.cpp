#include "gateway/delivery/encode_binary.h"

#include <gtest/gtest.h>

namespace postern::delivery {
namespace {

using namespace std::string_literals;

TEST(EncodeBinary, AWholeMessage) {
    const auto out =
        encode_binary("Subject: x\r\nContent-Transfer-Encoding: BINARY\r\nX: y\r\n\r\n\0\n\r."s);
    ASSERT_TRUE(out);
    EXPECT_EQ(*out, "Subject: x\r\nContent-Transfer-Encoding: base64\r\nX: y\r\n\r\nAAoNLg==\r\n");
}

TEST(EncodeBinary, OnePartAmongOthers) {
    const auto out = encode_binary(
        "Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: binary\r\n\r\n"
        "--b\r\n\r\ntext\r\n--b\r\nContent-Type: image/png\r\n"
        "Content-Transfer-Encoding: binary\r\n\r\n\x89PNG\n\r\n--b--\r\n"s);
    ASSERT_TRUE(out);
    EXPECT_EQ(*out,
              "Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: 8bit\r\n"
              "\r\n--b\r\n\r\ntext\r\n--b\r\nContent-Type: image/png\r\n"
              "Content-Transfer-Encoding: base64\r\n\r\niVBORwo=\r\n--b--\r\n");
}

TEST(EncodeBinary, LongBodiesAreWrapped) {
    const auto out =
        encode_binary("Content-Transfer-Encoding: binary\r\n\r\n" + std::string(58, 'x'));
    ASSERT_TRUE(out);
    EXPECT_NE(out->find("eHh4\r\neA==\r\n"), std::string::npos) << *out;
}

TEST(EncodeBinary, WhatIsTextAlreadyStays) {
    const auto text = "Subject: x\r\n\r\ntext\r\n"s;
    EXPECT_EQ(*encode_binary(text), text);
    EXPECT_EQ(*encode_binary("Subject: x\r\n\r\ntext"), text);
}

TEST(EncodeBinary, BareLineEndsElsewhereAreRefused) {
    for (const auto& bad : {"Subject: x\r\n\r\na\nb\r\n"s, "Subject: x\r\n\r\na\rb\r\n"s,
                            "Subject: x\r\n\r\na\0b\r\n"s}) {
        const auto out = encode_binary(bad);
        ASSERT_FALSE(out);
        EXPECT_EQ(out.error().code, Errc::invalid);
    }
}

}  // namespace
}  // namespace postern::delivery

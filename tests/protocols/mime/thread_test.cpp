#include "protocols/mime/thread.h"

#include <gtest/gtest.h>

namespace postern::mime {
namespace {

std::string root_of(const std::string& header) {
    const std::string whole = header + "\r\nbody\r\n";
    return thread_root(parse(whole), whole);
}

TEST(ThreadRoot, IsTheFirstReference) {
    EXPECT_EQ(root_of("Message-ID: <c@x>\r\nIn-Reply-To: <b@x>\r\nReferences: <a@x>\r\n <b@x>\r\n"),
              "<a@x>");
}

TEST(ThreadRoot, FallsBackToTheRepliedAndToItself) {
    EXPECT_EQ(root_of("Message-ID: <c@x>\r\nIn-Reply-To: your mail of <b@x> today\r\n"), "<b@x>");
    EXPECT_EQ(root_of("Message-ID: <c@x>\r\nReferences: none\r\n"), "<c@x>");
    EXPECT_EQ(root_of("Subject: no ids\r\n"), "");
}

TEST(ThreadRoot, PassesBrokenIdsOver) {
    EXPECT_EQ(root_of("References: <broken one> <> <<b@x>\r\n"), "<b@x>");
    EXPECT_EQ(root_of("References: <never closed\r\nMessage-ID: <c@x>\r\n"), "<c@x>");
}

TEST(ThreadRoot, IsBounded) {
    const std::string fits = "<" + std::string(max_thread_root_bytes - 2, 'a') + ">";
    EXPECT_EQ(root_of("Message-ID: " + fits + "\r\n"), fits);
    EXPECT_EQ(root_of("Message-ID: <a" + fits.substr(1) + "\r\n"), "");
}

}  // namespace
}  // namespace postern::mime

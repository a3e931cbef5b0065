#include "tests/gateway/http/http_rig.h"

#include <gtest/gtest.h>

namespace postern::http {

namespace {

constexpr std::string_view two_requests =
    "GET /mail/config-v1.1.xml?emailaddress=ann%2Bx@example.org HTTP/1.1\r\n"
    "Host: AutoConfig.Example.org:8080\r\n\r\n"
    "POST /autodiscover HTTP/1.1\r\nHost: example.org\r\nContent-Length: 5\r\n\r\nhello";

std::string request_of(std::size_t head_bytes) {
    std::string text = "GET / HTTP/1.1\r\nHost: example.org\r\nX: ";
    const std::string end = "\r\n\r\n";
    return text + std::string(head_bytes - text.size() - end.size(), 'x') + end;
}

std::string post_of(std::size_t body_bytes) {
    return "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body_bytes) +
           "\r\n\r\n" + std::string(body_bytes, 'b');
}

}  // namespace

TEST(HttpConversation, AnswersTheSameHoweverTheInputIsCut) {
    const auto whole = HttpRig().say(two_requests, two_requests.size());
    EXPECT_NE(whole.find("GET /mail/config-v1.1.xml autoconfig.example.org "
                         "emailaddress=ann+x@example.org []"),
              std::string::npos)
        << whole;
    EXPECT_NE(whole.find("POST /autodiscover example.org [hello]"), std::string::npos) << whole;
    for (std::size_t piece : {1, 2, 3, 7, 64}) {
        EXPECT_EQ(HttpRig().say(two_requests, piece), whole) << piece;
    }
}

TEST(HttpConversation, HeadersOverTheLimitGet431) {
    for (const auto bytes : {max_head_bytes - 1, max_head_bytes, max_head_bytes + 1}) {
        HttpRig rig;
        const auto out = rig.say(request_of(bytes), 4096);
        const bool fits = bytes <= max_head_bytes;
        EXPECT_TRUE(out.starts_with(fits ? "HTTP/1.1 200 " : "HTTP/1.1 431 ")) << bytes << out;
        EXPECT_EQ(rig.closed, !fits);
    }
}

TEST(HttpConversation, BodiesOverTheLimitGet413) {
    for (const auto bytes : {max_body_bytes - 1, max_body_bytes, max_body_bytes + 1}) {
        HttpRig rig;
        const auto out = rig.say(post_of(bytes), 4096);
        const bool fits = bytes <= max_body_bytes;
        EXPECT_TRUE(out.starts_with(fits ? "HTTP/1.1 200 " : "HTTP/1.1 413 ")) << bytes;
        EXPECT_EQ(rig.closed, !fits);
    }
}

TEST(HttpConversation, OneConnectionServesSoManyRequests) {
    HttpRig rig;
    for (unsigned i = 1; i < max_requests_a_connection; ++i) rig.say(request_of(100), 100);
    EXPECT_FALSE(rig.closed);
    EXPECT_EQ(rig.out.find("Connection: close"), std::string::npos);
    rig.say(request_of(100), 100);
    EXPECT_TRUE(rig.closed);
    EXPECT_NE(rig.out.find("Connection: close"), std::string::npos);
    EXPECT_EQ(rig.requests.size(), max_requests_a_connection);
}

TEST(HttpConversation, WhatIsNotHttpGets400) {
    for (const char* bytes : {"EHLO client.example\r\n\r\n", "\x16\x03\x01\x02\x01\r\n\r\n",
                              "GET / HTTP/9.9\r\n\r\n", "GET / HTTP/1.1\r\nno colon\r\n\r\n",
                              "GET relative HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
                              "GET /%zz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"}) {
        HttpRig rig;
        EXPECT_TRUE(rig.say(bytes, 1000).starts_with("HTTP/1.1 400 ")) << bytes << rig.out;
        EXPECT_TRUE(rig.closed) << bytes;
        EXPECT_TRUE(rig.requests.empty()) << bytes;
    }
}

TEST(HttpConversation, ASlowRequestGets408AndAnIdleOneNothing) {
    HttpRig slow;
    slow.say("GET / HT", 1000);
    slow.tick(slow.deadline() - std::chrono::milliseconds(1));
    EXPECT_FALSE(slow.closed);
    slow.tick(slow.deadline());
    EXPECT_TRUE(slow.out.starts_with("HTTP/1.1 408 "));
    EXPECT_TRUE(slow.closed);

    HttpRig idle;
    idle.run();
    idle.tick(idle.deadline());
    EXPECT_EQ(idle.out, "");
    EXPECT_TRUE(idle.closed);
}

TEST(HttpConversation, TellsAWaitingClientOnceToGoOn) {
    HttpRig rig;
    rig.say("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n", 9);
    EXPECT_EQ(rig.out, "HTTP/1.1 100 Continue\r\n\r\n");
    rig.say("ok", 1);
    EXPECT_NE(rig.out.find("HTTP/1.1 200 OK"), std::string::npos);
    EXPECT_EQ(rig.out.find("100 Continue"), rig.out.rfind("100 Continue"));
}

TEST(HttpConversation, HeadHasNoBody) {
    HttpRig rig;
    rig.say("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n", 1000);
    EXPECT_TRUE(rig.out.ends_with("\r\n\r\n")) << rig.out;
    EXPECT_NE(rig.out.find("Content-Length: "), std::string::npos);
}

TEST(HttpTarget, IsTakenApart) {
    auto target = parse_target("/a%20b?X=1&y=&=no&z=%41+b&");
    ASSERT_TRUE(target);
    EXPECT_EQ(target->path, "/a b");
    const std::vector<std::pair<std::string, std::string>> query = {
        {"X", "1"}, {"y", ""}, {"z", "A+b"}};
    EXPECT_EQ(target->query, query);
    Request request;
    request.query = target->query;
    EXPECT_EQ(request.value("x"), "1");
    EXPECT_EQ(request.value("none"), "");
    for (const char* broken : {"", "*", "http://h/", "/%", "/%4", "/%g0", "/?a=%"}) {
        EXPECT_FALSE(parse_target(broken)) << broken;
    }
}

}  // namespace postern::http

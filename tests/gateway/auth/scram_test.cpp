#include "gateway/auth/scram.h"

#include "protocols/wire/base64.h"

#include <gtest/gtest.h>

namespace postern::auth {
namespace {

// RFC 7677 section 3: user "user", password "pencil".
directory::ScramKeys keys_of_the_rfc() {
    return {*wire::base64_decode("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096,
            *wire::base64_decode("WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY="),
            *wire::base64_decode("wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=")};
}
constexpr const char* server_nonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
constexpr const char* client_first = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
constexpr const char* client_final =
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
    "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";

TEST(Scram, TheExampleOfTheRfc) {
    ScramServer server(false, false);
    ASSERT_TRUE(server.first(client_first));
    EXPECT_EQ(server.user(), "user");
    EXPECT_EQ(server.challenge({keys_of_the_rfc()}, server_nonce),
              "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
              "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
    EXPECT_EQ(server.finish(client_final, ""), "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
}

TEST(Scram, EachOfSeveralPasswordsIsTaken) {
    const auto rfc = keys_of_the_rfc();
    auto other = make_scram_keys("other", rfc.salt);
    EXPECT_EQ(other.salt, rfc.salt);
    other.iterations = rfc.iterations;  // as of keys made at one time
    for (const auto& keys : {std::vector{other, rfc}, std::vector{rfc, other}}) {
        ScramServer server(false, false);
        ASSERT_TRUE(server.first(client_first));
        server.challenge(keys, server_nonce);
        EXPECT_EQ(server.finish(client_final, ""),
                  "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    }
    ScramServer server(false, false);
    ASSERT_TRUE(server.first(client_first));
    server.challenge({other}, server_nonce);
    EXPECT_FALSE(server.finish(client_final, ""));
}

TEST(Scram, WhatDoesNotFitIsRefused) {
    const auto finish = [](std::string message) {
        ScramServer server(false, false);
        EXPECT_TRUE(server.first(client_first));
        server.challenge({keys_of_the_rfc()}, server_nonce);
        return server.finish(message, "").has_value();
    };
    std::string message = client_final;
    EXPECT_TRUE(finish(message));
    for (std::size_t i = 0; i < message.size(); ++i) {
        std::string changed = message;
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        EXPECT_FALSE(finish(changed)) << i;
        EXPECT_FALSE(finish(message.substr(0, i))) << i;
    }
}

TEST(Scram, FirstMessages) {
    const auto taken = [](const char* message, bool plus, bool offered) {
        return ScramServer(plus, offered).first(message);
    };
    EXPECT_TRUE(taken("n,,n=u,r=x", false, true));
    EXPECT_TRUE(taken("y,,n=u,r=x", false, false));
    EXPECT_FALSE(taken("y,,n=u,r=x", false, true));
    EXPECT_TRUE(taken("p=tls-exporter,,n=u,r=x", true, true));
    EXPECT_FALSE(taken("p=tls-exporter,,n=u,r=x", false, true));
    EXPECT_FALSE(taken("n,,n=u,r=x", true, true));
    for (const char* bad : {"", "n", "n,", "n,,", "n,,n=u", "n,,r=x,n=u", "n,,n=,r=x", "n,,n=u,r=",
                            "x,,n=u,r=x", "n,b=c,n=u,r=x", "n,,n=a=b,r=x", "n,,n=\xff,r=x"}) {
        EXPECT_FALSE(taken(bad, false, false)) << bad;
    }
    ScramServer server(false, false);
    ASSERT_TRUE(server.first("n,a=o=2Cther,n=u=3Dv,r=x"));
    EXPECT_EQ(server.authorization_id(), "o,ther");
    EXPECT_EQ(server.user(), "u=v");
}

TEST(Scram, OwnKeysAreSaltedAndUnknownUsersLookKnown) {
    EXPECT_NE(make_scram_keys("secret").salt, make_scram_keys("secret").salt);
    EXPECT_EQ(impossible_scram_keys("x", "s").salt, impossible_scram_keys("x", "s").salt);
    EXPECT_NE(impossible_scram_keys("x", "s").salt, impossible_scram_keys("y", "s").salt);
    EXPECT_NE(impossible_scram_keys("x", "s").salt, impossible_scram_keys("x", "t").salt);
    EXPECT_EQ(impossible_scram_keys("x", "s").iterations, make_scram_keys("secret").iterations);
}

}  // namespace
}  // namespace postern::auth

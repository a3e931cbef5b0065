#include "protocols/wire/sasl.h"

#include "protocols/wire/base64.h"

#include <gtest/gtest.h>

namespace postern::wire {
namespace {

using namespace std::string_literals;

std::string challenge(const SaslStep& step) {
    const auto* found = std::get_if<SaslChallenge>(&step);
    return found ? found->base64 : "(no challenge)";
}

SaslFailure failure(const SaslStep& step) {
    return std::get<SaslFailure>(step);
}

SaslStep plain(const std::string& message) {
    return SaslExchange().start("plain", base64_encode(message));
}

TEST(Sasl, PlainWithInitialResponse) {
    const SaslStep step = plain("\0alice@example.net\0secret"s);
    const auto& credentials = std::get<SaslCredentials>(step);
    EXPECT_EQ(credentials.mechanism, "PLAIN");
    EXPECT_EQ(credentials.authorization_id, "");
    EXPECT_EQ(credentials.user, "alice@example.net");
    EXPECT_EQ(credentials.password, "secret");
    EXPECT_EQ(std::get<SaslCredentials>(plain("bob\0alice\0pa ss"s)).authorization_id, "bob");
}

TEST(Sasl, PlainWithChallenge) {
    SaslExchange exchange;
    EXPECT_EQ(challenge(exchange.start("PLAIN", std::nullopt)), "");
    EXPECT_EQ(std::get<SaslCredentials>(exchange.step(base64_encode("\0a\0b"s))).user, "a");
}

TEST(Sasl, PlainRefused) {
    EXPECT_EQ(failure(SaslExchange().start("PLAIN", "=")), SaslFailure::malformed);
    EXPECT_EQ(failure(SaslExchange().start("PLAIN", "")), SaslFailure::malformed);
    EXPECT_EQ(failure(SaslExchange().start("PLAIN", "%%")), SaslFailure::bad_base64);
    EXPECT_EQ(failure(SaslExchange().start("PLAIN", "*")), SaslFailure::cancelled);
    for (const std::string& message :
         {"alice"s, "alice\0secret"s, "\0\0secret"s, "\0a\0b\0c"s, "\0a\xff\0b"s}) {
        EXPECT_EQ(failure(plain(message)), SaslFailure::malformed);
    }
}

TEST(Sasl, FieldLimits) {
    const auto accepted = [](std::size_t identity, std::size_t user, std::size_t password) {
        const SaslStep step = plain(std::string(identity, 'i') + '\0' + std::string(user, 'u') +
                                    '\0' + std::string(password, 'p'));
        return std::holds_alternative<SaslCredentials>(step);
    };
    for (const int over : {-1, 0, 1}) {
        EXPECT_EQ(accepted(max_sasl_identity_bytes + over, 1, 1), over <= 0);
        EXPECT_EQ(accepted(0, max_sasl_identity_bytes + over, 1), over <= 0);
        EXPECT_EQ(accepted(0, 1, max_sasl_password_bytes + over), over <= 0);
    }
}

TEST(Sasl, Login) {
    SaslExchange exchange;
    EXPECT_EQ(challenge(exchange.start("LOGIN", std::nullopt)), "VXNlcm5hbWU6");
    EXPECT_EQ(challenge(exchange.step(base64_encode("alice"))), "UGFzc3dvcmQ6");
    const SaslStep step = exchange.step(base64_encode("secret"));
    EXPECT_EQ(std::get<SaslCredentials>(step).mechanism, "LOGIN");
    EXPECT_EQ(std::get<SaslCredentials>(step).user, "alice");
    EXPECT_EQ(std::get<SaslCredentials>(step).password, "secret");
}

TEST(Sasl, LoginWithUserInTheCommandAndCancel) {
    SaslExchange exchange;
    EXPECT_EQ(challenge(exchange.start("login", base64_encode("alice"))), "UGFzc3dvcmQ6");
    EXPECT_EQ(failure(exchange.step("*")), SaslFailure::cancelled);
    EXPECT_EQ(failure(exchange.step("c2VjcmV0")), SaslFailure::malformed);
}

TEST(Sasl, UnknownMechanism) {
    EXPECT_EQ(failure(SaslExchange().start("CRAM-MD5", std::nullopt)), SaslFailure::unsupported);
    EXPECT_EQ(failure(SaslExchange().start("", std::nullopt)), SaslFailure::unsupported);
}

}  // namespace
}  // namespace postern::wire

#include "gateway/auth/token.h"

#include "protocols/wire/base64.h"

#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <algorithm>

namespace postern::auth {
namespace {

std::string base64url(std::string_view bytes) {
    std::string text = wire::base64_encode(bytes);
    std::replace(text.begin(), text.end(), '+', '-');
    std::replace(text.begin(), text.end(), '/', '_');
    while (text.ends_with('=')) text.pop_back();
    return text;
}

// A provider's key: makes its JWK, and signatures as a JSON Web Signature holds them.
class Signer {
public:
    explicit Signer(std::string algorithm, unsigned rsa_bits = 2048)
        : algorithm_(std::move(algorithm)) {
        if (algorithm_ == "RS256") key_ = EVP_RSA_gen(rsa_bits);
        if (algorithm_ == "ES256") key_ = EVP_EC_gen("P-256");
        if (algorithm_ == "EdDSA") key_ = EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
    }
    ~Signer() { EVP_PKEY_free(key_); }
    Signer(const Signer&) = delete;
    Signer& operator=(const Signer&) = delete;

    std::string jwk(const std::string& id) const {
        const auto head = R"({"kid":")" + id + R"(","use":"sig",)";
        if (algorithm_ == "RS256") {
            return head + R"("kty":"RSA","n":")" + number(OSSL_PKEY_PARAM_RSA_N) + R"(","e":")" +
                   number(OSSL_PKEY_PARAM_RSA_E) + "\"}";
        }
        if (algorithm_ == "ES256") {
            return head + R"("kty":"EC","crv":"P-256","x":")" +
                   number(OSSL_PKEY_PARAM_EC_PUB_X, 32) + R"(","y":")" +
                   number(OSSL_PKEY_PARAM_EC_PUB_Y, 32) + "\"}";
        }
        std::string raw(32, '\0');
        std::size_t size = raw.size();
        EVP_PKEY_get_raw_public_key(key_, reinterpret_cast<unsigned char*>(raw.data()), &size);
        return head + R"("kty":"OKP","crv":"Ed25519","x":")" + base64url(raw) + "\"}";
    }

    std::string token(const std::string& claims, const std::string& id = "",
                      const std::string& algorithm = "") const {
        const auto named = algorithm.empty() ? algorithm_ : algorithm;
        const auto header =
            R"({"alg":")" + named + "\"" + (id.empty() ? "" : R"(,"kid":")" + id + "\"") + "}";
        const auto text = base64url(header) + "." + base64url(claims);
        return text + "." + base64url(signature(text));
    }

private:
    std::string number(const char* name, int size = 0) const {
        BIGNUM* value = nullptr;
        EVP_PKEY_get_bn_param(key_, name, &value);
        std::string bytes(static_cast<std::size_t>(size > 0 ? size : BN_num_bytes(value)), '\0');
        BN_bn2binpad(value, reinterpret_cast<unsigned char*>(bytes.data()),
                     static_cast<int>(bytes.size()));
        BN_free(value);
        return base64url(bytes);
    }

    std::string signature(const std::string& text) const {
        EVP_MD_CTX* context = EVP_MD_CTX_new();
        EVP_DigestSignInit(context, nullptr, algorithm_ == "EdDSA" ? nullptr : EVP_sha256(),
                           nullptr, key_);
        std::string out(1024, '\0');
        std::size_t size = out.size();
        EVP_DigestSign(context, reinterpret_cast<unsigned char*>(out.data()), &size,
                       reinterpret_cast<const unsigned char*>(text.data()), text.size());
        EVP_MD_CTX_free(context);
        out.resize(size);
        return algorithm_ == "ES256" ? fixed(out) : out;
    }

    // DER to the two numbers of 32 bytes each.
    static std::string fixed(const std::string& der) {
        const auto* at = reinterpret_cast<const unsigned char*>(der.data());
        ECDSA_SIG* both = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()));
        std::string out(64, '\0');
        auto* bytes = reinterpret_cast<unsigned char*>(out.data());
        BN_bn2binpad(ECDSA_SIG_get0_r(both), bytes, 32);
        BN_bn2binpad(ECDSA_SIG_get0_s(both), bytes + 32, 32);
        ECDSA_SIG_free(both);
        return out;
    }

    std::string algorithm_;
    EVP_PKEY* key_ = nullptr;
};

const config::OAuth settings{"keys.json", "https://id.example.net", "mail", "email"};
const Time now{std::chrono::seconds(1'700'000'000)};

std::string claims(const std::string& changed = "", const std::string& to = "") {
    std::string text = R"({"iss":"https://id.example.net","aud":["web","mail"],)"
                       R"("exp":1700000100,"nbf":1699999900,"email":"ann@example.net"})";
    if (changed.empty()) return text;
    const auto at = text.find(changed);
    EXPECT_NE(at, std::string::npos) << changed;
    return text.replace(at, changed.size(), to);
}

std::string set_of(const std::vector<std::string>& keys) {
    std::string all;
    for (const auto& each : keys) all += (all.empty() ? "" : ",") + each;
    return R"({"keys":[)" + all + "]}";
}

class Tokens : public testing::TestWithParam<const char*> {};

TEST_P(Tokens, GoodOnesNameTheUserAndAnyChangeIsSeen) {
    const Signer signer(GetParam());
    const auto verifier = TokenVerifier::make(settings, set_of({signer.jwk("k1")}));
    ASSERT_TRUE(verifier) << verifier.error().text;
    const auto token = signer.token(claims(), "k1");
    const auto user = (*verifier)->verify(token, now);
    ASSERT_TRUE(user) << user.error().text;
    EXPECT_EQ(*user, "ann@example.net");
    EXPECT_TRUE((*verifier)->verify(signer.token(claims()), now));
    EXPECT_FALSE((*verifier)->verify(signer.token(claims(), "k2"), now));
    for (std::size_t i = 0; i < token.size(); i += 7) {
        std::string changed = token;
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        EXPECT_FALSE((*verifier)->verify(changed, now)) << i;
        EXPECT_FALSE((*verifier)->verify(token.substr(0, i), now)) << i;
    }
}

INSTANTIATE_TEST_SUITE_P(Algorithms, Tokens, testing::Values("RS256", "ES256", "EdDSA"));

TEST(Tokens, ClaimsThatDoNotFitAreRefusedWithTheReason) {
    const Signer signer("ES256");
    const auto verifier = TokenVerifier::make(settings, set_of({signer.jwk("k")}));
    ASSERT_TRUE(verifier);
    const auto problem = [&](const std::string& text) {
        const auto user = (*verifier)->verify(signer.token(text), now);
        return user ? "" : user.error().text;
    };
    EXPECT_EQ(problem(claims(R"("exp":1700000100,)")), "it has no end");
    EXPECT_EQ(problem(claims("1700000100", "\"1700000100\"")), "it has no end");
    EXPECT_EQ(problem(claims("1700000100", "1699999940")), "");
    EXPECT_EQ(problem(claims("1700000100", "1699999939")), "it has expired");
    EXPECT_EQ(problem(claims("1699999900", "1700000060")), "");
    EXPECT_EQ(problem(claims("1699999900", "1700000061")), "it is not valid yet");
    EXPECT_EQ(problem(claims("id.example.net", "id.example.org")), "it is of another issuer");
    EXPECT_EQ(problem(claims(R"(["web","mail"])", R"("mail")")), "");
    EXPECT_EQ(problem(claims(R"("mail"])", R"("news"])")), "it is for another audience");
    EXPECT_EQ(problem(claims("\"email\"", "\"mail\"")), "it has no claim email");
    EXPECT_EQ(problem("[]"), "it holds no claims");
}

TEST(Tokens, TheKeyDecidesTheAlgorithm) {
    const Signer signer("RS256");
    const auto verifier = TokenVerifier::make(settings, set_of({signer.jwk("k")}));
    ASSERT_TRUE(verifier);
    for (const char* other : {"none", "HS256", "ES256", "PS256", ""}) {
        const auto token = signer.token(claims(), "", *other == '\0' ? "\\u0000" : other);
        EXPECT_FALSE((*verifier)->verify(token, now)) << other;
    }
    const auto unsigned_token = base64url(R"({"alg":"none"})") + "." + base64url(claims()) + ".";
    EXPECT_FALSE((*verifier)->verify(unsigned_token, now));
    EXPECT_FALSE((*verifier)->verify(std::string(max_token_bytes + 1, 'a'), now));
}

TEST(Tokens, KeySetsThatAreNone) {
    for (const char* text : {"", "[]", "{}", R"({"keys":{}})", R"({"keys":[]})",
                             R"({"keys":[5,{"kty":"RSA","n":"AQ","e":"AQAB"}]})",
                             R"({"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]})"}) {
        EXPECT_FALSE(TokenVerifier::make(settings, text)) << text;
    }
    const Signer weak("RS256", 1024);
    EXPECT_FALSE(TokenVerifier::make(settings, set_of({weak.jwk("k")})));
    const Signer good("EdDSA");
    EXPECT_TRUE(TokenVerifier::make(settings, set_of({weak.jwk("a"), good.jwk("b")})));
    std::vector<std::string> many(max_token_keys, good.jwk("k"));
    EXPECT_TRUE(TokenVerifier::make(settings, set_of(many)));
    many.push_back(good.jwk("k"));
    EXPECT_FALSE(TokenVerifier::make(settings, set_of(many)));
    EXPECT_EQ(TokenVerifier::make(settings).error().code, Errc::not_found);
}

TEST(TokenMessages, AsTheirMechanismsSay) {
    const auto bearer = parse_oauthbearer(
        "n,a=ann=2Cb=3D@example.net,\x01host=h\x01port=143\x01"
        "auth=Bearer a.b.c\x01\x01");
    ASSERT_TRUE(bearer);
    EXPECT_EQ(bearer->user, "ann,b=@example.net");
    EXPECT_EQ(bearer->token, "a.b.c");
    ASSERT_TRUE(
        parse_oauthbearer("n,,\x01"
                          "auth=Bearer t\x01\x01"));
    EXPECT_EQ(parse_oauthbearer("n,,\x01"
                                "auth=bEARER t\x01\x01")
                  ->token,
              "t");
    const auto google = parse_xoauth2(
        "user=ann@example.net\x01"
        "auth=Bearer a.b.c\x01\x01");
    ASSERT_TRUE(google);
    EXPECT_EQ(google->user, "ann@example.net");
    EXPECT_EQ(google->token, "a.b.c");
    for (const char* text : {"", "n,", "n,,", "n,,\x01\x01",
                             "p=x,,\x01"
                             "auth=Bearer t\x01\x01",
                             "n,a=b=2X,\x01"
                             "auth=Bearer t\x01\x01",
                             "n,,\x01"
                             "auth=Bearer t\x01",
                             "n,,\x01"
                             "auth=Bearer t\x01\x01more",
                             "n,,auth=Bearer t\x01\x01"}) {
        EXPECT_FALSE(parse_oauthbearer(text)) << text;
    }
    for (const char* text : {"", "user=a", "user=a\x01\x01", "auth=Bearer t\x01\x01"}) {
        EXPECT_FALSE(parse_xoauth2(text)) << text;
    }
}

}  // namespace
}  // namespace postern::auth

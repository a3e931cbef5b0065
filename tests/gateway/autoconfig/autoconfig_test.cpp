#include "gateway/autoconfig/autoconfig.h"

#include <gmock/gmock.h>

namespace postern::autoconfig {

using testing::HasSubstr;
using testing::Not;

namespace {

Offer whole_offer() {
    return {"mx.example.org",
            {{993, true}, {143, false}},
            {{995, true}},
            {{465, true}, {587, false}}};
}

}  // namespace

TEST(AutoconfigOffer, PrefersImplicitTlsAndPortsThatOthersReach) {
    config::Listeners on;
    on.imap = {{"127.0.0.1", 1143}, {"192.0.2.1", 143}};
    on.pop3.clear();
    on.pop3s.clear();
    on.submissions = {{"127.0.0.1", 1465}};
    const auto offer = offer_of("mx.example.org", on);
    ASSERT_EQ(offer.imap.size(), 2u);
    EXPECT_EQ(offer.imap[0].port, 993);
    EXPECT_TRUE(offer.imap[0].implicit_tls);
    EXPECT_EQ(offer.imap[1].port, 143);
    EXPECT_FALSE(offer.imap[1].implicit_tls);
    EXPECT_TRUE(offer.pop3.empty());
    EXPECT_EQ(offer.smtp[0].port, 1465);  // better than nothing
}

TEST(AutoconfigMozilla, NamesEachServer) {
    const auto text = mozilla(whole_offer(), "example.org");
    EXPECT_THAT(text, HasSubstr("<incomingServer type=\"imap\">\n      "
                                "<hostname>mx.example.org</hostname>\n      <port>993</port>\n"
                                "      <socketType>SSL</socketType>"));
    EXPECT_LT(text.find("<port>993"), text.find("<port>143"));
    EXPECT_THAT(text, HasSubstr("<outgoingServer type=\"smtp\">"));
    EXPECT_THAT(text, HasSubstr("<username>%EMAILADDRESS%</username>"));
}

TEST(AutoconfigMozilla, EscapesWhatAStrangerSays) {
    EXPECT_THAT(mozilla(whole_offer(), "a\"<&>'\n.org"),
                HasSubstr("<domain>a&quot;&lt;&amp;&gt;&apos;?.org</domain>"));
}

TEST(AutoconfigOutlook, AnswersForTheAddress) {
    const auto text = autodiscover(whole_offer(), "ann@example.org");
    EXPECT_THAT(text, HasSubstr("<Type>IMAP</Type>"));
    EXPECT_THAT(text, HasSubstr("<LoginName>ann@example.org</LoginName>"));
    EXPECT_THAT(text, HasSubstr("<Type>SMTP</Type>"));
    EXPECT_THAT(autodiscover({"h", {}, {{110, false}}, {}}, "a@b"),
                AllOf(Not(HasSubstr("IMAP")), HasSubstr("<Encryption>TLS</Encryption>")));
}

TEST(AutoconfigOutlook, FindsTheAddressInTheRequest) {
    EXPECT_EQ(autodiscover_address("<Autodiscover><Request><EMailAddress>\n ann@example.org "
                                   "</EMailAddress></Request></Autodiscover>"),
              "ann@example.org");
    EXPECT_EQ(autodiscover_address("<x:EMailAddress a='1'>b@c</x:EMailAddress>"), "b@c");
    for (const char* none : {"", "<EMailAddress>", "<EMailAddress>ann", "EMailAddress",
                             "<EMailAddress></EMailAddress>", "<EMailAddress>ann</EMailAddress>"}) {
        EXPECT_EQ(autodiscover_address(none), std::nullopt) << none;
    }
}

TEST(AutoconfigApple, IsTheSameProfileForTheSameAddress) {
    const auto text = mobileconfig(whole_offer(), "ann@example.org");
    EXPECT_EQ(text, mobileconfig(whole_offer(), "ann@example.org"));
    EXPECT_NE(text, mobileconfig(whole_offer(), "bob@example.org"));
    EXPECT_THAT(text, HasSubstr("<string>EmailTypeIMAP</string>"));
    EXPECT_THAT(text, HasSubstr("<integer>993</integer>"));
    EXPECT_THAT(text, HasSubstr("<string>org.example.mail."));
    auto by_pop = whole_offer();
    by_pop.imap.clear();
    EXPECT_THAT(mobileconfig(by_pop, "ann@example.org"),
                AllOf(HasSubstr("EmailTypePOP"), HasSubstr("<integer>995</integer>")));
}

TEST(AutoconfigAddress, MustBeOne) {
    EXPECT_EQ(domain_of("ann@Example.ORG"), "example.org");
    EXPECT_EQ(domain_of("\"a@b\"@c.org"), "c.org");
    for (const char* bad : {"", "ann", "@example.org", "ann@", "a b@c", "a\n@c"}) {
        EXPECT_EQ(domain_of(bad), std::nullopt) << bad;
    }
    for (const auto bytes : {max_address_bytes - 1, max_address_bytes, max_address_bytes + 1}) {
        const auto address = std::string(bytes - 6, 'a') + "@b.org";
        EXPECT_EQ(domain_of(address).has_value(), bytes <= max_address_bytes) << bytes;
    }
}

TEST(AutoconfigStsPolicy, IsAsRfc8461Writes) {
    EXPECT_EQ(sts_policy("enforce", {"mx1.example.org", "*.example.net"}),
              "version: STSv1\r\nmode: enforce\r\nmx: mx1.example.org\r\nmx: *.example.net\r\n"
              "max_age: 604800\r\n");
}

}  // namespace postern::autoconfig

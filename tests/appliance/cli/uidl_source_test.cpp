#include "appliance/cli/uidl_source.h"

#include "store/mail/types.h"

#include <gtest/gtest.h>

namespace postern::cli {
namespace {

TEST(DovecotUidlist, IdsOfItsOwnAndThoseMadeOfUidAndValidity) {
    const auto list = read_dovecot_uidlist(
        "3 V1275660208 N25022 G3085f01b7f11094c501100008c4a11c1\n"
        "25006 :1276528487.M364837P9451.host,S=1355,W=1394:2,S\n"
        "25017 W2481 Pown-id :1276533073.M242911P3632.host:2,F\n"
        "25021 W 2481 PMbox2 with :no file\n"
        "broken :x\n"
        "7\n"
        "\n");
    ASSERT_EQ(list.size(), 3u);
    EXPECT_EQ(list.at("1276528487.M364837P9451.host,S=1355,W=1394"), "000061ae4c0907b0");
    EXPECT_EQ(list.at("1276533073.M242911P3632.host"), "own-id");
    EXPECT_TRUE(read_dovecot_uidlist("").empty());
    EXPECT_TRUE(read_dovecot_uidlist("1 1275660208 25022\n5 file\n").empty());
    EXPECT_TRUE(read_dovecot_uidlist("3 N5\n5 :file\n").empty()) << "no validity";
}

TEST(CourierList, NumbersWithTheirValidityAndNames) {
    const std::string lines =
        "1276528487.M3P9V00I0_0.host,S=13:2,S 1399 12:1275660208\n"
        "1276528488.M3P9.host:2, 20 13:0\n"
        "1276528489.M'3+P9.host 20 0:0\n"
        "broken 1\n"
        "broken 20 x:1\n"
        "broken 20 1\n"
        " 1:2\n"
        "\n";
    for (const std::string head : {"/2 14 1275660208\n", "/3 14 1275660208\n"}) {
        const auto list = read_courier_list(head + lines);
        ASSERT_EQ(list.size(), 3u) << head;
        EXPECT_EQ(list.at("1276528487.M3P9V00I0_0.host,S=13"), "UID12-1275660208");
        EXPECT_EQ(list.at("1276528488.M3P9.host"), "UID13");
        EXPECT_EQ(list.at("1276528489.M'3+P9.host"), "1276528489.M+273+2BP9.host");
    }
    EXPECT_EQ(read_courier_list("/3 2 7\na:2, 20 1:7:1\n").at("a"), "UID1-7");
    EXPECT_TRUE(read_courier_list("").empty());
    EXPECT_TRUE(read_courier_list("/1 14\na 20 1:7\n").empty());
}

std::string uidl(const std::string& kind, const std::string& name, const std::string& text) {
    UidlSource source(kind);
    mailsource::Item item;
    item.name = name;
    item.bytes = text;
    return source.uidl_of(item, mime::parse(item.bytes).parts.front());
}

TEST(UidlSource, FileNamesAndFields) {
    EXPECT_EQ(uidl("file-name", "/m/cur/123.host,S=5:2,RS", "a: b\r\n\r\n"), "123.host,S=5");
    for (const std::size_t bytes : {mail::max_uidl_bytes - 1, mail::max_uidl_bytes}) {
        const std::string name(bytes, 'a');
        EXPECT_EQ(uidl("file-name", "/m/new/" + name, ""), name);
    }
    EXPECT_EQ(uidl("file-name", "/m/new/" + std::string(mail::max_uidl_bytes + 1, 'a'), ""), "");
    EXPECT_EQ(uidl("x-uidl", "/m/x", "X-UIDL:  !Z?\"!abc \r\n\r\n"), "!Z?\"!abc");
    EXPECT_EQ(uidl("x-uidl", "/m/x", "X-UIDL: two words\r\n\r\n"), "");
    EXPECT_EQ(uidl("x-uidl", "/m/x", "Subject: x\r\n\r\n"), "");
    EXPECT_EQ(uidl("dovecot", "/none/cur/x", ""), "");
    EXPECT_EQ(uidl("courier", "/none/cur/x", ""), "");
    EXPECT_EQ(uidl("", "/m/cur/x", "X-UIDL: x\r\n\r\n"), "");
}

}  // namespace
}  // namespace postern::cli

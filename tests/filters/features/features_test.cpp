#include "filters/features/features.h"

#include "filters/features/ascii.h"
#include "filters/features/confusables.h"
#include "filters/features/feature_sources.h"
#include "filters/features/token_sink.h"
#include "filters/features/words.h"
#include "protocols/mime/message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

namespace postern::filters {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Not;

Features features_of(const std::string& message) {
    const mime::Message parsed = mime::parse(message);
    return extract(ScanInput{message, parsed, {}, Time{}}, Names::kept);
}

std::vector<std::string> names_of(const std::string& message) {
    const Features features = features_of(message);
    std::vector<std::string> names;
    for (std::size_t i = 0; i < features.vector.hashes.size(); ++i) {
        names.push_back(features.names.of(i));
    }
    return names;
}

std::vector<std::string> words_of(const std::string& text) {
    std::vector<std::string> words;
    for_each_word(fold_words(text), [&](std::string_view word) {
        words.emplace_back(word);
        return true;
    });
    return words;
}

const std::string header =
    "Received: from mx.example.com (mx.example.com [192.0.2.7]) by in.example.net with ESMTP\r\n"
    "\tid 4F2; Mon, 2 Sep 2024 10:00:30 +0200\r\n"
    "From: \"Ann Example\" <ann@shop.example.com>\r\n"
    "To: bob@example.net\r\n"
    "Subject: Cheap watches today\r\n"
    "Date: Mon, 2 Sep 2024 10:00:00 +0200\r\n"
    "Message-ID: <17ab$22@shop.example.com>\r\n";

TEST(Features, NamesSayWhereAWordStood) {
    const auto names = names_of(header + "\r\nBuy http://www.shop.example.com/offer now!\r\n");
    EXPECT_THAT(names, Contains("subject:watches"));
    EXPECT_THAT(names, Contains("subject:cheap watches"));
    EXPECT_THAT(names, Contains("from:ann@shop.example.com"));
    EXPECT_THAT(names, Contains("from:@@example.com"));
    EXPECT_THAT(names, Contains("received:192.0.2"));
    EXPECT_THAT(names, Contains("date:zone 120"));
    EXPECT_THAT(names, Contains("date:behind 0"));
    EXPECT_THAT(names, Contains("relation:from message-id same"));
    EXPECT_THAT(names, Contains("url:www.shop.example.com"));
    EXPECT_THAT(names, Contains("buy"));
    EXPECT_THAT(names, Contains("now!"));
}

TEST(Features, HtmlAttachmentsAndHiddenTextAreSeen) {
    const auto names = names_of(
        header +
        "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
        "Content-Type: text/html\r\n\r\n<p>hello</p><p style=\"display:none\">secret words</p>"
        "<a href=\"http://bad.example.org/\">http://good.example.com/</a>\r\n--b\r\n"
        "Content-Type: application/zip; name=\"Invoice_7.zip\"\r\n"
        "Content-Disposition: attachment; filename=\"Invoice_7.zip\"\r\n\r\nPK\r\n--b--\r\n");
    EXPECT_THAT(names, Contains("hidden:secret"));
    EXPECT_THAT(names, Contains("html:misleading link"));
    EXPECT_THAT(names, Contains("attachment:.zip"));
    EXPECT_THAT(names, Contains("parts:text/html application/zip "));
    EXPECT_THAT(names, Not(Contains("secret")));
}

// What a gateway writes at delivery, so that learning from the mailbox is learning at reception.
TEST(Features, DeliveryFieldsChangeNothing) {
    const std::string plain = header + "\r\nsome text\r\n";
    const std::string delivered =
        "Return-Path: <ann@shop.example.com>\r\n"
        "Received: from mx.example.com ([192.0.2.7])\r\n\tby mx.example.net (Postern) with "
        "ESMTPS\r\n"
        "\tid 12ab\r\n\tfor <bob@example.net>;\r\n\tMon, 2 Sep 2024 08:00:31 +0000\r\n"
        "Authentication-Results: mx.example.net; none\r\n"
        "X-Spam-Status: No, score=-1\r\nX-Spam-Score: -1.0\r\n" +
        plain;
    EXPECT_EQ(features_of(plain).vector, features_of(delivered).vector);
}

TEST(Features, FieldCaseAndFoldsChangeNothing) {
    std::string other = header + "\r\nsome text\r\n";
    const auto replace = [&](const std::string& from, const std::string& to) {
        ASSERT_NE(other.find(from), std::string::npos);
        other.replace(other.find(from), from.size(), to);
    };
    replace("Subject: Cheap watches", "SUBJECT: Cheap\r\n watches");
    replace("From:", "fRoM:");
    replace("\tid 4F2;", " id 4F2;");
    EXPECT_EQ(features_of(header + "\r\nsome text\r\n").vector, features_of(other).vector);
}

TEST(Features, TransferEncodingChangesNothing) {
    const std::string type = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n";
    const auto as = [&](const std::string& encoding, const std::string& body) {
        return features_of(header + type + "Content-Transfer-Encoding: " + encoding + "\r\n\r\n" +
                           body)
            .vector;
    };
    const FeatureVector eight = as("8bit", "caf\xC3\xA9 = good\r\nmore\r\n");
    EXPECT_EQ(eight, as("quoted-printable", "caf=C3=A9 =3D go=\r\nod\r\nmore\r\n"));
    EXPECT_EQ(eight, as("base64", "Y2Fmw6kgPSBnb29kDQptb3JlDQo=\r\n"));
}

TEST(Features, OtherTextIsAnotherMessage) {
    EXPECT_NE(features_of(header + "\r\none\r\n").vector.digest,
              features_of(header + "\r\ntwo\r\n").vector.digest);
}

TEST(Features, AreUniqueBoundedAndKnowTheirSection) {
    std::string body;
    for (int i = 0; i < 200'000; ++i) body += "w" + std::to_string(i * 7919) + " ";
    const Features features = features_of(header + "\r\n" + body);
    const auto& hashes = features.vector.hashes;
    EXPECT_LE(features.vector.tokens, max_tokens);
    EXPECT_LE(hashes.size(), max_features);
    EXPECT_GT(hashes.size(), 4000u);
    EXPECT_LE(features.vector.grams.size(), max_grams);
    EXPECT_EQ(std::set<std::uint64_t>(hashes.begin(), hashes.end()).size(), hashes.size());
    EXPECT_EQ(features.names.size(), hashes.size());
    for (std::size_t i = 0; i < hashes.size(); ++i) {
        EXPECT_EQ(hashes[i] >> feature_bits, 0u);
        const std::string name = features.names.of(i);
        if (name.rfind("from:", 0) == 0) {
            EXPECT_EQ(hashes[i] & content_feature_bit, 0u) << name;
        }
        if (name.rfind("subject:", 0) == 0) {
            EXPECT_EQ(hashes[i] & content_feature_bit, 1u) << name;
        }
    }
}

TEST(Features, OddInputsAreTaken) {
    for (const std::string& message :
         {std::string(), std::string("\r\n"), std::string("From x\r\n"), std::string(5000, '\0'),
          "Subject: " + std::string(1'000'000, '\xFF') + "\r\n\r\n\xE2\x82",
          header + "\r\n\xF0\x9F\x92\xB0\xF0\x9F"}) {
        const Features features = features_of(message);
        EXPECT_EQ(features.names.size(), features.vector.hashes.size());
        EXPECT_TRUE(FeatureVector::decode(features.vector.encode()).has_value());
    }
}

TEST(Features, WhiteSpaceLeavesNoTraceWhereverItStands) {
    for (std::size_t before = 0; before < 40; ++before) {
        const std::string start = header + "\r\n" + std::string(before, 'a');
        const std::string end = "b of it, and then more words that follow";
        const FeatureVector one = features_of(start + " " + end).vector;
        for (const char* gap : {"  ", "\t", " \r\n ", "\r\n\r\n", " \v\f "}) {
            EXPECT_EQ(features_of(start + gap + end).vector, one) << before;
            EXPECT_EQ(features_of(start + " " + end + gap).vector, one) << before;
        }
    }
}

TEST(Features, AreTheSameWhereverTheyAreFetchedFrom) {
    const std::string message = header + "\r\nBuy now, buy cheap!\r\n";
    const mime::Message parsed = mime::parse(message);
    const Content content = read_content({message, parsed, {}, Time{}});
    const std::vector<char> table(10 * FeaturePlaces::place_bytes);
    Features features;
    const FeaturePlaces places{table.data(), 10};
    const GramPlaces grams{table.data(), 7};
    extract(content, Names::kept, features, {places, places, grams, grams});
    EXPECT_EQ(features.vector, features_of(message).vector);
    EXPECT_EQ(FeaturePlaces::place_of((std::uint64_t{1} << feature_bits) - 1, 10), 9u);
    for (const unsigned bits : {0u, 1u, 31u, 32u}) {
        EXPECT_LT(GramPlaces::place_of(0xFFFFFFFF, bits), std::uint64_t{1} << bits);
    }
}

TEST(PlainRun, HasNoWhiteSpaceButBlanksBetweenWords) {
    std::mt19937 random(11);
    for (int i = 0; i < 20'000; ++i) {
        std::string text(plain_run + 1, 'a');
        for (char& c : text) {
            if (random() % 8 == 0) c = " \t\n\v\f\r\b\x0E\x1F!\xA0"[random() % 11];
        }
        bool plain = true;
        for (std::size_t at = 0; at < plain_run; ++at) {
            if (!is_space(text[at])) continue;
            plain = plain && text[at] == ' ' && !is_space(text[at + 1]);
        }
        ASSERT_EQ(is_plain_run(text.data()), plain) << testing::PrintToString(text);
    }
}

TEST(TokenSink, PairsSpanFourWordsAndNoGap) {
    FeatureNames names;
    FeatureVector vector;
    TokenSink sink(vector, &names);
    for (const char* word : {"a", "b", "c", "d", "e", "f"}) sink.add_running("", word);
    sink.begin_text();
    sink.add_running("", "g");
    sink.finish();
    EXPECT_EQ(vector.tokens, 7u);
    EXPECT_EQ(vector.hashes.size(), 7u + 1 + 2 + 3 + 4 + 4);
    std::vector<std::string> all;
    for (std::size_t i = 0; i < vector.hashes.size(); ++i) all.push_back(names.of(i));
    EXPECT_THAT(all, Contains("a _ _ _ e"));
    EXPECT_THAT(all, Not(Contains("f g")));
    EXPECT_EQ(names.of(1000), "");
}

TEST(Words, AreCutAtMarksAndSpaces) {
    EXPECT_THAT(words_of("Don't pay $99.50 (now)!!! a@b.org"),
                ElementsAre("don't", "pay", "$99.50", "now", "!!", "a@b.org"));
    EXPECT_THAT(words_of("100% free! end."), ElementsAre("100%", "free!", "end"));
    EXPECT_THAT(words_of(""), ElementsAre());
}

TEST(Words, UnicodeIsFolded) {
    EXPECT_THAT(words_of("\xEF\xBC\xA6\xEF\xBC\xB2\xEF\xBC\xA5\xEF\xBC\xA5 \xC3\x89T\xC3\x89"),
                ElementsAre("free", "\xC3\xA9t\xC3\xA9"));
    EXPECT_THAT(words_of("\xE2\x80\x9Cquoted\xE2\x80\x9D\xE2\x80\x94word"),
                ElementsAre("quoted", "word"));
    // No spaces between the words of Chinese: neighbours come as pairs.
    EXPECT_THAT(words_of("\xE4\xB8\xAD\xE6\x96\x87\xE5\xAD\x97"),
                ElementsAre("\xE4\xB8\xAD\xE6\x96\x87", "\xE6\x96\x87\xE5\xAD\x97"));
}

TEST(Confusables, OnlyMixedWordsAreFolded) {
    EXPECT_EQ(fold_confusables("v\xD1\x96\xD0\xB0gr\xD0\xB0"), "viagra");
    const std::string russian = "\xD0\xB0\xD1\x80\xD0\xB5\xD1\x81";
    EXPECT_EQ(fold_confusables(russian), russian);
    EXPECT_EQ(fold_confusables("plain"), "plain");
}

TEST(Shapes, ShowKindsOfCharacters) {
    EXPECT_EQ(shape_of("17ab-XY"), "0a-A");
    EXPECT_EQ(shape_of(""), "");
    EXPECT_EQ(step_of(0), "0");
    EXPECT_EQ(step_of(1), "1");
    EXPECT_EQ(step_of(7), "4");
    EXPECT_EQ(step_of(8), "8");
}

}  // namespace
}  // namespace postern::filters

#include "store/fulltext/index.h"

#include "store/fulltext/junctions.h"
#include "store/fulltext/segment_reader.h"
#include "store/fulltext/segment_writer.h"
#include "tests/store/support/temp_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace postern::fulltext {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

class IndexTest : public testing::Test {
protected:
    void SetUp() override { fs::create_directories(folder_.path()); }

    std::unique_ptr<IndexWriter> writer(std::uint32_t validity = 1) {
        auto opened = IndexWriter::open(box(), validity);
        EXPECT_TRUE(opened.has_value()) << (opened ? "" : opened.error().text);
        return opened ? std::move(*opened) : nullptr;
    }
    void write(const std::map<Uid, Text>& messages) {
        auto to = writer();
        for (const auto& [uid, text] : messages) ASSERT_TRUE(to->add(uid, text).has_value());
        ASSERT_TRUE(to->commit().has_value());
    }
    Match find(Field field, const std::string& needle, UidSet among = {}) {
        auto index = Index::open(box(), 1);
        if (among.empty()) among = index->covered();
        auto found = index->find(field, needle, among);
        EXPECT_EQ(index->damage(), "");
        return found;
    }
    std::vector<Uid> sure(Field field, const std::string& needle) {
        auto found = find(field, needle);
        EXPECT_TRUE(found.possible.empty()) << needle << ": " << found.possible.to_string();
        return found.sure.to_vector();
    }
    std::string box() const { return folder_.string() + "/7"; }
    fs::path only_segment() const {
        for (const auto& entry : fs::directory_iterator(box())) {
            if (entry.is_directory()) return entry.path();
        }
        return {};
    }

    test::TempFolder folder_;
};

Text body(std::string text) {
    return {{}, {std::move(text)}};
}

TEST_F(IndexTest, StretchesWithinWordsAreDecided) {
    write({{1, body("die rechnung liegt bei")},
           {2, body("abrechnungen, mahnung")},
           {5, body("konto 12345678901234 xk99a8b7c6")}});
    EXPECT_THAT(sure(Field::body, "rechnung"), ElementsAre(1, 2));
    EXPECT_THAT(sure(Field::body, "rechnungen"), ElementsAre(2));
    EXPECT_THAT(sure(Field::body, "nung"), ElementsAre(1, 2));
    EXPECT_THAT(sure(Field::body, "liegt"), ElementsAre(1));
    EXPECT_THAT(sure(Field::body, "fehlt"), IsEmpty());
    EXPECT_THAT(sure(Field::body, "234"), ElementsAre(5));
    const auto account = find(Field::body, "67890123");
    EXPECT_THAT(account.sure.to_vector(), IsEmpty());
    EXPECT_THAT(account.possible.to_vector(), ElementsAre(5));
}

TEST_F(IndexTest, SeveralWordsAreNarrowedDown) {
    write({{1, body("liebe grüsse aus köln")},
           {2, body("grüsse, liebe leute")},
           {3, body("viele grüsse")}});
    const auto found = find(Field::body, "be aus");  // "be" may be a piece of a word
    EXPECT_THAT(found.sure.to_vector(), IsEmpty());
    EXPECT_THAT(found.possible.to_vector(), ElementsAre(1));
    EXPECT_THAT(find(Field::body, "--").possible.to_vector(), ElementsAre(1, 2, 3));
    EXPECT_THAT(find(Field::body, "").possible.to_vector(), ElementsAre(1, 2, 3));
}

TEST_F(IndexTest, WordsInARowAreToldFromWordsApart) {
    write({{1, body("viele liebe grüsse")},
           {2, body("grüsse, viele liebe leute")},
           {3, {{{"subject", "liebe grüsse"}}, {"liebe\r\ngrüsse"}}},
           {4, body("liebe  grüsse; ein in ihr")}});
    const auto possible = [&](Field field, const std::string& needle) {
        auto found = find(field, needle);
        EXPECT_TRUE(found.sure.empty()) << needle;
        return found.possible.to_vector();
    };
    EXPECT_THAT(possible(Field::body, "liebe grüsse"), ElementsAre(1));
    EXPECT_THAT(possible(Field::body, "ebe grü"), ElementsAre(1));
    EXPECT_THAT(possible(Field::body, "e grü"), ElementsAre(1, 2, 3, 4));
    EXPECT_THAT(possible(Field::body, "grüsse, viele"), ElementsAre(2));
    EXPECT_THAT(possible(Field::body, "viele liebe gr"), ElementsAre(1, 2));
    EXPECT_THAT(possible(Field::body, " ein in ihr"), ElementsAre(4));
    EXPECT_THAT(possible(Field::body, " in ein"), IsEmpty());
    EXPECT_THAT(possible(Field::subject, "liebe grüsse"), ElementsAre(3));
    EXPECT_THAT(possible(Field::header, "ect: liebe"), ElementsAre(3));
}

TEST_F(IndexTest, MoreThanThreeLettersOfEachWordTellWhatMeets) {
    write({{1, body("liebe grüsse")}, {2, body("siebe grünes; liebe, grüsse")}});
    EXPECT_THAT(find(Field::body, "liebe grüsse").possible.to_vector(), ElementsAre(1));
    EXPECT_THAT(find(Field::body, "iebe grüs").possible.to_vector(), ElementsAre(1));
    EXPECT_THAT(find(Field::body, "ebe grüs").possible.to_vector(), ElementsAre(1, 2));
    EXPECT_THAT(find(Field::body, "iebe grü").possible.to_vector(), ElementsAre(1, 2));
}

TEST_F(IndexTest, MessagesWithTooManyJunctionsMayHoldAny) {
    // So many different words of three characters, one after the other.
    const auto signature_of = [](std::size_t junctions) {
        const std::string_view characters = "abcdefghijklmnopqrstuvwxyz0123456789";
        std::string text;
        for (std::size_t i = 0; i <= junctions; ++i) {
            for (const std::size_t each : {i / 36 / 36, i / 36 % 36, i % 36}) {
                text += characters[each];
            }
            text += ' ';
        }
        Junctions all;
        all.add(text);
        return all.signature();
    };
    const auto needle = junctions_of_needle(runs_of("nowhere, at all"));
    EXPECT_FALSE(may_hold(signature_of(0), needle));
    EXPECT_FALSE(may_hold(signature_of(max_message_junctions - 1), needle));
    EXPECT_FALSE(may_hold(signature_of(max_message_junctions), needle));
    EXPECT_EQ(signature_of(max_message_junctions + 1), "");
    EXPECT_TRUE(may_hold("", needle));
    EXPECT_TRUE(may_hold(signature_of(0), {}));
}

TEST_F(IndexTest, SignaturesRejectMostOfWhatIsNotThere) {
    Junctions some;
    std::mt19937 random(3);
    const auto word = [&] {
        std::string out;
        for (int i = 0; i < 5; ++i) out += static_cast<char>('a' + random() % 26);
        return out;
    };
    for (int i = 0; i < 500; ++i) some.add(word() + " " + word());
    const auto signature = some.signature();
    EXPECT_LE(signature.size(), 2 * 500 * signature_bits_a_junction / 8);
    const auto passed = [&](std::size_t letters) {
        int count = 0;
        for (int i = 0; i < 10'000; ++i) {
            const std::string needle = word() + " " + word().substr(0, letters);
            count += may_hold(signature, junctions_of_needle(runs_of(needle))) ? 1 : 0;
        }
        return count;
    };
    EXPECT_LT(passed(long_junction_points), 40);
    EXPECT_LT(passed(gram_points), 400);
}

TEST_F(IndexTest, ScriptsWithoutSpaces) {
    write({{1, body("東京都庁からのお知らせ")}, {2, body("京都の天気")}, {3, body("東 京")}});
    EXPECT_THAT(sure(Field::body, "京"), ElementsAre(1, 2, 3));
    EXPECT_THAT(sure(Field::body, "京都"), ElementsAre(1, 2));
    EXPECT_THAT(sure(Field::body, "京都の"), ElementsAre(2));
    EXPECT_THAT(find(Field::body, "東京都庁").possible.to_vector(), ElementsAre(1));
}

TEST_F(IndexTest, FieldsOfTheHeader) {
    write({{1, {{{"subject", "invoice"}, {"from", "ann"}, {"x-tag", "blue"}}, {"body"}}},
           {2, {{{"to", "ann"}, {"cc", "bob"}, {"bcc", "cy"}}, {"invoice"}}}});
    EXPECT_THAT(sure(Field::subject, "invoice"), ElementsAre(1));
    EXPECT_THAT(sure(Field::body, "invoice"), ElementsAre(2));
    EXPECT_THAT(sure(Field::from, "ann"), ElementsAre(1));
    EXPECT_THAT(sure(Field::to, "ann"), ElementsAre(2));
    EXPECT_THAT(sure(Field::cc, "bob"), ElementsAre(2));
    EXPECT_THAT(find(Field::bcc, "cy").possible.to_vector(), ElementsAre(1, 2));  // too short
    EXPECT_THAT(sure(Field::header, "ann"), ElementsAre(1, 2));
    EXPECT_THAT(sure(Field::header, "subject"), ElementsAre(1));
    EXPECT_THAT(sure(Field::header, "blue"), ElementsAre(1));
}

TEST_F(IndexTest, WhatIsNotCoveredIsPossible) {
    write({{1, body("one")}, {3, body("two")}});
    const auto found = find(Field::body, "one", {1, 2, 3, 4});
    EXPECT_THAT(found.sure.to_vector(), ElementsAre(1));
    EXPECT_THAT(found.possible.to_vector(), ElementsAre(2, 4));
    auto other = Index::open(box(), 2);
    EXPECT_TRUE(other->covered().empty());
    EXPECT_THAT(other->find(Field::body, "one", {1}).possible.to_vector(), ElementsAre(1));
    EXPECT_TRUE(Index::open(box() + "/none", 1)->covered().empty());
}

TEST_F(IndexTest, RemovedMessagesLeaveNothing) {
    write({{1, body("secretword shared")}, {2, body("shared")}});
    auto to = writer();
    ASSERT_TRUE(to->remove({1, 9}).has_value());
    ASSERT_TRUE(to->commit().has_value());
    EXPECT_THAT(to->covered().to_vector(), ElementsAre(2));
    EXPECT_THAT(sure(Field::body, "secretword"), IsEmpty());
    EXPECT_THAT(sure(Field::body, "shared"), ElementsAre(2));
    const Xapian::Database database(only_segment());
    EXPECT_EQ(database.metadata_keys_begin("lsecret"), database.metadata_keys_end("lsecret"));
    EXPECT_EQ(database.get_termfreq("Bwsecretword"), 0);
    // The last message takes the files along.
    ASSERT_TRUE(to->remove({2}).has_value());
    EXPECT_TRUE(only_segment().empty());
    ASSERT_TRUE(to->commit().has_value());
}

TEST_F(IndexTest, OneWriterAtATime) {
    auto first = writer();
    auto second = IndexWriter::open(box(), 1);
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().code, Errc::conflict);
    first.reset();
    EXPECT_TRUE(IndexWriter::open(box(), 1).has_value());
}

TEST_F(IndexTest, AnotherUidValidityBeginsAnew) {
    write({{1, body("one")}});
    EXPECT_TRUE(writer(2)->covered().empty());
    EXPECT_TRUE(only_segment().empty());
}

TEST_F(IndexTest, ReadersSeeWhatAWriterCommits) {
    write({{1, body("apple")}});
    auto reader = Index::open(box(), 1);
    auto to = writer();
    for (Uid uid = 2; uid < 6; ++uid) {
        ASSERT_TRUE(to->add(uid, body("apple pear")).has_value());
        ASSERT_TRUE(to->commit().has_value());
        const auto found = reader->find(Field::body, "apple", {1, 2, 3, 4, 5});
        EXPECT_TRUE(found.sure.contains(1));
        EXPECT_EQ((found.sure | found.possible).size(), 5);
    }
    EXPECT_EQ(reader->damage(), "");
}

TEST_F(IndexTest, DamagedFilesAreReadPast) {
    std::map<Uid, Text> messages;
    for (Uid uid = 1; uid <= 500; ++uid) {
        messages[uid] = body("common word" + std::to_string(uid * 7919));
    }
    for (const char* name : {"iamglass", "postlist.glass"}) {
        fs::remove_all(box());
        write(messages);
        const auto file = only_segment() / name;
        const auto size = fs::file_size(file);
        std::ofstream(file, std::ios::binary) << std::string(size, '\x5A');
        auto index = Index::open(box(), 1);
        const auto found = index->find(Field::body, "common", {1, 2});
        EXPECT_THAT(found.possible.to_vector(), ElementsAre(1, 2)) << name;
        EXPECT_NE(index->damage(), "") << name;
        fs::remove(file);
        EXPECT_THAT(
            Index::open(box(), 1)->find(Field::body, "common", {1}).possible.to_vector(),
            ElementsAre(1));
        EXPECT_TRUE(writer()->covered().empty()) << name;
        EXPECT_TRUE(only_segment().empty()) << name;
    }
}

TEST_F(IndexTest, MessagesWithTooManyTermsAreAlwaysPossible) {
    std::string text;
    const auto word = [](std::size_t number) {
        std::string out;
        for (; number > 0; number /= 26) out += static_cast<char>('a' + number % 26);
        return out;
    };
    for (std::size_t i = 0; i < max_message_terms - 1; ++i) text += word(i + 1'000'000) + " ";
    auto to = writer();
    ASSERT_TRUE(to->add(1, body(text)).has_value());
    ASSERT_TRUE(to->add(2, body(text + "more")).has_value());
    ASSERT_TRUE(to->add(3, body(text + "more evenmore")).has_value());
    ASSERT_TRUE(to->commit().has_value());
    const auto found = find(Field::body, "evenmore");
    EXPECT_THAT(found.sure.to_vector(), IsEmpty());
    EXPECT_THAT(found.possible.to_vector(), ElementsAre(3));
    EXPECT_THAT(find(Field::body, "more").sure.to_vector(), ElementsAre(2));
}

// Text of few letters, so that stretches meet in all ways: whatever is asked, the index never errs.
TEST_F(IndexTest, AgreesWithReadingOnRandomTexts) {
    const std::vector<std::string> letters{"a",  "b", "ab", "1", "2",  "3456", " ", " ",
                                           "-",  "ü", "日", "本", "กข", "@",    "abcdefgh"};
    std::mt19937 random(7);
    const auto some_text = [&](std::size_t most) {
        std::string text;
        for (std::size_t n = random() % most + 1; n > 0; --n) {
            text += letters[random() % letters.size()];
        }
        return text;
    };
    std::map<Uid, Text> messages;
    for (Uid uid = 1; uid <= 300; ++uid) messages[uid * 3] = body(some_text(20));
    write(messages);
    auto index = Index::open(box(), 1);
    std::size_t decided = 0;
    for (int round = 0; round < 3000; ++round) {
        const std::string needle = some_text(5);
        UidSet truth;
        for (const auto& [uid, text] : messages) {
            if (text.body[0].find(needle) != std::string::npos) truth.add(uid);
        }
        const auto found = index->find(Field::body, needle, index->covered());
        EXPECT_TRUE((found.sure - truth).empty()) << needle;
        EXPECT_TRUE((truth - found.sure - found.possible).empty()) << needle;
        decided += found.possible.empty() ? 1 : 0;
    }
    EXPECT_GT(decided, 500);
}

TEST_F(IndexTest, SegmentsEndAndSparseOnesJoin) {
    auto to = writer();
    for (Uid uid = 1; uid <= 2 * segment_messages + 1; ++uid) {
        ASSERT_TRUE(to->add(uid, body("x" + std::string(1, 'a' + uid % 26))).has_value());
    }
    ASSERT_TRUE(to->commit().has_value());
    const auto segments = [&] {
        std::vector<std::string> names;
        for (const auto& entry : fs::directory_iterator(box())) {
            if (entry.is_directory()) names.push_back(entry.path().filename());
        }
        return names.size();
    };
    EXPECT_EQ(segments(), 3);
    EXPECT_EQ(Index::open(box(), 1)->covered().size(), 2 * segment_messages + 1);
    // Full ones were rewritten, and answer as before.
    EXPECT_EQ(find(Field::body, " xb ").possible.size(), 2 * segment_messages / 26 + 1);
    UidSet going;
    going.add_range(100, 2 * segment_messages - 100);
    ASSERT_TRUE(to->remove(going).has_value());
    ASSERT_TRUE(to->commit().has_value());
    to.reset();
    to = writer();  // what the sparse ones held is to be added again
    EXPECT_EQ(to->covered().size(), 99);
    ASSERT_TRUE(to->add(2 * segment_messages + 1, body("last")).has_value());
    ASSERT_TRUE(to->commit().has_value());
    EXPECT_EQ(segments(), 1);
    EXPECT_THAT(sure(Field::body, "last"), ElementsAre(2 * segment_messages + 1));
}

}  // namespace
}  // namespace postern::fulltext

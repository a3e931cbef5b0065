// SEARCH with the full-text index answers what reading every message answers.
#include "gateway/imap_service/search.h"
#include "gateway/imap_service/search_narrowing.h"
#include "gateway/search_index/message_text.h"
#include "gateway/search_index/search_index.h"
#include "store/fulltext/runs.h"
#include "tests/gateway/imap_service/mailbox_fixture.h"
#include "tests/store/support/temp_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

namespace postern::imap_service {
namespace {

namespace fs = std::filesystem;
using imap::SearchKey;
using testing::ElementsAre;
using Kind = SearchKey::Kind;

SearchKey text_key(Kind kind, std::string text, std::string name = {}) {
    SearchKey key;
    key.kind = kind;
    key.text = std::move(text);
    key.name = std::move(name);
    return key;
}
SearchKey join(Kind kind, std::vector<SearchKey> children) {
    SearchKey key;
    key.kind = kind;
    key.children = std::move(children);
    return key;
}

std::string show(const SearchKey& key) {
    std::string out = std::to_string(static_cast<int>(key.kind)) + " " + key.name + " '" +
                      key.text + "'";
    for (const auto& child : key.children) out += " (" + show(child) + ")";
    return out;
}

class SearchIndexTest : public MailboxTest {
protected:
    void SetUp() override {
        MailboxTest::SetUp();
        options_.folder = folder_.string();
        options_.warn = [this](std::string_view text) { warnings_.emplace_back(text); };
        index_ = std::make_unique<search_index::SearchIndex>(*kv_, *mail_, options_);
    }
    void update(bool rebuild = false) {
        search_index::UpdateOptions options;
        options.rebuild = rebuild;
        const auto done =
            search_index::update_index(*mail_, options_.folder, box("INBOX"), options);
        ASSERT_TRUE(done.has_value()) << done.error().text;
    }
    UidSet found(const SearchKey& key, search_index::SearchIndex* index) {
        auto result = search(*mail_, box("INBOX"), key, stopped_, index);
        EXPECT_TRUE(result.has_value()) << show(key) << ": " << (result ? "" : result.error().text);
        return result ? *result : UidSet{};
    }
    // Answers what was found.
    UidSet agree(const SearchKey& key) {
        auto read = found(key, nullptr);
        EXPECT_EQ(found(key, index_.get()).to_string(), read.to_string()) << show(key);
        return read;
    }
    void add_many(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            add("Subject: filler\n\nnothing of interest\n");
        }
    }
    // Letters from the text of the messages themselves, so that most are found somewhere.
    std::string some_stretch(const std::vector<std::string>& texts) {
        for (;;) {
            const auto& text = texts[random_() % texts.size()];
            if (text.empty()) continue;
            std::size_t begin = random_() % text.size();
            while (begin > 0 && (text[begin] & 0xC0) == 0x80) --begin;
            std::size_t end = std::min(begin + 1 + random_() % 40, text.size());
            while (end < text.size() && (text[end] & 0xC0) == 0x80) ++end;
            const auto stretch = text.substr(begin, end - begin);
            if (stretch.find('\0') == std::string::npos) return stretch;
        }
    }

    test::TempFolder folder_;
    search_index::Options options_;
    std::vector<std::string> warnings_;
    std::unique_ptr<search_index::SearchIndex> index_;
    std::atomic<bool> stopped_{false};
    std::mt19937 random_{11};
};

TEST_F(SearchIndexTest, ScriptsCharsetsAndAttachments) {
    add_many(max_unindexed_reads);
    const Uid cjk = add(
        "Subject: =?UTF-8?B?5p2x5Lqs44GL44KJ?=\nContent-Type: text/plain; charset=utf-8\n\n"
        "明日の会議は東京都庁で行います。\n");
    const Uid latin = add(
        "Subject: Rechnung\nFrom: =?ISO-8859-1?Q?J=FCrgen?= <j@example.org>\n"
        "Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: "
        "quoted-printable\n\nDie Gr=F6=DFe der Stra=DFe, caf=E9\n");
    const Uid attached = add(
        "Subject: a\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nsee there\n--b\n"
        "Content-Type: text/csv; name=\"umsatz-2026.csv\"\nContent-Transfer-Encoding: base64\n\n"
        "QXBmZWxzYWZ0OzEyMzQ1Njc4OTA=\n--b--\n");
    const Uid page = add(
        "Subject: b\nContent-Type: text/html\n\n<p>Great o<b>ffer</b>: "
        "<a href=\"https://shop.example/x7Hq92Lm\">here</a>\n");
    const Uid commented = add("From: <eva (office)@ (there) corp.example>\n\nhello\n");
    update();
    const auto only = [&](Kind kind, const std::string& text) {
        return agree(text_key(kind, text)).to_vector();
    };
    EXPECT_THAT(only(Kind::body, "東京"), ElementsAre(cjk));
    EXPECT_THAT(only(Kind::body, "東京都庁で行"), ElementsAre(cjk));
    EXPECT_THAT(only(Kind::subject, "東"), ElementsAre(cjk));
    EXPECT_THAT(only(Kind::text, "東京から"), ElementsAre(cjk));
    EXPECT_THAT(only(Kind::body, "GRÖSSE"), ElementsAre(latin));
    EXPECT_THAT(only(Kind::body, "STRASSE, CAFÉ"), ElementsAre(latin));
    EXPECT_THAT(only(Kind::from, "JÜRGEN"), ElementsAre(latin));
    EXPECT_THAT(only(Kind::text, "rechn"), ElementsAre(latin));
    EXPECT_THAT(only(Kind::body, "apfelsaft"), ElementsAre(attached));
    EXPECT_THAT(only(Kind::body, "4567"), ElementsAre(attached));
    EXPECT_THAT(only(Kind::body, "umsatz-2026"), ElementsAre(attached));
    EXPECT_THAT(only(Kind::body, "offer"), ElementsAre(page));
    EXPECT_THAT(only(Kind::body, "example/x7hq"), ElementsAre(page));
    EXPECT_THAT(only(Kind::from, "eva@corp.example"), ElementsAre(commented));
    EXPECT_THAT(only(Kind::text, "eva@corp"), ElementsAre(commented));
    EXPECT_THAT(only(Kind::from, "office"), ElementsAre(commented));
    agree(join(Kind::not_, {text_key(Kind::body, "nothing")}));
    agree(join(Kind::or_, {text_key(Kind::body, "東京"), text_key(Kind::subject, "rech")}));
    agree(text_key(Kind::body, ""));
    agree(text_key(Kind::subject, ""));
    EXPECT_TRUE(warnings_.empty());
}

// Mail as people get it, asked for stretches of its own text.
TEST_F(SearchIndexTest, AgreesWithReadingOnRealMail) {
    std::vector<std::string> headers, bodies;
    std::vector<fs::path> files;
    for (const auto& each : fs::recursive_directory_iterator(
             std::string(POSTERN_SOURCE_DIR) + "/tests/corpus/messages")) {
        if (each.is_regular_file()) files.push_back(each.path());
    }
    std::sort(files.begin(), files.end());
    ASSERT_GT(files.size(), 100);
    for (std::size_t i = 0; i < files.size(); i += 2) {
        std::ifstream in(files[i], std::ios::binary);
        const std::string bytes{std::istreambuf_iterator<char>(in), {}};
        add(bytes);
        const auto parsed = mime::parse(bytes);
        for (auto& field : search_index::header_text(parsed, bytes)) {
            headers.push_back(field.name + ": " + field.value);
        }
        for (auto& text : search_index::body_text(parsed, bytes)) bodies.push_back(std::move(text));
        if (i == files.size() / 2) update();
    }
    // Some of the indexed are gone, some others were never indexed.
    ASSERT_TRUE(mail::wait<UidSet>(
        [&](auto done) { mail_->expunge(box("INBOX"), {3, 4, 5, 50}, true, done); }));
    std::size_t hits = 0;
    for (int round = 0; round < 150; ++round) {
        const bool in_body = round % 2 == 0;
        const auto needle = some_stretch(in_body ? bodies : headers);
        const Kind kinds[] = {Kind::body, Kind::text, Kind::subject, Kind::from, Kind::to};
        auto key = text_key(kinds[in_body ? round / 2 % 2 : 1 + round / 2 % 4], needle);
        if (round % 10 == 9) key = text_key(Kind::header, needle, "Received");
        if (round % 7 == 3) key = join(Kind::not_, {key});
        if (round % 7 == 4) {
            key = join(Kind::or_, {key, text_key(Kind::text, some_stretch(bodies))});
        }
        if (round % 7 == 5) key = join(Kind::and_, {key, text_key(Kind::body, "e")});
        hits += agree(key).empty() ? 0 : 1;
    }
    EXPECT_GT(hits, 50);
    EXPECT_TRUE(warnings_.empty());
}

TEST_F(SearchIndexTest, DamageIsReadPastAndTold) {
    add_many(max_unindexed_reads + 10);
    const Uid wanted = add("Subject: x\n\nneedle here\n");
    update();
    for (const auto& each : fs::recursive_directory_iterator(options_.folder)) {
        if (each.path().filename() != "postlist.glass") continue;
        const auto size = fs::file_size(each.path());
        std::ofstream(each.path(), std::ios::binary) << std::string(size, '\x5A');
    }
    EXPECT_THAT(agree(text_key(Kind::body, "needle")).to_vector(), ElementsAre(wanted));
    EXPECT_THAT(warnings_, testing::SizeIs(1));
    EXPECT_EQ(index_->status().waiting, 1);
}

}  // namespace
}  // namespace postern::imap_service

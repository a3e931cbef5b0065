#include "filters/dumps/dump.h"

#include "filters/features/features.h"
#include "protocols/mime/message.h"

#include <algorithm>

namespace postern::filters {
namespace {

Counts read(DumpKind kind, std::string_view text) {
    DumpReader reader(kind);
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        reader.add_line(text.substr(at, end - at));
        at = end + 1;
    }
    auto counts = reader.finish();
    EXPECT_TRUE(counts.has_value()) << (counts ? "" : counts.error().text);
    return counts ? *counts : Counts{};
}

const CountedFeature* find(const Counts& counts, std::string_view kind, std::string_view word,
                           bool content) {
    for (const auto& each : counts.features) {
        if (each.hash == word_feature(kind, word, content)) return &each;
    }
    return nullptr;
}

TEST(Dump, KindsAreToldByTheirBeginning) {
    EXPECT_EQ(kind_of_dump("$0 9 3 20261123\nmore"), DumpKind::bogofilter);
    EXPECT_EQ(kind_of_dump("164,47,8868,\"$\"\n"), DumpKind::spamprobe);
    EXPECT_EQ(kind_of_dump("v\t3\tdb_version # this must be the first line!!!\n"),
              DumpKind::spamassassin);
    EXPECT_EQ(kind_of_dump("\"BAYES_SPAM_keys\": [\"RS\"]\n"), DumpKind::rspamd);
    EXPECT_EQ(kind_of_dump("{\"pattern\": \"RS\", \"meta\": {}"), DumpKind::rspamd);
    EXPECT_EQ(kind_of_dump("REDIS0011\xFA\nmore"), DumpKind::rspamd);
    for (const auto* other : {"", "\n", "spam data/1\n", "From: a@b\n", "a 1 2 3\n", "1,2,\"x\"\n",
                              ",,,\"\n", "a b c 20261123\n"}) {
        EXPECT_EQ(kind_of_dump(other), std::nullopt) << other;
    }
}

TEST(Dump, BogofilterCountsSpamFirst) {
    const Counts counts = read(DumpKind::bogofilter,
                               ".MSG_COUNT 100 200 20261123\n"
                               "Viagra 30 1 20261123\nviagra 10 2 20261123\n"
                               "subj:offer 7 0 20261123\nhead:X-Odd 5 5 20261123\n"
                               "from:ann 0 9 20261123\n");
    EXPECT_EQ(counts.spam, 100u);
    EXPECT_EQ(counts.ham, 200u);
    ASSERT_EQ(counts.features.size(), 3u);
    const auto* word = find(counts, "", "viagra", true);
    ASSERT_NE(word, nullptr);
    EXPECT_EQ(word->spam, 40u);
    EXPECT_EQ(word->ham, 3u);
    EXPECT_NE(find(counts, "subject", "offer", true), nullptr);
    EXPECT_NE(find(counts, "from", "ann", false), nullptr);
}

TEST(Dump, SpamprobeCountsHamFirstAndKnowsNeighbours) {
    const Counts counts = read(DumpKind::spamprobe,
                               "100,20,8868,\"the\"\n3,9,8868,\"click here\"\n"
                               "1,0,8868,\"Hrecv_b38\"\n2,4,8868,\"Hsubject_offer\"\n"
                               "1,0,8868,\"caf\\303\\251\"\n");
    EXPECT_EQ(counts.ham, 100u);
    EXPECT_EQ(counts.spam, 31u);  // as the counts of both classes stand to each other
    EXPECT_EQ(find(counts, "", "the", true)->ham, 100u);
    EXPECT_EQ(find(counts, "subject", "offer", true)->spam, 4u);
    EXPECT_NE(find(counts, "", "caf\xC3\xA9", true), nullptr);
    const std::uint64_t pair = neighbours_feature("", "click", "here", true);
    EXPECT_TRUE(std::any_of(counts.features.begin(), counts.features.end(),
                            [pair](const auto& each) { return each.hash == pair; }));
}

// What a dump names must be what the same words in a message are.
TEST(Dump, WordsAreTheFeaturesOfMessages) {
    const std::string message =
        "From: Ann Example <ann@example.org>\r\nSubject: special offer\r\n\r\nClick here now\r\n";
    const auto parsed = mime::parse(message);
    const auto hashes = extract(ScanInput{message, parsed, {}, Time{}}).vector.hashes;
    const auto has = [&](std::uint64_t hash) {
        return std::find(hashes.begin(), hashes.end(), hash) != hashes.end();
    };
    EXPECT_TRUE(has(word_feature("", "click", true)));
    EXPECT_TRUE(has(word_feature("subject", "offer", true)));
    EXPECT_TRUE(has(word_feature("from", "ann", false)));
    EXPECT_TRUE(has(neighbours_feature("", "click", "here", true)));
    EXPECT_FALSE(has(neighbours_feature("", "here", "click", true)));
}

TEST(Dump, HashesInPlaceOfWordsAreRefusedWithTheNextStep) {
    DumpReader reader(DumpKind::spamassassin);
    reader.add_line("t\t1\t15\t1038789114\t101dbef936");
    const auto counts = reader.finish();
    ASSERT_FALSE(counts.has_value());
    EXPECT_EQ(counts.error().code, Errc::unsupported);
    EXPECT_NE(counts.error().text.find("--words"), std::string::npos);
}

// A stand-in that tells spellings apart: the hash of "click" ends with its five letters.
std::string last_letters(std::string_view word) {
    const std::string padded = std::string(20, '.') + std::string(word);
    return padded.substr(padded.size() - 20);
}

TEST(Dump, SpamAssassinCountsAreOfTheWordsThatAreKnown) {
    WordBook words(last_letters);
    words.add("click");
    words.add("click");
    EXPECT_EQ(words.size(), 1u);
    DumpReader reader(DumpKind::spamassassin, &words);
    for (const auto* line :
         {"v\t3\tdb_version # this must be the first line!!!", "v\t80\tnum_spam",
          "v\t70\tnum_nonspam", "t\t9\t1\t1031930397\t636c69636b", "t\t4\t0\t1\t434c49434b",
          "t\t5\t5\t1\t0123456789", "t\t5\t5\t1\tnothex", "s\th\tid@x", "t\t5"}) {
        reader.add_line(line);
    }
    EXPECT_EQ(reader.taken(), 2u);
    EXPECT_EQ(reader.left_out(), 3u);
    EXPECT_EQ(reader.damaged(), 1u);
    const auto counts = reader.finish();
    ASSERT_TRUE(counts.has_value());
    EXPECT_EQ(counts->spam, 80u);
    EXPECT_EQ(counts->ham, 70u);
    ASSERT_NE(find(*counts, "", "click", true), nullptr);
    EXPECT_EQ(find(*counts, "", "click", true)->spam, 13u);
}

TEST(Dump, DamageIsCountedAndTooMuchOfItRefused) {
    DumpReader reader(DumpKind::bogofilter);
    reader.add_line(".MSG_COUNT 5 5 20261123");
    reader.add_line("good 1 1 20261123");
    reader.add_line("bad");
    EXPECT_TRUE(reader.finish().has_value());
    for (const auto* line : {"", " 1 1 20261123", "x -1 1 20261123", "x 1 1e5 20261123",
                             "x 1 9999999999 20261123", "a b"}) {
        reader.add_line(line);
    }
    EXPECT_EQ(reader.taken(), 1u);
    EXPECT_EQ(reader.damaged(), 6u);
    EXPECT_EQ(reader.finish().error().code, Errc::invalid);
    EXPECT_EQ(DumpReader(DumpKind::bogofilter).finish().error().code, Errc::invalid);
}

TEST(Dump, LinesAtTheLimit) {
    for (const std::size_t size :
         {max_dump_line_bytes - 1, max_dump_line_bytes, max_dump_line_bytes + 1}) {
        DumpReader reader(DumpKind::bogofilter);
        reader.add_line(std::string(size - 13, 'x') + " 1 1 20261123");
        EXPECT_EQ(reader.damaged(), size > max_dump_line_bytes ? 1u : 0u) << size;
        EXPECT_EQ(reader.left_out(), size > max_dump_line_bytes ? 0u : 1u) << size;
    }
}

TEST(Dump, FeaturesAtTheLimit) {
    static_assert(max_dump_features == 2'000'000);
    constexpr std::size_t limit = 10;
    for (const std::size_t count : {limit - 1, limit, limit + 1}) {
        DumpReader reader(DumpKind::bogofilter, nullptr, limit);
        for (std::size_t i = 0; i < count; ++i) {
            reader.add_line("word" + std::to_string(i) + " 1 1 20261123");
        }
        reader.add_line("word0 1 1 20261123");  // known: counted whatever there is
        EXPECT_EQ(reader.taken(), std::min(count, limit) + 1);
        EXPECT_EQ(reader.left_out(), count > limit ? 1u : 0u);
    }
}

TEST(Dump, WordsOfABookAtTheLimit) {
    static_assert(WordBook::max_words == 1'000'000);
    constexpr std::size_t limit = 10;
    for (const std::size_t count : {limit - 1, limit, limit + 1}) {
        WordBook words(last_letters, limit);
        for (std::size_t i = 0; i < count; ++i) words.add("word" + std::to_string(i));
        words.add("word0");
        EXPECT_EQ(words.size(), std::min(count, limit));
    }
}

TEST(Dump, CountsBecomeAPriorThatIsHeardWhereTheWordsAreKnown) {
    std::string text = ".MSG_COUNT 400 400 20261123\n";
    const std::vector<std::string> bad{"cheap", "pills", "casino", "winner",
                                       "click", "loan",  "offer",  "free"};
    const std::vector<std::string> good{"meeting", "minutes", "draft",  "agenda",
                                        "thanks",  "review",  "monday", "invoice"};
    for (const auto& word : bad) text += word + " 200 2 20261123\n";
    for (const auto& word : good) text += word + " 2 200 20261123\n";
    const Counts counts = read(DumpKind::bogofilter, text);
    const auto source = make_models(min_model_bytes);
    EXPECT_TRUE(source->add_counts(counts));
    const std::string once = source->save();
    EXPECT_FALSE(source->add_counts(counts));
    EXPECT_EQ(source->save(), once);
    const auto models = make_models(min_model_bytes);
    ASSERT_TRUE(models->set_prior(once).has_value());
    const auto message_of = [](const std::vector<std::string>& words) {
        FeatureVector message;
        for (const auto& word : words) message.hashes.push_back(word_feature("", word, true));
        message.tokens = static_cast<std::uint32_t>(message.hashes.size());
        return message;
    };
    EXPECT_GT(models->score(message_of(bad)).from_prior, 0.5);
    EXPECT_LT(models->score(message_of(good)).from_prior, -0.5);
    EXPECT_EQ(models->score(message_of({"nothing", "of", "this", "is", "known"})).from_prior, 0);
}

}  // namespace
}  // namespace postern::filters

#include "gateway/mailsource/mail_source.h"

#include "gateway/mailsource/index.h"
#include "tests/gateway/temporary_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

namespace postern::mailsource {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class MailSourceTest : public testing::Test {
protected:
    std::vector<Item> read(const std::vector<std::string>& paths, const Options& options = {}) {
        auto source = MailSource::open(paths, options);
        EXPECT_TRUE(source.has_value()) << (source ? "" : source.error().text);
        std::vector<Item> items;
        if (!source) return items;
        while (auto item = source->next()) items.push_back(std::move(*item));
        last_progress_ = source->progress();
        return items;
    }
    std::vector<std::string> bytes(const std::vector<std::string>& paths) {
        std::vector<std::string> all;
        for (auto& item : read(paths)) {
            all.push_back(item.problem.empty() ? item.bytes : "! " + item.problem);
        }
        return all;
    }

    TemporaryFolder folder_;
    Progress last_progress_;
};

TEST_F(MailSourceTest, LineEndsBecomeCrlf) {
    const auto file = folder_.write("m", "A: 1\n\nx\r\ny\rz\nend");
    EXPECT_THAT(bytes({file}), ElementsAre("A: 1\r\n\r\nx\r\ny\rz\r\nend"));
}

TEST_F(MailSourceTest, MboxIsSplitAtFromLinesAndUnquoted) {
    const auto file =
        folder_.write("box",
                      "From a@b Mon Jan  1 00:00:00 2024\n"
                      "Subject: 1\n\n>From here\n>>From there\nFrom now on\n\n"
                      "From MAILER-DAEMON Tue Feb 12 10:11 +0100 2024 remote from x\r\n"
                      "Subject: 2\r\n\r\nbody\r\n\r\n\r\n"
                      "From c@d Wed Mar  3 00:00:00 UTC 2024\n"
                      "Subject: 3\n\nFrom where\n");
    EXPECT_THAT(bytes({file}),
                ElementsAre("Subject: 1\r\n\r\nFrom here\r\n>From there\r\nFrom now on\r\n",
                            "Subject: 2\r\n\r\nbody\r\n\r\n", "Subject: 3\r\n\r\nFrom where\r\n"));
    EXPECT_EQ(read({file})[1].name, file + "#2");
    EXPECT_EQ(last_progress_.messages, 3u);
    EXPECT_EQ(last_progress_.done_bytes, last_progress_.total_bytes);
}

TEST_F(MailSourceTest, FromLineNeedsADate) {
    EXPECT_TRUE(is_from_line("From a@b Mon Jan  1 00:00:00 2024"));
    EXPECT_TRUE(is_from_line("From  Mon Jan 1 00:00 2024"));
    EXPECT_TRUE(is_from_line("From two words Sat Dec 31 23:59:59 MET 1999"));
    EXPECT_FALSE(is_from_line("From Monday on, Jan 1 is free"));
    EXPECT_FALSE(is_from_line("From a@b Mon Jan  1 00:00:00"));
    EXPECT_FALSE(is_from_line(">From a@b Mon Jan  1 00:00:00 2024"));
    EXPECT_FALSE(is_from_line("From: a@b Mon Jan  1 00:00:00 2024"));
    EXPECT_FALSE(is_from_line("From "));
}

TEST_F(MailSourceTest, MaildirTakesCurNewAndSubfoldersOnly) {
    for (const char* part : {"cur", "new", "tmp", ".Junk/cur", ".Junk/new", ".Junk/tmp"}) {
        folder_.make(std::string("md/") + part);
    }
    folder_.write("md/cur/1:2,S", "A: cur\n\n");
    folder_.write("md/new/2", "From x Mon Jan  1 00:00:00 2024\nA: new\n\n");
    folder_.write("md/tmp/3", "A: tmp\n\n");
    folder_.write("md/.Junk/cur/4:2,", "A: junk\n\n");
    folder_.write("md/dovecot-uidlist", "not mail");
    EXPECT_THAT(bytes({folder_.path("md")}),
                ElementsAre("A: cur\r\n\r\n", "From x Mon Jan  1 00:00:00 2024\r\nA: new\r\n\r\n",
                            "A: junk\r\n\r\n"));
}

TEST_F(MailSourceTest, FolderIsWalkedInOrderWithoutHiddenFiles) {
    folder_.make("f/sub");
    folder_.write("f/b", "B: 1\n\n");
    folder_.write("f/a", "A: 1\n\n");
    folder_.write("f/.hidden", "H: 1\n\n");
    folder_.write("f/sub/c", "C: 1\n\n");
    std::filesystem::create_directory_symlink(folder_.path("f"), folder_.path("f/loop"));
    EXPECT_THAT(bytes({folder_.path("f")}),
                ElementsAre("A: 1\r\n\r\n", "B: 1\r\n\r\n", "C: 1\r\n\r\n"));
}

TEST_F(MailSourceTest, DamagedItemsAreNamedAndTheRestIsRead) {
    folder_.make("f");
    folder_.write("f/a", "");
    folder_.write("f/b", "From x Mon Jan  1 00:00:00 2024\n");
    folder_.write("f/c", "C: 1\n\n");
    EXPECT_THAT(bytes({folder_.path("f")}), ElementsAre("! empty", "! empty", "C: 1\r\n\r\n"));
    EXPECT_EQ(last_progress_.messages, 1u);
}

TEST_F(MailSourceTest, SizeLimitCountsCrlf) {
    const auto file = folder_.write("m", "A: 1\n\n1234\n");
    const std::uint64_t size = 6 + 2 + 6;
    EXPECT_EQ(read({file}, {size})[0].bytes.size(), size);
    EXPECT_EQ(read({file}, {size + 1})[0].bytes.size(), size);
    EXPECT_THAT(read({file}, {size - 1})[0].problem, HasSubstr("larger than 13 bytes"));
}

TEST_F(MailSourceTest, TooLargeMessageInAnMboxDoesNotHideTheNext) {
    const std::string from = "From x Mon Jan  1 00:00:00 2024\n";
    const auto file = folder_.write(
        "box", from + "A: 1\n\n" + std::string(600'000, 'x') + "\n\n" + from + "B: 1\n\nok\n");
    const auto items = read({file}, {500'000});
    ASSERT_EQ(items.size(), 2u);
    EXPECT_THAT(items[0].problem, HasSubstr("larger"));
    EXPECT_EQ(items[1].bytes, "B: 1\r\n\r\nok\r\n");
}

TEST_F(MailSourceTest, LongLinesAndCrlfAtBufferEndsSurvive) {
    // A line end moved over the reader's buffer end byte by byte.
    for (std::size_t length = 256 * 1024 - 3; length < 256 * 1024 + 3; ++length) {
        const auto file = folder_.write("m", std::string(length, 'y') + "\r\nnext\r\n");
        const auto items = read({file});
        ASSERT_EQ(items.size(), 1u);
        ASSERT_EQ(items[0].bytes, std::string(length, 'y') + "\r\nnext\r\n") << length;
    }
}

TEST_F(MailSourceTest, MissingPathIsAnError) {
    const std::vector<std::string> paths{folder_.path("none")};
    const auto source = MailSource::open(paths, {});
    ASSERT_FALSE(source.has_value());
    EXPECT_EQ(source.error().code, Errc::not_found);
    EXPECT_THAT(source.error().text, HasSubstr("none: no such file or folder"));
}

TEST_F(MailSourceTest, ReadMessageNeverSplits) {
    const std::string from = "From x Mon Jan  1 00:00:00 2024\n";
    const auto file = folder_.write("m", from + "A: 1\n\none\n\n" + from + "two\n");
    EXPECT_EQ(read_message(file, {}).bytes,
              "A: 1\r\n\r\none\r\n\r\nFrom x Mon Jan  1 00:00:00 2024\r\ntwo\r\n");
    EXPECT_EQ(read_message(folder_.path("none"), {}).problem, "No such file or directory");
}

TEST_F(MailSourceTest, IndexPathsStartAtItsFolder) {
    const auto file = folder_.write("c/index", "# comment\nspam data/1\n\nham  /abs/2\nspam a b\n");
    const auto entries = read_index(file);
    ASSERT_TRUE(entries.has_value());
    ASSERT_EQ(entries->size(), 3u);
    EXPECT_TRUE((*entries)[0].spam);
    EXPECT_EQ((*entries)[0].path, folder_.path("c/data/1"));
    EXPECT_FALSE((*entries)[1].spam);
    EXPECT_EQ((*entries)[1].path, "/abs/2");
    EXPECT_EQ((*entries)[2].path, folder_.path("c/a b"));
}

TEST_F(MailSourceTest, BadIndexLineIsNamed) {
    const auto file = folder_.write("index", "spam a\nspma b\n");
    const auto entries = read_index(file);
    ASSERT_FALSE(entries.has_value());
    EXPECT_EQ(entries.error().code, Errc::invalid);
    EXPECT_THAT(entries.error().text, HasSubstr("index:2: expected"));
}

}  // namespace
}  // namespace postern::mailsource

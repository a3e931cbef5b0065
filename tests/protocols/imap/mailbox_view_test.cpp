#include "protocols/imap/mailbox_view.h"

#include <gtest/gtest.h>

namespace postern::imap {
namespace {

MailboxView view_of(UidSet uids, UidSet recent = {}) {
    MailboxOpened opened;
    opened.uid_validity = 7;
    opened.uid_next = 100;
    opened.uids = std::move(uids);
    opened.recent = std::move(recent);
    return MailboxView(std::move(opened));
}

Flags seen() {
    Flags flags;
    flags.set(SystemFlag::seen);
    return flags;
}

TEST(MailboxView, TellsWhatVanishedOnlyWhenAllowed) {
    MailboxView view = view_of({10, 20, 30, 40, 50});
    MailboxChanges changes;
    changes.vanished = {20, 30};
    EXPECT_EQ(view.update(changes, false, false), "");
    EXPECT_EQ(view.count(), 5U);
    EXPECT_EQ(view.sequence_of(40), 4U);

    changes.vanished = {50};
    EXPECT_EQ(view.update(changes, true, false), "* 2 EXPUNGE\r\n* 2 EXPUNGE\r\n* 3 EXPUNGE\r\n");
    EXPECT_EQ(view.uids(), (UidSet{10, 40}));
    EXPECT_EQ(view.update({}, true, false), "");
}

TEST(MailboxView, NewMessagesComeAfterThoseThatStillHoldTheirNumbers) {
    MailboxView view = view_of({10, 20}, {20});
    MailboxChanges changes;
    changes.vanished = {10};
    changes.added = {30};
    changes.recent = {30};
    EXPECT_EQ(view.update(changes, false, false), "* 3 EXISTS\r\n* 2 RECENT\r\n");
    EXPECT_EQ(view.update({}, true, false), "* 1 EXPUNGE\r\n");
    EXPECT_EQ(view.sequence_of(30), 2U);
}

TEST(MailboxView, TheHighestModSequenceWaitsForWhatIsUntold) {
    MailboxView view = view_of({10, 20});
    const auto line = [&] { return view.highest_modseq_line(); };
    EXPECT_EQ(line(), "* OK [HIGHESTMODSEQ 1] Highest mod-sequence\r\n");
    MailboxChanges changes;
    changes.highest_modseq = 5;
    view.update(changes, false, false);
    EXPECT_EQ(line(), "* OK [HIGHESTMODSEQ 5] Highest mod-sequence\r\n");
    changes.highest_modseq = 6;
    changes.vanished = {10};
    view.update(changes, false, false);
    EXPECT_EQ(line(), "* OK [HIGHESTMODSEQ 5] Highest mod-sequence\r\n");
    changes = {};
    changes.highest_modseq = 6;
    view.update(changes, true, false);
    EXPECT_EQ(line(), "* OK [HIGHESTMODSEQ 6] Highest mod-sequence\r\n");
}

TEST(MailboxView, AMessageThatCameAndWentIsNotTold) {
    MailboxView view = view_of({10});
    MailboxChanges changes;
    changes.added = {20};
    changes.vanished = {20};
    EXPECT_EQ(view.update(changes, true, false), "");
    EXPECT_EQ(view.uids(), UidSet{10});
}

TEST(MailboxView, TellsFlagsThatOthersSet) {
    MailboxView view = view_of({10, 20}, {20});
    MailboxChanges changes;
    changes.flags = {{20, seen(), 5}, {99, seen(), 5}};
    EXPECT_EQ(view.update(changes, true, false), "* 2 FETCH (FLAGS (\\Seen \\Recent))\r\n");
    EXPECT_EQ(view.update(changes, true, true), "* 2 FETCH (UID 20 FLAGS (\\Seen \\Recent))\r\n");
}

TEST(MailboxView, DoesNotRepeatWhatItToldItself) {
    MailboxView view = view_of({10, 20, 30});
    MailboxChanges changes;
    changes.flags = {{10, seen(), 5}, {20, seen(), 5}, {30, seen(), 5}};
    view.told_flags(10, seen());
    view.told_flags(20, {});  // another session set \Seen right after
    changes.vanished = {30};
    EXPECT_EQ(view.update(changes, false, false), "* 2 FETCH (FLAGS (\\Seen))\r\n");
    changes.flags.pop_back();
    EXPECT_EQ(view.update(changes, false, false),
              "* 1 FETCH (FLAGS (\\Seen))\r\n* 2 FETCH (FLAGS (\\Seen))\r\n");
}

TEST(MailboxView, FlagsOfNewMessagesAreForTheClientToFetch) {
    MailboxView view = view_of({10});
    MailboxChanges changes;
    changes.added = {20};
    changes.flags = {{20, seen(), 5}};
    EXPECT_EQ(view.update(changes, true, false), "* 2 EXISTS\r\n* 0 RECENT\r\n");
}

TEST(MailboxView, TellsNewKeywordsOnce) {
    MailboxView view = view_of({10});
    MailboxChanges changes;
    changes.keywords = {"b", "a"};
    EXPECT_EQ(view.update(changes, true, false),
              "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft a b)\r\n");
    EXPECT_EQ(view.update(changes, true, false), "");
    EXPECT_EQ(view.tell_keywords({"A"}), "");
    EXPECT_NE(view.tell_keywords({"c"}), "");
}

TEST(MailboxView, ItsOwnExpungeTakesOnlyWhatTheClientKnows) {
    MailboxView view = view_of({10, 20, 30}, {20, 30});
    EXPECT_EQ(view.expunge({20, 25}), "* 2 EXPUNGE\r\n");
    EXPECT_EQ(view.recent(), UidSet{30});
    MailboxChanges changes;
    changes.vanished = {20};
    EXPECT_EQ(view.update(changes, true, false), "");
}

TEST(MailboxView, OpensAsRfc3501Wants) {
    MailboxOpened opened;
    opened.uid_validity = 3857529045;
    opened.uid_next = 4392;
    opened.uids = {1, 2, 7, 9};
    opened.recent = {9};
    opened.first_unseen = 7;
    opened.keywords = {"work"};
    EXPECT_EQ(MailboxView(opened).opening_lines(),
              "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft work)\r\n"
              "* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft work \\*)] "
              "Flags that are kept\r\n"
              "* 4 EXISTS\r\n* 1 RECENT\r\n"
              "* OK [UNSEEN 3] First unseen message\r\n"
              "* OK [UIDVALIDITY 3857529045] UIDs are valid\r\n"
              "* OK [UIDNEXT 4392] Next UID\r\n"
              "* OK [HIGHESTMODSEQ 1] Highest mod-sequence\r\n");
    opened.read_only = true;
    opened.first_unseen = 0;
    const std::string lines = MailboxView(opened).opening_lines();
    EXPECT_NE(lines.find("[PERMANENTFLAGS ()]"), std::string::npos);
    EXPECT_EQ(lines.find("UNSEEN"), std::string::npos);
}

TEST(MailboxView, SpeaksAsTheClientEnabled) {
    MailboxView view = view_of({10, 20, 30}, {30});
    MailboxChanges changes;
    changes.flags = {{20, seen(), 7}};
    changes.vanished = {10, 30};
    view.set_style({true, true, false, false, false});
    EXPECT_EQ(view.update(changes, true, false),
              "* VANISHED 10,30\r\n* 1 FETCH (UID 20 FLAGS (\\Seen) MODSEQ (7))\r\n");
    view.set_style({true, false, true, true, false});
    changes.vanished.clear();
    changes.added = {40};
    changes.recent = {40};
    EXPECT_EQ(view.update(changes, true, true),
              "* 2 EXISTS\r\n* 20 UIDFETCH (FLAGS (\\Seen) MODSEQ (7))\r\n");
    EXPECT_EQ(view.expunge({20}), "* VANISHED 20\r\n");
}

TEST(MailboxView, OpensAsRfc9051Wants) {
    MailboxOpened opened;
    opened.uids = {1};
    opened.first_unseen = 1;
    opened.mailbox_id = "F1";
    const std::string lines =
        MailboxView(opened, {false, false, false, true, true}).opening_lines();
    EXPECT_EQ(lines.find("RECENT"), std::string::npos);
    EXPECT_EQ(lines.find("UNSEEN"), std::string::npos);
    EXPECT_NE(lines.find("* OK [MAILBOXID (F1)]"), std::string::npos);
}

}  // namespace
}  // namespace postern::imap

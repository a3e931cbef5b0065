#include "protocols/imap/grammar.h"

#include "protocols/imap/engine.h"
#include "protocols/imap/mailbox_name.h"

#include <gtest/gtest.h>

#include <chrono>
#include <limits>

namespace postern::imap {
namespace {

template <class What>
What parsed(std::string_view text) {
    const Command command = parse_command(text);
    if (const auto* rejection = std::get_if<Rejection>(&command.what)) {
        ADD_FAILURE() << text << ": " << rejection->text;
        return {};
    }
    return std::get<What>(std::get<command::Any>(command.what));
}

std::string rejection(std::string_view text) {
    const Command command = parse_command(text);
    const auto* found = std::get_if<Rejection>(&command.what);
    return found == nullptr ? "" : (found->bad ? "BAD " : "NO ") + found->code + found->text;
}

std::string repeat(std::string_view text, std::size_t count) {
    std::string out;
    for (std::size_t i = 0; i < count; ++i) out += text;
    return out;
}

TEST(Grammar, KnowsInWhichStateACommandIsAllowed) {
    EXPECT_EQ(parse_command("a NOOP").needs, Phase::any);
    EXPECT_EQ(parse_command("a LOGIN x y").needs, Phase::not_authenticated);
    EXPECT_EQ(parse_command("a select x").needs, Phase::authenticated);
    EXPECT_EQ(parse_command("a FETCH").needs, Phase::selected);
    EXPECT_EQ(parse_command("a UID FETCH").needs, Phase::selected);
}

TEST(Grammar, ForbidsExpungeWhileSequenceNumbersAreInUse) {
    for (const char* text : {"a FETCH 1 UID", "a STORE 1 FLAGS ()", "a SEARCH ALL"}) {
        EXPECT_FALSE(parse_command(text).may_expunge) << text;
    }
    for (const char* text : {"a UID FETCH 1 UID", "a UID STORE 1 FLAGS ()", "a UID SEARCH ALL",
                             "a COPY 1 x", "a NOOP", "a MOVE 1 x"}) {
        EXPECT_TRUE(parse_command(text).may_expunge) << text;
    }
}

TEST(Grammar, BoundsNotify) {
    const auto groups = [](std::size_t count) {
        return rejection("a NOTIFY SET" + repeat(" (personal NONE)", count));
    };
    EXPECT_EQ(groups(max_notify_groups - 1), "");
    EXPECT_EQ(groups(max_notify_groups), "");
    EXPECT_EQ(groups(max_notify_groups + 1), "BAD There are too many event groups");
    const auto names = [](std::size_t count) {
        return rejection("a NOTIFY SET (mailboxes (x" + repeat(" x", count / 2 - 1) +
                         ") NONE) (subtree (x" + repeat(" x", count - count / 2 - 1) + ") NONE)");
    };
    EXPECT_EQ(names(max_notify_names - 1), "");
    EXPECT_EQ(names(max_notify_names), "");
    EXPECT_EQ(names(max_notify_names + 1), "BAD There are too many mailbox names");
    const auto items = [](std::size_t count) {
        return rejection("a NOTIFY SET (selected (MessageNew (UID" + repeat(" UID", count - 1) +
                         ") MessageExpunge))");
    };
    EXPECT_EQ(items(max_fetch_items), "");
    EXPECT_EQ(items(max_fetch_items + 1), "BAD There are too many items");
}

TEST(Grammar, ReadsNotify) {
    const auto all = parsed<command::Notify>(
        "a notify set status (Selected-Delayed (messagenew (uid flags) MESSAGEEXPUNGE FlagChange)) "
        "(subtree (inbox Lists) (MailboxName)) (inboxes NONE)");
    EXPECT_TRUE(all.set && all.status);
    ASSERT_TRUE(all.selected);
    EXPECT_TRUE(all.selected->delayed && all.selected->messages && all.selected->flags);
    EXPECT_EQ(all.selected->items.size(), 2U);
    ASSERT_EQ(all.groups.size(), 2U);
    EXPECT_EQ(all.groups[0].names, (std::vector<std::string>{"INBOX", "Lists"}));
    EXPECT_TRUE(all.groups[0].events.names);
    EXPECT_FALSE(all.groups[1].events.any());
    EXPECT_FALSE(parsed<command::Notify>("a NOTIFY NONE").set);
}

TEST(Grammar, ReadsTags) {
    EXPECT_EQ(tag_of("a1.b NOOP"), "a1.b");
    EXPECT_EQ(tag_of("a]"), "a]");
    for (const char* text : {"", " NOOP", "+ NOOP", "a+ NOOP", "(a", "\"a\" b", "a\tNOOP"}) {
        EXPECT_EQ(tag_of(text), "*") << text;
    }
}

TEST(Grammar, DecodesNames) {
    EXPECT_EQ(parsed<command::Select>("a SELECT \"&ANw-ber\"").name,
              "\xc3\x9c"
              "ber");
    EXPECT_EQ(parsed<command::Select>("a EXAMINE inbox").name, "INBOX");
    EXPECT_TRUE(parsed<command::Select>("a EXAMINE inbox").read_only);
    EXPECT_EQ(parsed<command::Create>("a CREATE {4}\r\nx/y/").name, "x/y");
    EXPECT_EQ(parsed<command::List>("a LIST x/ %").patterns.at(0), "x/%");
}

TEST(Grammar, ReadsTheUseOfANewMailbox) {
    EXPECT_EQ(parsed<command::Create>("a CREATE x (USE (\\Archive))").special_use, "\\Archive");
    EXPECT_EQ(parsed<command::Create>("a CREATE x (USE ())").special_use, "");
    EXPECT_EQ(rejection("a CREATE x (USE (\\Sent \\Junk))"),
              "NO USEATTRA mailbox can have one special use");
    EXPECT_EQ(rejection("a CREATE x (USE"), "BAD (USE (...)) was expected");
}

TEST(Grammar, LabelsFetchItemsForTheResponse) {
    const auto label = [](const std::string& item) {
        return parsed<command::Fetch>("a FETCH 1 " + item).items.at(0).label;
    };
    EXPECT_EQ(label("flags"), "FLAGS");
    EXPECT_EQ(label("(rfc822.size)"), "RFC822.SIZE");
    EXPECT_EQ(label("body"), "BODY");
    EXPECT_EQ(label("body.peek[]<7.9>"), "BODY[]<7>");
    EXPECT_EQ(label("body[1.2.mime]"), "BODY[1.2.MIME]");
    EXPECT_EQ(label("BODY[header.fields (To \"x y\")]"), "BODY[HEADER.FIELDS (To \"x y\")]");
}

TEST(Grammar, ReadsSections) {
    const FetchItem item =
        parsed<command::Fetch>("a FETCH 1 BODY.PEEK[3.1.HEADER.FIELDS.NOT (A B)]<5.6>").items[0];
    EXPECT_EQ(item.part, "3.1");
    EXPECT_EQ(item.text, FetchItem::Text::fields_not);
    EXPECT_EQ(item.fields, (std::vector<std::string>{"A", "B"}));
    EXPECT_EQ(item.partial->origin, 5U);
    EXPECT_EQ(item.partial->size, 6U);
    EXPECT_TRUE(item.peek);
    const auto rest = parsed<command::Fetch>("a FETCH 1 BODY[TEXT]<7>").items[0].partial;
    EXPECT_EQ(rest->origin, 7U);
    EXPECT_EQ(rest->size, std::numeric_limits<std::uint32_t>::max());
    for (const char* spec : {"[", "[1", "[.1]", "[1..2]", "[01]", "[x]", "[1.x]", "[1.MIME.x]",
                             "[HEADER.FIELDS]", "[HEADER.FIELDS x]", "[TEXT]<1.>", "[TEXT]<1.0>",
                             "[TEXT]<.1>", "[TEXT]<1.2", "[TEXT]<1", "[]]", "[1 ]",
                             "[1234567890]"}) {
        EXPECT_NE(rejection(std::string("a FETCH 1 BODY") + spec), "") << spec;
    }
}

TEST(Grammar, BoundsFetchItems) {
    const auto items = [](std::size_t count) {
        return rejection("a FETCH 1 (" + repeat("UID ", count - 1) + "UID)");
    };
    EXPECT_EQ(items(max_fetch_items - 1), "");
    EXPECT_EQ(items(max_fetch_items), "");
    EXPECT_EQ(items(max_fetch_items + 1), "BAD There are too many items");
}

TEST(Grammar, BoundsSearchKeysAndDepth) {
    const auto keys = [](std::size_t count) {
        return rejection("a SEARCH " + repeat("ALL ", count - 1) + "ALL");
    };
    EXPECT_EQ(keys(max_search_keys - 1), "");
    EXPECT_EQ(keys(max_search_keys), "");
    EXPECT_EQ(keys(max_search_keys + 1), "BAD The search has too many keys");
    // The outermost key has depth 1.
    const auto depth = [](std::size_t levels) {
        return rejection("a SEARCH " + repeat("NOT (", (levels - 1) / 2) +
                         (levels % 2 == 0 ? "NOT ALL" : "ALL") + repeat(")", (levels - 1) / 2));
    };
    EXPECT_EQ(depth(max_search_depth - 1), "");
    EXPECT_EQ(depth(max_search_depth), "");
    EXPECT_EQ(depth(max_search_depth + 1), "BAD The search is nested too deeply");
}

TEST(Grammar, BoundsPatternsFlagsAndIds) {
    const auto pattern = [](std::size_t bytes) {
        return rejection("a LIST \"\" " + std::string(bytes, 'x'));
    };
    EXPECT_EQ(pattern(max_pattern_bytes - 1), "");
    EXPECT_EQ(pattern(max_pattern_bytes), "");
    EXPECT_EQ(pattern(max_pattern_bytes + 1), "NO LIMITThe pattern is too long");
    const auto flags = [](std::size_t count) {
        return rejection("a STORE 1 FLAGS (" + repeat("x ", count - 1) + "x)");
    };
    EXPECT_EQ(flags(999), "");
    EXPECT_EQ(flags(1000), "");
    EXPECT_EQ(flags(1001), "BAD There are too many flags");
    const auto ids = [](std::size_t pairs) {
        return rejection("a ID (" + repeat("\"a\" NIL ", pairs - 1) + "\"a\" \"b\")");
    };
    EXPECT_EQ(ids(29), "");
    EXPECT_EQ(ids(30), "");
    EXPECT_EQ(ids(31), "BAD There are too many fields");
}

TEST(Grammar, TurnsSearchIntoATree) {
    const SearchProgram program =
        parsed<command::Search>("a SEARCH 1:2 UID 3 NEW OR SEEN KEYWORD x SENTON 1-Jan-1970")
            .program;
    using Kind = SearchKey::Kind;
    ASSERT_EQ(program.root.kind, Kind::and_);
    const auto& keys = program.root.children;
    ASSERT_EQ(keys.size(), 5U);
    EXPECT_EQ(keys[0].kind, Kind::uids);
    EXPECT_EQ(program.terms.at(keys[0].number).kind, SearchProgram::Term::Kind::positions);
    EXPECT_EQ(program.terms.at(keys[1].number).kind, SearchProgram::Term::Kind::uids);
    EXPECT_EQ(keys[2].kind, Kind::and_);
    EXPECT_EQ(program.terms.at(keys[2].children[0].number).kind, SearchProgram::Term::Kind::recent);
    EXPECT_EQ(keys[3].children.at(1).name, "x");
    EXPECT_EQ(keys[4].number, 0);
}

TEST(Grammar, ReadsAnAppendUpToItsLiteral) {
    EXPECT_FALSE(parse_append("a APPEND "));
    EXPECT_FALSE(parse_append("a NOOP "));
    EXPECT_FALSE(parse_append("APPEND "));
    const auto whole =
        parse_append("t append {5}\r\ninbox (\\Seen x) \"17-Jul-1996 02:44:25 -0700\" ");
    ASSERT_TRUE(whole);
    EXPECT_EQ(whole->tag, "t");
    const auto& append = std::get<command::Append>(whole->what);
    EXPECT_EQ(append.name, "INBOX");
    EXPECT_TRUE(append.flags.has(SystemFlag::seen));
    EXPECT_TRUE(append.internal_date);
    for (const char* text : {"a APPEND x", "a APPEND x (\\Seen)", "a APPEND x (\\Seen)  ",
                             "a APPEND x y ", "a APPEND x \"\" ", "a APPEND x () ~x",
                             "a APPEND x UTF8 (", "a APPEND x CATENATE ", "a REPLACE 1:2 x "}) {
        const auto command = parse_append(text);
        ASSERT_TRUE(command) << text;
        EXPECT_TRUE(std::holds_alternative<Rejection>(command->what)) << text;
    }
}

TEST(Grammar, ReadsAMultiappendsNextMessage) {
    const auto next = parse_append_next(" (\\Seen) \"17-Jul-1996 02:44:25 -0700\" ");
    ASSERT_TRUE(std::holds_alternative<command::Append>(next.what));
    EXPECT_TRUE(std::get<command::Append>(next.what).flags.has(SystemFlag::seen));
    EXPECT_EQ(parse_append_next(" catenate (URL x").rest, "URL x");
    for (const char* text : {"", "x", " (", " (\\Seen)", " \"\" ", " x "}) {
        EXPECT_TRUE(std::holds_alternative<Rejection>(parse_append_next(text).what)) << text;
    }
}

TEST(Grammar, ReadsReplaceAndCatenate) {
    const auto replace = parse_append("t UID REPLACE 7 x (\\Seen) ");
    ASSERT_TRUE(replace);
    const auto& append = std::get<command::Append>(replace->what);
    EXPECT_TRUE(append.uid);
    EXPECT_EQ(append.replaces->ranges.front().first, 7u);
    EXPECT_FALSE(parse_append("t UID REPLACE 7 "));
    EXPECT_FALSE(parse_append("t UID APPEND x "));
    const auto catenate = parse_append("t APPEND x CATENATE (URL \"/y;UID=1\" TEXT ");
    ASSERT_TRUE(catenate);
    EXPECT_TRUE(std::get<command::Append>(catenate->what).catenate);
    EXPECT_EQ(catenate->rest, "URL \"/y;UID=1\" TEXT ");
    using Kind = CatenateStep::Kind;
    const auto url = parse_catenate_step(catenate->rest, true);
    EXPECT_EQ(url.kind, Kind::url);
    EXPECT_EQ(url.url, "/y;UID=1");
    EXPECT_EQ(parse_catenate_step(url.rest, false).kind, Kind::text);
    EXPECT_EQ(parse_catenate_step(")", false).kind, Kind::end);
    for (const char* text : {")", "", "URL", "URL x", "TEXT", "TEXT x", " TEXT "}) {
        const auto step = parse_catenate_step(text, true);
        EXPECT_TRUE(step.kind == Kind::bad || step.rest.empty()) << text;
    }
}

TEST(Grammar, ReadsUrlsOfMessages) {
    const auto url = parse_message_url("/Entw%C3%BCrfe;UIDVALIDITY=385759045/;UID=20/;SECTION=1.2");
    ASSERT_TRUE(url);
    EXPECT_EQ(url->mailbox, "Entw\xc3\xbcrfe");
    EXPECT_EQ(url->uid_validity, 385759045u);
    EXPECT_EQ(url->uid, 20u);
    EXPECT_EQ(url->section.part, "1.2");
    EXPECT_EQ(parse_message_url("/inbox/;uid=1")->mailbox, "INBOX");
    EXPECT_FALSE(url->section.partial);
    const auto some = parse_message_url("/x;UID=1/;SECTION=TEXT/;PARTIAL=10.4294967295");
    ASSERT_TRUE(some && some->section.partial);
    EXPECT_EQ(some->section.partial->origin, 10u);
    EXPECT_EQ(some->section.partial->size, 4294967295u);
    const auto rest = parse_message_url("/x;UID=1/;PARTIAL=4294967295");
    ASSERT_TRUE(rest && rest->section.partial);
    EXPECT_EQ(rest->section.partial->origin, 4294967295u);
    EXPECT_EQ(rest->section.text, FetchItem::Text::whole);
    for (const char* text : {"",
                             "/",
                             "/x",
                             "x;UID=1",
                             "//host/x;UID=1",
                             "imap://h/x;UID=1",
                             "/x;UID=0",
                             "/x;UID=",
                             "/x;UID=4294967296",
                             "/;UID=1",
                             "/x;UID=1/;SECTION=NONSENSE",
                             "/x;UID=1/;PARTIAL=",
                             "/x;UID=1/;PARTIAL=0.0",
                             "/x;UID=1/;PARTIAL=0.",
                             "/x;UID=1/;PARTIAL=.1",
                             "/x;UID=1/;PARTIAL=4294967296",
                             "/x;UID=1/;PARTIAL=0.4294967296",
                             "/x;UID=1/;PARTIAL=0.1/;SECTION=1",
                             "/%zz;UID=1",
                             "/%ff;UID=1",
                             "/x%0;UID=1"}) {
        EXPECT_FALSE(parse_message_url(text)) << text;
    }
}

TEST(Grammar, ReadsPartialRangesFromBothEnds) {
    const auto range = [](const std::string& text) {
        const auto& partial =
            parsed<command::Search>("a SEARCH RETURN (PARTIAL " + text + ") ALL").returns.partial;
        return partial ? std::pair(partial->first, partial->last)
                       : std::pair<std::int64_t, std::int64_t>();
    };
    EXPECT_EQ(range("1:10"), std::pair(std::int64_t{1}, std::int64_t{10}));
    EXPECT_EQ(range("10:1"), std::pair(std::int64_t{1}, std::int64_t{10}));
    EXPECT_EQ(range("-1:-10"), std::pair(std::int64_t{-1}, std::int64_t{-10}));
    for (const char* text : {"0:1", "1", "1:", "-1:1", "1:-1", "x:1", "4294967296:1"}) {
        EXPECT_NE(rejection("a SEARCH RETURN (PARTIAL " + std::string(text) + ") ALL"), "") << text;
    }
}

TEST(Grammar, AUidonlySessionHasNoSequenceNumbers) {
    const Dialect dialect{false, true};
    for (const char* text :
         {"a FETCH 1 UID", "a STORE 1 FLAGS ()", "a COPY 1 x", "a MOVE 1 x", "a SEARCH ALL",
          "a SORT (DATE) UTF-8 ALL", "a UID SEARCH 1", "a UID SEARCH NOT (OR 1 2)"}) {
        const Command command = parse_command(text, dialect);
        ASSERT_TRUE(std::holds_alternative<Rejection>(command.what)) << text;
        EXPECT_EQ(std::get<Rejection>(command.what).code, "UIDREQUIRED") << text;
    }
    for (const char* text : {"a UID FETCH 1 UID", "a UID SEARCH UID 1", "a UID SEARCH $"}) {
        EXPECT_FALSE(std::holds_alternative<Rejection>(parse_command(text, dialect).what)) << text;
    }
}

TEST(Grammar, IsLinearInHostileCommands) {
    const auto begin = std::chrono::steady_clock::now();
    for (const std::string& text :
         {"a SEARCH " + repeat("(", 60'000), "a SEARCH " + repeat("OR ", 20'000),
          "a FETCH " + repeat("1:", 30'000), "a LIST \"\" " + repeat("*", 60'000),
          "a STORE 1 FLAGS (" + repeat("k ", 30'000), "a ID (" + repeat("\"a\" ", 15'000),
          "a FETCH 1 BODY[" + repeat("1.", 30'000),
          "a CREATE \"" + repeat("&AOk-", 12'000) + '"'}) {
        EXPECT_NE(rejection(text), "");
    }
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
}

}  // namespace
}  // namespace postern::imap

#include "filters/translate/spamassassin.h"

#include "filters/patterns/matcher.h"

namespace postern::filters {
namespace {

Translation translated(const std::string& text, std::vector<std::string> symbols = {},
                       const std::string& language = "en") {
    SpamAssassinRules reader({std::move(symbols), language});
    reader.read("test.cf", text);
    return reader.finish();
}

const Rule* find(const Translation& translation, const std::string& name) {
    for (const Rule& rule : translation.rules) {
        if (rule.name == name) return &rule;
    }
    return nullptr;
}

std::string fate(const Translation& translation, const std::string& name) {
    for (const RuleFate& each : translation.fates) {
        if (each.name == name) {
            return std::string(to_string(each.fate)) + (each.note.empty() ? "" : ": " + each.note);
        }
    }
    return "not there";
}

TEST(SpamAssassin, EveryKindOfRuleFindsItsTarget) {
    const auto all = translated(
        "header H Subject =~ /x/i\n"
        "header N From !~ /x/\n"
        "header E exists:X-Odd\n"
        "header A From:addr =~ /x/\n"
        "header R Subject:raw =~ /x/\n"
        "header L ALL =~ /x/\n"
        "header I MESSAGEID =~ /x/\n"
        "header F EnvelopeFrom =~ /x/\n"
        "body B /x/\n"
        "rawbody W m{x}\n"
        "full U /x/\n"
        "uri P m,x,i\n"
        "mimeheader M Content-Type =~ /x/\n");
    const std::pair<const char*, const char*> expected[] = {{"H", "header:Subject"},
                                                            {"N", "header:From"},
                                                            {"E", "header:X-Odd"},
                                                            {"A", "header:From:addr"},
                                                            {"R", "header:Subject:raw"},
                                                            {"L", "head"},
                                                            {"F", "envelope:from"},
                                                            {"B", "body"},
                                                            {"W", "source"},
                                                            {"U", "raw"},
                                                            {"P", "url"},
                                                            {"M", "part:Content-Type"}};
    for (const auto& [name, target] : expected) {
        ASSERT_NE(find(all, name), nullptr) << name << " " << fate(all, name);
        EXPECT_EQ(find(all, name)->target, target) << name;
        EXPECT_DOUBLE_EQ(find(all, name)->score, 1.0) << name;
        EXPECT_EQ(find(all, name)->description, "From test.cf");
    }
    EXPECT_TRUE(find(all, "H")->caseless);
    EXPECT_TRUE(find(all, "N")->negated);
    EXPECT_EQ(find(all, "I")->meta, "__IA || __IB");
    EXPECT_EQ(find(all, "__IA")->target, "header:Message-ID");
    EXPECT_TRUE(make_matcher(all.rules).has_value());
}

TEST(SpamAssassin, ScoresDescriptionsAndFlags) {
    const auto all = translated(
        "body A /x/ # a remark\n"
        "describe A Says \\# x\n"
        "lang de describe A Sagt x\n"
        "score A 1.5\n"
        "body B /x/\n"
        "score B 0.1 0.2 0.3 0.4\n"
        "body T_C /x/\n"
        "body D /x/\n"
        "tflags D nice\n"
        "body E /x/\n"
        "score E 0\n"
        "body F /x/\n"
        "score F 0 2 0 0\n"
        "body __G /x/\n"
        "tflags __G multiple maxhits=7\n"
        "meta H __G > 5\n"
        "body I /x/\n"
        "tflags I multiple\n");
    EXPECT_EQ(find(all, "A")->description, "Says # x");
    EXPECT_DOUBLE_EQ(find(all, "A")->score, 1.5);
    EXPECT_DOUBLE_EQ(find(all, "B")->score, 0.3);
    EXPECT_DOUBLE_EQ(find(all, "T_C")->score, 0.01);
    EXPECT_DOUBLE_EQ(find(all, "D")->score, -1);
    EXPECT_EQ(fate(all, "E"), "refused: its score is 0: it is switched off");
    EXPECT_DOUBLE_EQ(find(all, "F")->score, 2);
    EXPECT_EQ(find(all, "__G")->max_hits, 7u);
    EXPECT_EQ(find(all, "I")->max_hits, max_counted_hits);
    EXPECT_EQ(
        find(translated("body A /x/\nlang de describe A Sagt x\n", {}, "de"), "A")->description,
        "Sagt x");
}

TEST(SpamAssassin, LaterLinesWinAndNamesAreCapitals) {
    const auto all = translated("body __part /x/\nbody Rule /y/\nbody Rule /z/\nmeta M __part\n");
    EXPECT_EQ(find(all, "RULE")->pattern, "z");
    EXPECT_EQ(find(all, "M")->meta, "__PART");
    EXPECT_EQ(all.fates.size(), 3u);
}

TEST(SpamAssassin, ConditionsAndPlugins) {
    const auto all = translated(
        "if (version >= 3.004)\nbody A /x/\nelse\nbody B /x/\nendif\n"
        "ifplugin Mail::SpamAssassin::Plugin::DKIM\n"
        "body C /x/\n"
        "if (version >= 3.0)\nbody D /x/\nendif\n"
        "endif\n"
        "body E /x/\n");
    EXPECT_EQ(fate(all, "A"), "taken");
    EXPECT_EQ(fate(all, "B"), "refused: it is for another version");
    EXPECT_EQ(fate(all, "C"), "refused: it needs the plugin DKIM");
    EXPECT_EQ(fate(all, "D"), "refused: it needs the plugin DKIM");
    EXPECT_EQ(fate(all, "E"), "taken");
}

TEST(SpamAssassin, WhatCannotBeDoneIsRefusedWithTheReason) {
    const auto all = translated(
        "body A eval:check_something()\n"
        "header B eval:check_rbl('x', 'y')\n"
        "body C /a(?!b)/\n"
        "body D /(a/\n"
        "header E X-Spam-Relays-External =~ /x/\n"
        "header F Subject =~ /x/ [if-unset: xyz]\n"
        "header G Subject =~ /x/ [if-unset: abc]\n"
        "header H Subject\n"
        "uridnsbl I zen.example. A\n"
        "body TAKEN /x/\n"
        "body J /x(?:[^,]{1,50}(?:ab,[^,]{1,90}){90}){90}/\n",
        {"TAKEN"});
    EXPECT_EQ(fate(all, "A"), "refused: it calls Perl code (eval)");
    EXPECT_EQ(fate(all, "B"), "refused: it calls Perl code (eval)");
    EXPECT_EQ(fate(all, "C"), "refused: look-around is not in Hyperscan's subset");
    EXPECT_THAT(fate(all, "D"), testing::HasSubstr("refused: the pattern does not compile"));
    EXPECT_EQ(fate(all, "E"), "refused: it reads SpamAssassin's own list of relays");
    EXPECT_EQ(fate(all, "F"), "refused: an absent field counts as \"xyz\" there");
    EXPECT_EQ(fate(all, "G"), "taken");
    EXPECT_EQ(fate(all, "H"), "refused: neither =~ nor !~ in it");
    EXPECT_EQ(fate(all, "I"), "refused: it asks the DNS");
    EXPECT_EQ(fate(all, "TAKEN"), "refused: the filter has a symbol of that name");
    EXPECT_THAT(fate(all, "J"), testing::HasSubstr("refused: the pattern is too large"));
}

TEST(SpamAssassin, MetasMakeDoWithWhatIsThere) {
    const auto all = translated(
        "body __A /a/\n"
        "body __B eval:x()\n"
        "body __LONELY /x/\n"
        "meta M __A && !__B && !NOWHERE\n"
        "meta N __A && __B\n"
        "meta O N || !__B\n"
        "meta P MISSING_DATE && __A\n"
        "meta Q __A &&\n"
        "meta R S\n"
        "meta S R || __A\n"
        "meta T 0\n"
        "meta U !__B && !__A\n"
        "meta V 1\n",
        {"MISSING_DATE"});
    EXPECT_EQ(fate(all, "M"), "translated: without __B, NOWHERE");
    EXPECT_EQ(find(all, "M")->meta, "__A && !0 && !0");
    EXPECT_EQ(fate(all, "N"), "refused: it never fires without __B");
    EXPECT_EQ(fate(all, "O"), "refused: it would fire on most mail without __B");
    EXPECT_EQ(fate(all, "V"), "refused: it would fire on every message");
    EXPECT_EQ(fate(all, "P"), "taken");
    EXPECT_THAT(fate(all, "Q"), testing::HasSubstr("refused: its expression is not understood"));
    EXPECT_THAT(fate(all, "R"), testing::HasSubstr("needs it in turn"));
    EXPECT_EQ(fate(all, "T"), "refused: it never fires");
    EXPECT_EQ(fate(all, "U"), "refused: it would fire on most mail without __B");
    EXPECT_EQ(fate(all, "__LONELY"), "unused: no rule that was taken uses it");
    EXPECT_EQ(find(all, "__LONELY"), nullptr);
    EXPECT_NE(find(all, "__A"), nullptr);
}

TEST(SpamAssassin, TagsAreReplaced) {
    const auto all = translated(
        "replace_tag V (?:v|\\\\/)\n"
        "replace_tag I [i1]\n"
        "replace_inter W1 \\W?\n"
        "replace_post P1 +\n"
        "body A /<V><I>x<Q>/i\n"
        "body B /<inter W1><post P1><V><I>/\n"
        "body C /<V>/\n"
        "replace_rules A B\n");
    EXPECT_EQ(find(all, "A")->pattern, "(?:v|\\\\/)[i1]x<Q>");
    EXPECT_EQ(find(all, "B")->pattern, "(?:v|\\\\/){1,21}\\W?[i1]+");
    EXPECT_EQ(find(all, "C")->pattern, "<V>");
}

TEST(SpamAssassin, BadBytesAndBrokenLinesDoNotHurt) {
    const auto all = translated(
        "body A /stra\xDF"
        "e/\ndescribe A Stra\xDF"
        "e\x01\n"
        "body\nscore\nscore A\nscore A x y\nbody B\nheader\nmeta\nendif\nelse\nif\nifplugin\n"
        "endif\nlang\nlang en\ndescribe\nreplace_rules\nreplace_tag\ntflags\nbody -x /y/\n"
        "body " +
        std::string(100, 'N') + " /x/\n\xFF\xFE\n");
    EXPECT_EQ(find(all, "A")->pattern, "stra\\xdfe");
    EXPECT_EQ(find(all, "A")->description,
              "Stra\xC3\x9F"
              "e ");
    ASSERT_EQ(all.rules.size(), 1u) << all.rules.back().name << all.rules.back().pattern;
    EXPECT_GT(all.settings, 0u);
}

}  // namespace
}  // namespace postern::filters

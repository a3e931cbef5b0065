#include "filters/translate/condition.h"

namespace postern::filters {
namespace {

TEST(Condition, Versions) {
    EXPECT_TRUE(holds("(version >= 3.004002)"));
    EXPECT_TRUE(holds("version > 4"));
    EXPECT_FALSE(holds("(version < 4.000000)"));
    EXPECT_FALSE(holds("(version >= 5.000000)"));
    EXPECT_TRUE(holds("(perl_version >= 5.018000)"));
}

TEST(Condition, PluginsAndAbilities) {
    EXPECT_TRUE(holds("plugin(Mail::SpamAssassin::Plugin::ReplaceTags)"));
    EXPECT_FALSE(holds("plugin (Mail::SpamAssassin::Plugin::DKIM)"));
    EXPECT_TRUE(holds("!plugin(Mail::SpamAssassin::Plugin::DKIM)"));
    EXPECT_TRUE(holds("can(Mail::SpamAssassin::Conf::feature_bug6558_free)"));
    EXPECT_FALSE(holds("can(Mail::SpamAssassin::Conf::compat_welcomelist_blocklist)"));
    EXPECT_FALSE(holds("can(Mail::SpamAssassin::Plugin::BodyEval::has_check_body_length)"));
    EXPECT_TRUE(holds("(version >= 3.003) && !plugin(Mail::SpamAssassin::Plugin::SPF)"));
    EXPECT_FALSE(holds("local_tests_only"));
}

TEST(Condition, WhatCannotBeReadDoesNotHold) {
    for (const char* text : {"", "(", "plugin(", "version >=", "&&", "version 3", "can()"}) {
        EXPECT_FALSE(holds(text)) << text;
    }
}

TEST(Condition, NamesThePlugin) {
    EXPECT_EQ(plugin_in("!plugin(Mail::SpamAssassin::Plugin::FreeMail)"), "FreeMail");
    EXPECT_EQ(plugin_in("can(Mail::SpamAssassin::Plugin::BodyEval::has_x)"), "BodyEval");
    EXPECT_EQ(plugin_in("(version >= 3)"), "");
}

}  // namespace
}  // namespace postern::filters

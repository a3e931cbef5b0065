#include "tests/store/mail/fixture.h"

#include <gmock/gmock.h>

namespace postern::mail {
namespace {

using testing::ElementsAre;
using testing::Pair;

class Annotations : public MailStoreFixture {
protected:
    Result<void> annotate(MailboxId mailbox, std::vector<AnnotationChange> changes,
                          AccountId account = {7}) {
        return wait<void>([&](Done<void> done) {
            mail_->annotate(account, mailbox, std::move(changes), std::move(done));
        });
    }
    Result<void> set_rights(const std::string& identifier, const std::string& letters) {
        return wait<void>([&](Done<void> done) {
            mail_->set_rights(id("INBOX"), identifier, letters, std::move(done));
        });
    }
};

TEST_F(Annotations, AreKeptPerMailboxAndPerUser) {
    for (const MailboxId box : {id("INBOX"), MailboxId{}}) {
        ASSERT_TRUE(annotate(box, {{"/shared/Comment", "ours"}, {"/private/comment", ""}}));
        EXPECT_THAT(*mail_->annotations(account_, box),
                    ElementsAre(Pair("/private/comment", ""), Pair("/shared/comment", "ours")));
        ASSERT_TRUE(annotate(box, {{"/PRIVATE/comment", std::nullopt}, {"/private/x", "1"}}));
        EXPECT_THAT(*mail_->annotations(account_, box),
                    ElementsAre(Pair("/private/x", "1"), Pair("/shared/comment", "ours")));
    }
    EXPECT_THAT(*mail_->annotations({8}, id("INBOX")),
                ElementsAre(Pair("/shared/comment", "ours")));
    EXPECT_TRUE(mail_->annotations(account_, id("Archive"))->empty());
}

TEST_F(Annotations, ChangeNoModseqAndSurviveRename) {
    ASSERT_TRUE(create("Work"));
    const auto before = mail_->status(id("Work"));
    ASSERT_TRUE(annotate(id("Work"), {{"/shared/color", "red"}}));
    EXPECT_EQ(mail_->status(id("Work"))->highest_modseq, before->highest_modseq);
    ASSERT_TRUE(rename("Work", "Play"));
    EXPECT_EQ(mail_->annotations(account_, id("Play"))->count("/shared/color"), 1U);
    ASSERT_TRUE(remove("Play"));
    ASSERT_TRUE(create("Play"));
    EXPECT_TRUE(mail_->annotations(account_, id("Play"))->empty());
}

TEST_F(Annotations, AreBounded) {
    const MailboxId box = id("INBOX");
    const std::string value(max_annotation_bytes, 'v');
    EXPECT_TRUE(annotate(box, {{"/shared/v", value}}));
    EXPECT_EQ(annotate(box, {{"/shared/v", value + "v"}}).error().code, Errc::too_large);
    const std::string longest = "/shared/" + std::string(max_annotation_name_bytes - 8, 'n');
    EXPECT_TRUE(annotate(box, {{longest, "1"}}));
    EXPECT_EQ(annotate(box, {{longest + "n", "1"}}).error().code, Errc::invalid);
    for (const char* bad : {"", "comment", "/shared/", "/shared/a//b", "/shared/*", "/other/a"}) {
        EXPECT_EQ(annotate(box, {{bad, "1"}}).error().code, Errc::invalid) << bad;
    }
    for (const MailboxId each : {id("Archive"), MailboxId{}}) {
        std::vector<AnnotationChange> many;
        for (std::size_t i = 0; i < max_annotations_per_mailbox; ++i) {
            many.push_back({"/shared/n" + std::to_string(i), "1"});
        }
        ASSERT_TRUE(annotate(each, many));
        EXPECT_EQ(annotate(each, {{"/shared/more", "1"}}).error().code, Errc::limit);
        EXPECT_TRUE(annotate(each, {{"/shared/more", "1"}, {"/shared/n0", std::nullopt}}));
    }
    EXPECT_EQ(annotate(MailboxId{99}, {{"/shared/a", "1"}}).error().code, Errc::not_found);
}

TEST_F(Annotations, RightsAreKept) {
    ASSERT_TRUE(set_rights("ann@example.org", "tlrsl"));
    ASSERT_TRUE(set_rights("anyone", "l"));
    EXPECT_THAT(*mail_->rights(id("INBOX")),
                ElementsAre(Pair("ann@example.org", "lrst"), Pair("anyone", "l")));
    ASSERT_TRUE(set_rights("anyone", ""));
    EXPECT_EQ(mail_->rights(id("INBOX"))->size(), 1U);
    EXPECT_EQ(set_rights("anyone", "z").error().code, Errc::invalid);
    EXPECT_EQ(set_rights("", "l").error().code, Errc::invalid);
    EXPECT_EQ(set_rights(std::string(max_identifier_bytes + 1, 'i'), "l").error().code,
              Errc::invalid);
    EXPECT_TRUE(set_rights(std::string(max_identifier_bytes, 'i'), "l"));
}

TEST_F(Annotations, ThreadsAndObjectIdsAreStable) {
    NewMessage message;
    message.bytes = std::make_shared<const std::string>("x");
    message.thread_root = "<root@x>";
    for (const char* name : {"INBOX", "Archive"}) {
        ASSERT_TRUE(wait<Appended>(
            [&](Done<Appended> done) { mail_->append(id(name), message, {}, std::move(done)); }));
    }
    ASSERT_TRUE(append(id("INBOX"), "alone"));
    const auto rows = mail_->rows(id("INBOX"), {1, 2}, 10, false);
    ASSERT_EQ(rows->size(), 2U);
    const auto archived = mail_->rows(id("Archive"), {1}, 10, false);
    EXPECT_EQ((*rows)[0].thread_id, (*archived)[0].thread_id);
    EXPECT_NE((*rows)[0].email_id, (*archived)[0].email_id);
    EXPECT_EQ((*rows)[1].thread_id, (*rows)[1].email_id);
    const auto moved = transfer(id("INBOX"), {1}, id("Archive"), true);
    ASSERT_TRUE(moved);
    const auto after = mail_->rows(id("Archive"), {moved->to[0]}, 10, false);
    EXPECT_EQ((*after)[0].email_id, (*rows)[0].email_id);
    EXPECT_EQ((*after)[0].thread_id, (*rows)[0].thread_id);
    EXPECT_EQ(mailbox_object_id({0x1234}), "M0000000000001234");
    EXPECT_EQ(email_object_id((*rows)[0].email_id).size(), 33U);
}

TEST_F(Annotations, AnOwnerIsKnown) {
    EXPECT_EQ(mail_->state(id("INBOX"))->owner, account_);
}

}  // namespace
}  // namespace postern::mail

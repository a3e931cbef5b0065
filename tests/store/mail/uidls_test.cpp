#include "tests/store/mail/fixture.h"

#include <map>

namespace postern::mail {
namespace {

using Uidls = std::map<Uid, std::string>;

class UidlRows : public MailStoreFixture {
protected:
    Result<Appended> append_with(MailboxId mailbox, const std::string& uidl) {
        NewMessage message;
        message.bytes = std::make_shared<const std::string>("of " + uidl);
        message.uidl = uidl;
        return wait<Appended>([&](Done<Appended> done) {
            mail_->append(mailbox, std::move(message), {}, std::move(done));
        });
    }
};

TEST_F(UidlRows, ComeBackFollowCopiesAndMovesAndGoWithTheirMessage) {
    const MailboxId inbox = id("INBOX");
    const MailboxId archive = id("Archive");
    ASSERT_TRUE(append_with(inbox, "first"));
    ASSERT_TRUE(append(inbox, "none"));
    ASSERT_TRUE(append_with(inbox, "!~third"));
    EXPECT_EQ(*mail_->uidls(inbox), (Uidls{{1, "first"}, {3, "!~third"}}));
    ASSERT_TRUE(transfer(inbox, {1, 2}, archive, false));
    EXPECT_EQ(*mail_->uidls(archive), (Uidls{{1, "first"}}));
    ASSERT_TRUE(transfer(inbox, {3}, archive, true));
    EXPECT_EQ(*mail_->uidls(archive), (Uidls{{1, "first"}, {3, "!~third"}}));
    EXPECT_EQ(*mail_->uidls(inbox), (Uidls{{1, "first"}}));
    ASSERT_TRUE(expunge(archive, {1}, true));
    EXPECT_EQ(*mail_->uidls(archive), (Uidls{{3, "!~third"}}));
    open();
    EXPECT_EQ(*mail_->uidls(archive), (Uidls{{3, "!~third"}}));
}

TEST_F(UidlRows, OnlyWhatPop3Allows) {
    const MailboxId inbox = id("INBOX");
    EXPECT_TRUE(append_with(inbox, std::string(max_uidl_bytes - 1, 'x')));
    EXPECT_TRUE(append_with(inbox, std::string(max_uidl_bytes, 'x')));
    EXPECT_EQ(append_with(inbox, std::string(max_uidl_bytes + 1, 'x')).error().code, Errc::invalid);
    for (const char* text : {"a b", "a\n", "\x7f", "\xc3\xa4"}) {
        EXPECT_EQ(append_with(inbox, text).error().code, Errc::invalid) << text;
    }
    EXPECT_EQ(mail_->uidls(inbox)->size(), 2u);
}

}  // namespace
}  // namespace postern::mail

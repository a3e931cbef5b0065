// Mailboxes in the hands of several people (RFC 4314), on the real service.
#include "tests/gateway/imap_service/service_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace postern::imap_service {
namespace {

using testing::Contains;
using testing::Not;

constexpr const char* ann_inbox = "Other Users/ann@example.org/INBOX";

class SharingTest : public ServiceTest {
protected:
    void SetUp() override {
        ServiceTest::SetUp();
        bob_ = add_person("bob@example.org");
    }

    std::unique_ptr<Connection> add_person(const std::string& address) {
        auto user = directory_.add_user(address, *auth::hash_password("secret"));
        EXPECT_TRUE(user.has_value());
        EXPECT_TRUE(mail::wait<void>([&](auto done) { mail_->create_account(user->id, done); }));
        auto connection = connect(false);
        get<imap::Done>(*connection, imap::Authenticate{"PLAIN", "", address, "secret"});
        return connection;
    }
    void give(const std::string& mailbox, const std::string& whom, const std::string& rights) {
        get<imap::Done>(*first_, imap::SetAcl{mailbox, whom, FlagMode::replace, rights});
    }
    std::vector<std::string> names(Connection& connection) {
        std::vector<std::string> out;
        for (const auto& each :
             get<imap::MailboxList>(connection, imap::ListMailboxes{}).mailboxes) {
            out.push_back(each.name + (each.selectable ? "" : " (no mailbox)"));
        }
        return out;
    }
    imap::StoreFlags store(FlagMode mode, std::uint8_t system, std::string keyword = "") {
        imap::StoreFlags question;
        question.uids = {1};
        question.mode = mode;
        question.flags.system = system;
        if (!keyword.empty()) question.flags.keywords = {keyword};
        return question;
    }
    static std::uint8_t bits(SystemFlag a) { return static_cast<std::uint8_t>(a); }
    Flags flags_of_first() { return mail_->rows(box("INBOX"), {1}, 1, false)->front().flags; }

    std::unique_ptr<Connection> bob_;
};

TEST_F(SharingTest, WhatIsNotGivenIsNotThere) {
    EXPECT_EQ(failure_code(*bob_, imap::OpenMailbox{ann_inbox, false}), "NONEXISTENT");
    EXPECT_EQ(failure_code(*bob_, imap::GetAcl{ann_inbox}), "NONEXISTENT");
    EXPECT_EQ(failure_code(*bob_, imap::CheckAppend{ann_inbox, 10}), "NONEXISTENT");
    EXPECT_EQ(failure_code(*bob_, imap::GetStatus{"Other Users/ann@example.org/None", false}),
              "NONEXISTENT");
    EXPECT_EQ(failure_code(*bob_, imap::OpenMailbox{"Other Users/nobody@example.org/INBOX", false}),
              "NONEXISTENT");
    EXPECT_THAT(names(*bob_), Not(Contains(ann_inbox)));
    give("INBOX", "bob@example.org", "i");  // a letterbox: it takes, and tells nothing
    EXPECT_EQ(failure_code(*bob_, imap::OpenMailbox{ann_inbox, false}), "NONEXISTENT");
    EXPECT_THAT(names(*bob_), Not(Contains(ann_inbox)));
    get<imap::Done>(*bob_, imap::CheckAppend{ann_inbox, 10});
}

TEST_F(SharingTest, WhatIsGivenIsListedAndRead) {
    add("Subject: 1\n\n");
    give("INBOX", "bob", "lr");
    EXPECT_THAT(names(*bob_), Contains(ann_inbox));
    EXPECT_THAT(names(*bob_), Contains("Other Users (no mailbox)"));
    EXPECT_THAT(names(*bob_), Contains("Other Users/ann@example.org (no mailbox)"));
    const auto opened = get<imap::MailboxOpened>(*bob_, imap::OpenMailbox{ann_inbox, false});
    EXPECT_TRUE(opened.read_only);
    EXPECT_EQ(opened.uids.to_string(), "1");
    EXPECT_EQ(get<imap::RowPage>(*bob_, imap::FetchRows{{1}, 64, false}).rows.size(), 1u);
    EXPECT_EQ(failure_code(*bob_, imap::CheckAppend{ann_inbox, 10}), "NOPERM");
    EXPECT_EQ(failure_code(*bob_, imap::DeleteMailbox{ann_inbox}), "NOPERM");
    EXPECT_EQ(failure_code(*bob_, imap::GetAcl{ann_inbox}), "NOPERM");
    EXPECT_EQ(failure_code(*bob_, imap::SetAcl{ann_inbox, "bob", FlagMode::add, "w"}), "NOPERM");
    EXPECT_EQ(get<imap::Rights>(*bob_, imap::GetRights{ann_inbox}).letters, "lr");
}

TEST_F(SharingTest, WhatIsTakenAwayIsGoneAtOnce) {
    add("Subject: 1\n\n");
    give("INBOX", "bob", "lrs");
    get<imap::MailboxOpened>(*bob_, imap::OpenMailbox{ann_inbox, false});
    give("INBOX", "bob", "");
    EXPECT_EQ(failure_code(*bob_, imap::FetchRows{{1}, 64, false}), "NOPERM");
    EXPECT_EQ(failure_code(*bob_, store(FlagMode::add, bits(SystemFlag::seen))), "NOPERM");
    EXPECT_EQ(failure_code(*bob_, imap::Refresh{}), "NOPERM");
    EXPECT_THAT(names(*bob_), Not(Contains(ann_inbox)));
}

TEST_F(SharingTest, AFlagNeedsItsRight) {
    add("Subject: 1\n\n");
    give("INBOX", "bob", "lrs");
    get<imap::MailboxOpened>(*bob_, imap::OpenMailbox{ann_inbox, false});
    EXPECT_EQ(failure_code(*bob_, store(FlagMode::add, bits(SystemFlag::deleted))), "NOPERM");
    EXPECT_EQ(failure_code(*bob_, store(FlagMode::add, 0, "Work")), "NOPERM");
    const auto both = static_cast<std::uint8_t>(bits(SystemFlag::deleted) | bits(SystemFlag::seen));
    get<imap::FlagsStored>(*bob_, store(FlagMode::add, both));
    EXPECT_EQ(flags_of_first().system, bits(SystemFlag::seen));
    EXPECT_EQ(failure_code(*bob_, imap::ExpungeMessages{}), "NOPERM");
}

// For every set of rights to flags, FLAGS changes just the flags that it may.
TEST_F(SharingTest, AReplacedSetKeepsWhatMayNotBeTouched) {
    add("Subject: 1\n\n");
    give("INBOX", "bob", "lrswt");
    get<imap::MailboxOpened>(*bob_, imap::OpenMailbox{ann_inbox, false});
    get<imap::MailboxOpened>(*first_, imap::OpenMailbox{"INBOX", false});
    constexpr std::uint8_t all = 31;
    for (const std::string rights : {"s", "t", "w", "st", "sw", "tw", "stw"}) {
        give("INBOX", "bob", "lr" + rights);
        std::uint8_t may = 0;
        for (const auto flag : all_system_flags) {
            const char needed = flag == SystemFlag::seen      ? 's'
                                : flag == SystemFlag::deleted ? 't'
                                                              : 'w';
            if (rights.find(needed) != std::string::npos) may |= bits(flag);
        }
        for (const std::uint8_t before : {std::uint8_t{0}, all}) {
            SCOPED_TRACE(rights + (before != 0 ? " set" : " unset"));
            const bool others = rights.find('w') != std::string::npos;
            get<imap::FlagsStored>(*first_,
                                   store(FlagMode::replace, before, before != 0 ? "Old" : ""));
            const auto wanted = static_cast<std::uint8_t>(~before & all);
            get<imap::FlagsStored>(*bob_,
                                   store(FlagMode::replace, wanted, before != 0 ? "" : "New"));
            EXPECT_EQ(flags_of_first().system, (before & ~may) | (wanted & may));
            const bool keyword = before != 0 ? !others : others;
            EXPECT_EQ(flags_of_first().keywords.size(), keyword ? 1u : 0u);
        }
    }
}

TEST_F(SharingTest, CopiesAndMovesNeedRightsOnBothSides) {
    add("Subject: 1\n\n");
    give("INBOX", "bob", "lrs");
    get<imap::MailboxOpened>(*bob_, imap::OpenMailbox{ann_inbox, false});
    EXPECT_EQ(failure_code(*bob_, imap::CopyMessages{{1}, "INBOX", true}), "NOPERM");
    get<imap::MessagesCopied>(*bob_, imap::CopyMessages{{1}, "INBOX", false});
    EXPECT_EQ(failure_code(*bob_, imap::CopyMessages{{1}, ann_inbox, false}), "NOPERM");
    give("INBOX", "bob", "lrte");
    get<imap::MessagesCopied>(*bob_, imap::CopyMessages{{1}, "INBOX", true});
    EXPECT_TRUE(mail_->state(box("INBOX"))->uids.empty());
    EXPECT_EQ(get<imap::StatusData>(*bob_, imap::GetStatus{"INBOX", false}).messages, 2u);
    EXPECT_THAT(bob_->session.events, Contains("shared mailbox changed"));
}

TEST_F(SharingTest, ACopyBringsOnlyPermittedFlagsAlong) {
    give("INBOX", "bob", "lrist");
    Flags flags;
    flags.system = 31;
    flags.keywords = {"Work"};
    const auto bobs = mail_->find(directory_.find("bob@example.org")->value().id, "INBOX")->id;
    mail::NewMessage message;
    message.bytes = std::make_shared<const std::string>("Subject: 1\r\n\r\n");
    message.flags = flags;
    ASSERT_TRUE(mail::wait<mail::Appended>(
        [&](auto done) { mail_->append(bobs, message, kv::random_id(), done); }));
    get<imap::MailboxOpened>(*bob_, imap::OpenMailbox{"INBOX", false});
    get<imap::MessagesCopied>(*bob_, imap::CopyMessages{{1}, ann_inbox, false});
    EXPECT_EQ(flags_of_first().system, bits(SystemFlag::seen) | bits(SystemFlag::deleted));
    EXPECT_TRUE(flags_of_first().keywords.empty());
}

TEST_F(SharingTest, ANewMailboxTakesOverTheRightsAboveIt) {
    get<imap::Done>(*first_, imap::CreateMailbox{"Team", ""});
    give("Team", "bob", "lrswik");
    const std::string team = "Other Users/ann@example.org/Team";
    get<imap::Done>(*bob_, imap::CreateMailbox{team + "/2025/May", ""});
    EXPECT_THAT(names(*bob_), Contains(team + "/2025/May"));
    EXPECT_EQ(get<imap::Rights>(*bob_, imap::GetRights{team + "/2025"}).letters, "lrswik");
    EXPECT_EQ(failure_code(*bob_, imap::CreateMailbox{"Other Users/ann@example.org/Mine", ""}),
              "NOPERM");
    EXPECT_EQ(failure_code(*bob_, imap::CreateMailbox{"Other Users/none@example.org/x", ""}),
              "NOPERM");
    EXPECT_EQ(failure_code(*bob_, imap::DeleteMailbox{team + "/2025/May"}), "NOPERM");
    EXPECT_EQ(failure_code(*bob_, imap::RenameMailbox{team + "/2025/May", team + "/x"}), "NOPERM");
    give("Team/2025/May", "bob", "lrxk");
    EXPECT_EQ(failure_code(*bob_, imap::RenameMailbox{team + "/2025/May", "Mine"}), "CANNOT");
    get<imap::Done>(*bob_, imap::RenameMailbox{team + "/2025/May", team + "/2025/June"});
    get<imap::Done>(*bob_, imap::DeleteMailbox{team + "/2025/June"});
}

TEST_F(SharingTest, AnyoneIsTheOwnersOwnDomain) {
    ASSERT_TRUE(directory_.add_domain("example.com"));
    auto stranger = add_person("dave@example.com");
    give("INBOX", "anyone", "lrs");
    EXPECT_THAT(names(*bob_), Contains(ann_inbox));
    EXPECT_THAT(names(*stranger), Not(Contains(ann_inbox)));
    EXPECT_EQ(failure_code(*stranger, imap::OpenMailbox{ann_inbox, false}), "NONEXISTENT");
    give("INBOX", "-bob", "s");
    EXPECT_EQ(get<imap::Rights>(*bob_, imap::GetRights{ann_inbox}).letters, "lr");
    give("INBOX", "dave@example.com", "lr");
    EXPECT_THAT(names(*stranger), Contains(ann_inbox));
}

TEST_F(SharingTest, IdentifiersAreUsers) {
    for (const char* owner : {"ann", "Ann@example.org"}) {
        const auto rights = get<imap::Grantable>(*first_, imap::GetGrantable{"INBOX", owner});
        EXPECT_EQ(rights.always, std::string(imap::all_rights)) << owner;
    }
    const auto set = [](std::string whom) {
        return imap::SetAcl{"INBOX", std::move(whom), FlagMode::replace, "lr"};
    };
    EXPECT_EQ(failure_code(*first_, set("nobody")), "CANNOT");
    EXPECT_EQ(failure_code(*first_, set("ann")), "CANNOT");
    EXPECT_EQ(failure_code(*first_, set("-nobody@example.org")), "CANNOT");
    get<imap::Done>(*first_, set("BOB@Example.org"));
    const auto acl = get<imap::Acl>(*first_, imap::GetAcl{"INBOX"});
    ASSERT_EQ(acl.entries.size(), 2u);
    EXPECT_EQ(acl.entries[0].first, "ann@example.org");
    EXPECT_EQ(acl.entries[1].first, "bob@example.org");
}

TEST_F(SharingTest, AGroupsMailboxesAreUnderShared) {
    ASSERT_TRUE(shares_.set_group("ann@example.org", true));
    give("INBOX", "bob", "lrswite");
    const std::string name = "Shared/ann@example.org/INBOX";
    EXPECT_THAT(names(*bob_), Contains(name));
    EXPECT_EQ(failure_code(*bob_, imap::OpenMailbox{ann_inbox, false}), "NONEXISTENT");
    EXPECT_FALSE(get<imap::MailboxOpened>(*bob_, imap::OpenMailbox{name, false}).read_only);
    get<imap::Done>(*bob_, imap::Subscribe{name, true});
    for (const auto& each : get<imap::MailboxList>(*bob_, imap::ListMailboxes{}).mailboxes) {
        if (each.name != name) continue;
        EXPECT_TRUE(each.subscribed && each.exists);
    }
}

TEST_F(SharingTest, ChangesReachTheOthers) {
    add("Subject: 1\n\n");
    give("INBOX", "bob", "lrswite");
    get<imap::MailboxOpened>(*bob_, imap::OpenMailbox{ann_inbox, false});
    get<imap::MailboxOpened>(*first_, imap::OpenMailbox{"INBOX", false});
    const int before = first_->session.waker_->wakes;
    get<imap::FlagsStored>(*bob_, store(FlagMode::add, bits(SystemFlag::answered)));
    const auto news = get<imap::MailboxChanges>(*first_, imap::Refresh{});
    ASSERT_EQ(news.flags.size(), 1u);
    EXPECT_TRUE(news.flags[0].flags.has(SystemFlag::answered));
    // Watchers are told after who changed it was answered.
    for (int tries = 0; tries < 500 && first_->session.waker_->wakes == before; ++tries) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    EXPECT_GT(first_->session.waker_->wakes, before);
}

// What stood under such a name before there were shared mailboxes stays its owner's.
TEST_F(SharingTest, OnesOwnMailboxGoesFirst) {
    auto made = mail::wait<mail::MailboxInfo>([&](auto done) {
        mail_->create(account_, "Shared/ann@example.org/Old", mail::SpecialUse::none, done);
    });
    ASSERT_TRUE(made.has_value());
    get<imap::MailboxOpened>(*first_, imap::OpenMailbox{"Shared/ann@example.org/Old", false});
}

class OwnSeenTest : public SharingTest {
protected:
    static imap::SetAnnotations seen(const std::string& mailbox, std::optional<std::string> value) {
        return {mailbox, {{"/shared/vendor/postern/SEEN", std::move(value)}}};
    }
    void SetUp() override {
        SharingTest::SetUp();
        add("Subject: 1\n\n");
        give("INBOX", "bob", "lrswite");
        get<imap::Done>(*first_, seen("INBOX", "own"));
    }
    std::uint64_t unseen(Connection& connection, const std::string& name) {
        return get<imap::StatusData>(connection, imap::GetStatus{name, false}).unseen;
    }
};

TEST_F(OwnSeenTest, IsForWhoeverMayChangeTheRights) {
    EXPECT_EQ(failure_code(*bob_, seen(ann_inbox, "common")), "NOPERM");
    EXPECT_EQ(failure_code(*first_, seen("INBOX", "mine")), "CANNOT");
    auto two = seen("INBOX", "common");
    two.changes.emplace_back("/shared/comment", "x");
    EXPECT_EQ(failure_code(*first_, two), "CANNOT");
    auto entries = get<imap::Annotations>(*bob_, imap::GetAnnotations{ann_inbox}).entries;
    ASSERT_EQ(entries.size(), 1u);
    EXPECT_EQ(entries[0].first, "/shared/vendor/postern/seen");
    EXPECT_EQ(entries[0].second, "own");
    give("INBOX", "bob", "lra");
    get<imap::Done>(*bob_, seen(ann_inbox, std::nullopt));
    EXPECT_TRUE(get<imap::Annotations>(*bob_, imap::GetAnnotations{ann_inbox}).entries.empty());
    EXPECT_THAT(bob_->session.events, Contains("mailbox seen changed"));
}

TEST_F(OwnSeenTest, OneIsToldOfOnesOwnAlone) {
    get<imap::MailboxOpened>(*first_, imap::OpenMailbox{"INBOX", false});
    const auto opened = get<imap::MailboxOpened>(*bob_, imap::OpenMailbox{ann_inbox, false});
    EXPECT_EQ(opened.first_unseen, 1u);
    auto question = store(FlagMode::add, bits(SystemFlag::seen));
    question.with_modseq = true;
    const auto stored = get<imap::FlagsStored>(*bob_, question);
    ASSERT_EQ(stored.changed.size(), 1u);
    EXPECT_GT(stored.changed[0].modseq, opened.highest_modseq);
    EXPECT_EQ(unseen(*bob_, ann_inbox), 0u);
    EXPECT_EQ(unseen(*first_, "INBOX"), 1u);
    EXPECT_TRUE(get<imap::MailboxChanges>(*first_, imap::Refresh{}).flags.empty());
    const imap::GetHistory since{opened.highest_modseq};
    EXPECT_TRUE(get<imap::History>(*first_, since).changed.empty());
    EXPECT_EQ(get<imap::History>(*bob_, since).changed.to_string(), "1");
    imap::Search unseen_messages;
    unseen_messages.program.kind = imap::SearchKey::Kind::no_system_flag;
    unseen_messages.program.flag = bits(SystemFlag::seen);
    EXPECT_TRUE(get<imap::SearchResult>(*bob_, unseen_messages).uids.empty());
    EXPECT_EQ(get<imap::SearchResult>(*first_, unseen_messages).uids.to_string(), "1");
}

TEST_F(OwnSeenTest, StillNeedsItsRight) {
    give("INBOX", "bob", "lrw");
    get<imap::MailboxOpened>(*bob_, imap::OpenMailbox{ann_inbox, false});
    EXPECT_EQ(failure_code(*bob_, store(FlagMode::add, bits(SystemFlag::seen))), "NOPERM");
    get<imap::FlagsStored>(*bob_, store(FlagMode::replace, bits(SystemFlag::flagged)));
    EXPECT_EQ(unseen(*bob_, ann_inbox), 1u);
}

// There are so many places and no more.
TEST_F(OwnSeenTest, WhoeverMayNotReadAnyMoreGivesItBack) {
    const auto see_and_lose = [&](const std::string& whom, const std::string& letters) {
        get<imap::MailboxOpened>(*bob_, imap::OpenMailbox{ann_inbox, false});
        get<imap::FlagsStored>(*bob_, store(FlagMode::add, bits(SystemFlag::seen)));
        EXPECT_EQ(unseen(*bob_, ann_inbox), 0u);
        give("INBOX", whom, letters);
        give("INBOX", "-bob", "");
        give("INBOX", "-anyone", "");
        give("INBOX", "bob", "lrswite");
        return unseen(*bob_, ann_inbox) == 1;
    };
    EXPECT_FALSE(see_and_lose("bob", "lrs"));
    EXPECT_TRUE(see_and_lose("bob", "l"));
    EXPECT_TRUE(see_and_lose("-bob", "r"));
    give("INBOX", "anyone", "lrs");
    EXPECT_FALSE(see_and_lose("bob", ""));
    give("INBOX", "anyone", "");
    EXPECT_TRUE(see_and_lose("-anyone", "r"));
}

TEST_F(OwnSeenTest, ANewMailboxBelowTakesItOver) {
    get<imap::Done>(*first_, imap::CreateMailbox{"INBOX/May", ""});
    EXPECT_EQ(get<imap::Annotations>(*first_, imap::GetAnnotations{"INBOX/May"}).entries.size(),
              1u);
}

TEST_F(SharingTest, AnnotationsNeedRights) {
    give("INBOX", "bob", "lr");
    get<imap::Done>(*bob_, imap::SetAnnotations{ann_inbox, {{"/private/comment", "mine"}}});
    EXPECT_EQ(failure_code(*bob_, imap::SetAnnotations{ann_inbox, {{"/shared/comment", "theirs"}}}),
              "NOPERM");
    EXPECT_TRUE(get<imap::Annotations>(*first_, imap::GetAnnotations{"INBOX"}).entries.empty());
    EXPECT_EQ(get<imap::Annotations>(*bob_, imap::GetAnnotations{ann_inbox}).entries.size(), 1u);
}

}  // namespace
}  // namespace postern::imap_service

#include "tests/gateway/imap_service/service_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace postern::imap_service {
namespace {

using testing::Contains;
using testing::ElementsAre;

imap::CopyMessages move_to(UidSet uids, std::string name) {
    return {std::move(uids), std::move(name), true};
}

TEST_F(ServiceTest, LoginIsByAddressAndPassword) {
    auto stranger = connect(false);
    EXPECT_EQ(failure_code(*stranger, imap::Authenticate{"PLAIN", "", "ann@example.org", "no"}),
              "AUTHENTICATIONFAILED");
    EXPECT_EQ(failure_code(*stranger, imap::Authenticate{"PLAIN", "", "bob@example.org", "secret"}),
              "AUTHENTICATIONFAILED");
    EXPECT_EQ(failure_code(*stranger, imap::Authenticate{"PLAIN", "bob@example.org",
                                                         "ann@example.org", "secret"}),
              "AUTHENTICATIONFAILED");
    get<imap::Done>(*stranger, imap::Authenticate{"LOGIN", "", "Ann@Example.org", "secret"});
}

TEST_F(ServiceTest, NamesAreListedMadeRenamedAndRemoved) {
    get<imap::Done>(*first_, imap::CreateMailbox{"Work/2024", ""});
    EXPECT_EQ(failure_code(*first_, imap::CreateMailbox{"Work/2024", ""}), "ALREADYEXISTS");
    EXPECT_EQ(failure_code(*first_, imap::CreateMailbox{"x", "\\Nonsense"}), "USEATTR");
    get<imap::Done>(*first_, imap::RenameMailbox{"Work/2024", "Work/2025"});
    EXPECT_EQ(failure_code(*first_, imap::RenameMailbox{"Work/2024", "y"}), "NONEXISTENT");
    get<imap::Done>(*first_, imap::Subscribe{"Work/2025", true});
    get<imap::Done>(*first_, imap::DeleteMailbox{"Work/2025"});
    std::vector<std::string> shown;
    for (const auto& box : get<imap::MailboxList>(*first_, imap::ListMailboxes{}).mailboxes) {
        shown.push_back(box.name + box.special_use + (box.subscribed ? "+" : "") +
                        (box.exists ? "" : " gone"));
    }
    EXPECT_THAT(shown, Contains("INBOX+"));
    EXPECT_THAT(shown, Contains("Junk\\Junk+"));
    EXPECT_THAT(shown, Contains("Work/2025+ gone"));
}

TEST_F(ServiceTest, TheSpecialUseIsAnAnnotationThatCreateAloneGives) {
    const std::string entry = "/private/specialuse";
    const auto set = [&](const std::string& mailbox, std::optional<std::string> use) {
        return failure_code(*first_, imap::SetAnnotations{mailbox, {{entry, std::move(use)}}});
    };
    using Entries = std::vector<std::pair<std::string, std::string>>;
    const auto told = [&](const std::string& mailbox) {
        return get<imap::Annotations>(*first_, imap::GetAnnotations{mailbox}).entries;
    };
    EXPECT_EQ(told("Sent"), (Entries{{entry, "\\Sent"}}));
    EXPECT_TRUE(told("INBOX").empty());
    EXPECT_EQ(set("Sent", "\\sent"), "no failure");
    EXPECT_EQ(set("Sent", "\\Junk"), "USEATTR");
    EXPECT_EQ(set("Sent", std::nullopt), "USEATTR");
    EXPECT_EQ(set("INBOX", std::nullopt), "no failure");
    EXPECT_EQ(set("nowhere", std::nullopt), "NONEXISTENT");
    EXPECT_EQ(set("nowhere", "\\Sent"), "NONEXISTENT");
    // All or nothing, and the rest is kept.
    const std::string comment = "/private/comment";
    EXPECT_EQ(failure_code(*first_, imap::SetAnnotations{"Sent", {{comment, "x"}, {entry, "x"}}}),
              "USEATTR");
    EXPECT_EQ(told("Sent").size(), 1u);
    get<imap::Done>(*first_, imap::SetAnnotations{"Sent", {{comment, "x"}, {entry, "\\Sent"}}});
    EXPECT_EQ(told("Sent"), (Entries{{comment, "x"}, {entry, "\\Sent"}}));
}

TEST_F(ServiceTest, TheQuotaOfAMailboxThatCouldBeMadeIsTold) {
    get<imap::QuotaRoots>(*first_, imap::GetQuota{"INBOX"});
    get<imap::QuotaRoots>(*first_, imap::GetQuota{"not/yet"});
    EXPECT_NE(failure_code(*first_, imap::GetQuota{"never//ever"}), "no failure");
    EXPECT_EQ(failure_code(*first_, imap::GetQuota{"Other Users/bob/INBOX"}), "NONEXISTENT");
}

TEST_F(ServiceTest, OpenTellsTheStateAndTakesRecent) {
    Flags seen;
    seen.set(SystemFlag::seen);
    add("Subject: 1\n\n", seen);
    add("Subject: 2\n\n");
    const auto looked = get<imap::MailboxOpened>(*first_, imap::OpenMailbox{"INBOX", true});
    EXPECT_EQ(looked.recent.to_string(), "1:2");
    EXPECT_TRUE(looked.read_only);
    const auto opened = get<imap::MailboxOpened>(*first_, imap::OpenMailbox{"INBOX", false});
    EXPECT_EQ(opened.uids.to_string(), "1:2");
    EXPECT_EQ(opened.recent.to_string(), "1:2");
    EXPECT_EQ(opened.first_unseen, 2u);
    EXPECT_EQ(opened.uid_next, 3u);
    auto second = connect();
    EXPECT_TRUE(
        get<imap::MailboxOpened>(*second, imap::OpenMailbox{"INBOX", false}).recent.empty());
    EXPECT_EQ(failure_code(*first_, imap::OpenMailbox{"None", false}), "NONEXISTENT");
    EXPECT_FALSE(first_->service.woken());
}

TEST_F(ServiceTest, ChangesOfOthersWakeAndAreTold) {
    add("Subject: 1\n\n");
    add("Subject: 2\n\n");
    get<imap::MailboxOpened>(*first_, imap::OpenMailbox{"INBOX", false});
    auto second = connect();
    get<imap::MailboxOpened>(*second, imap::OpenMailbox{"INBOX", false});
    const int before = first_->session.waker_->wakes;

    add("Subject: 3\n\n");
    Flags flags;
    flags.set(SystemFlag::deleted);
    flags.keywords = {"Work"};
    get<imap::FlagsStored>(*second,
                           imap::StoreFlags{{1, 2}, FlagMode::add, flags, {}, true, false});
    get<imap::Expunged>(*second, imap::ExpungeMessages{UidSet{1}});
    for (int i = 0; i < 500 && first_->session.waker_->wakes == before; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    EXPECT_GT(first_->session.waker_->wakes, before);
    EXPECT_TRUE(first_->service.woken());

    const auto changes = get<imap::MailboxChanges>(*first_, imap::Refresh{});
    EXPECT_EQ(changes.added.to_string(), "3");
    EXPECT_EQ(changes.recent.to_string(), "3");
    EXPECT_EQ(changes.vanished.to_string(), "1");
    EXPECT_EQ(changes.uid_next, 4u);
    ASSERT_EQ(changes.flags.size(), 1u);
    EXPECT_EQ(changes.flags[0].uid, 2u);
    EXPECT_THAT(changes.flags[0].flags.keywords, ElementsAre("Work"));
    EXPECT_THAT(changes.keywords, ElementsAre("Work"));
    const auto none = get<imap::MailboxChanges>(*first_, imap::Refresh{});
    EXPECT_TRUE(none.added.empty() && none.vanished.empty() && none.flags.empty());
    EXPECT_TRUE(get<imap::MailboxChanges>(*second, imap::Refresh{}).recent.empty());
}

TEST_F(ServiceTest, RowsAndBodiesAreRead) {
    add("Subject: 1\n\nabc\n");
    get<imap::MailboxOpened>(*first_, imap::OpenMailbox{"INBOX", true});
    const auto page = get<imap::RowPage>(*first_, imap::FetchRows{{1, 5}, 64, true});
    ASSERT_EQ(page.rows.size(), 1u);
    const auto& row = page.rows[0];
    EXPECT_TRUE(mime::decode_summary(row.summary).has_value());
    EXPECT_EQ(get<imap::BlobBytes>(*first_, imap::ReadBlob{row.blob, 14, 3}).bytes, "abc");
    EXPECT_EQ(*first_->service.read(imap::SendBlob{row.blob, 14, 5}, 1, 2), "bc");
    EXPECT_FALSE(first_->service.read(imap::SendBlob{"nonsense", 0, 1}, 0, 1).has_value());
}

TEST_F(ServiceTest, AppendGathersChunksUpToTheBudget) {
    const auto append = [&](std::size_t size) {
        get<imap::Done>(*first_, imap::CheckAppend{"Drafts", size});
        const std::string message = "Subject: draft\r\n\r\n" + std::string(size - 18, 'x');
        for (std::size_t at = 0; at < size; at += 100) {
            first_->service.take(imap::AppendChunk{message.substr(at, 100)});
        }
        return ask(*first_, imap::AppendMessage{"Drafts", {}, from_unix_ms(1000), 0});
    };
    EXPECT_EQ(failure_code(*first_, imap::CheckAppend{"None", 10}), "NONEXISTENT");
    EXPECT_EQ(failure_code(*first_, imap::CheckAppend{"Drafts", 1001}), "UNAVAILABLE");
    const auto done = std::get<imap::AppendDone>(append(1000));
    const auto rows = mail_->rows(box("Drafts"), {done.uids.at(0)}, 1, true);
    ASSERT_EQ(rows->size(), 1u);
    EXPECT_EQ((*rows)[0].size, 1000u);
    EXPECT_EQ(to_unix_ms((*rows)[0].internal_date), 1000);
    EXPECT_EQ(budget_.used(), 0u);

    limits::InflightBudget::Share others(budget_);
    ASSERT_TRUE(others.grow(300));
    first_->service.take(imap::AppendChunk{std::string(701, 'x')});
    EXPECT_EQ(failure_code(*first_, imap::AppendMessage{"Drafts", {}, {}, 0}), "UNAVAILABLE");
    first_->service.take(imap::AppendChunk{std::string(700, 'x')});
    first_->service.take(imap::DiscardAppend{});
    EXPECT_EQ(budget_.used(), 300u);
}

TEST_F(ServiceTest, ReadOnlyMailboxesAreNotChanged) {
    add("Subject: 1\n\n");
    get<imap::MailboxOpened>(*first_, imap::OpenMailbox{"INBOX", true});
    EXPECT_EQ(failure_code(*first_, imap::StoreFlags{{1}, FlagMode::add, {}, {}, false, false}),
              "READ-ONLY");
    EXPECT_EQ(failure_code(*first_, move_to({1}, "Trash")), "READ-ONLY");
    EXPECT_EQ(failure_code(*first_, imap::ExpungeMessages{}), "READ-ONLY");
    EXPECT_EQ(get<imap::MessagesCopied>(*first_, imap::CopyMessages{{1}, "Trash", false}).to,
              std::vector<Uid>{1});
}

TEST_F(ServiceTest, AWholeCopyHasAllOrIsNone) {
    add("Subject: 1\n\n");
    add("Subject: 2\n\n");
    get<imap::MailboxOpened>(*first_, imap::OpenMailbox{"INBOX", false});
    imap::CopyMessages both{{1, 2}, "Sent", false, true};
    EXPECT_EQ(get<imap::MessagesCopied>(*first_, both).to, (std::vector<Uid>{1, 2}));
    const auto gone =
        mail::wait<UidSet>([&](auto done) { mail_->expunge(box("INBOX"), {1}, true, done); });
    ASSERT_EQ(gone->to_string(), "1");
    EXPECT_EQ(failure_code(*first_, both), "EXPUNGEISSUED");
    EXPECT_EQ(mail_->state(box("Sent"))->uids.to_string(), "1:2");
    both.whole = false;
    EXPECT_EQ(get<imap::MessagesCopied>(*first_, both).to, std::vector<Uid>{3});
}

TEST_F(ServiceTest, WhoeverHasARemovedMailboxSelectedIsTold) {
    const auto gone = [&](imap::Question question) {
        const auto answer = ask(*first_, std::move(question));
        const auto* failure = std::get_if<imap::Failure>(&answer);
        return failure != nullptr && failure->code == "NONEXISTENT" && failure->mailbox_gone;
    };
    get<imap::MailboxOpened>(*first_, imap::OpenMailbox{"Sent", false});
    EXPECT_FALSE(gone(imap::GetStatus{"None"}));
    auto second = connect();
    get<imap::Done>(*second, imap::RenameMailbox{"Sent", "Sent mail"});
    EXPECT_FALSE(gone(imap::Refresh{}));
    get<imap::Done>(*second, imap::DeleteMailbox{"Sent mail"});
    EXPECT_TRUE(gone(imap::Refresh{}));
    EXPECT_TRUE(gone(imap::FetchRows{{1}, 1, false}));
    EXPECT_TRUE(gone(imap::ExpungeMessages{}));
    EXPECT_TRUE(gone(imap::CopyMessages{{1}, "INBOX", false, true}));
    get<imap::Done>(*first_, imap::CloseMailbox{});
    EXPECT_FALSE(gone(imap::GetStatus{"Sent mail"}));
}

TEST_F(ServiceTest, MovesOverJunkAreLearnedDurably) {
    for (int i = 0; i < 3; ++i) add("Subject: pills " + std::to_string(i) + "\n\nbuy now\n");
    get<imap::MailboxOpened>(*first_, imap::OpenMailbox{"INBOX", false});
    get<imap::MessagesCopied>(*first_, move_to({1, 2, 3}, "Junk"));
    ASSERT_TRUE(learning_->catch_up());
    EXPECT_EQ(learning_->models()->stats().spam, 3u);

    get<imap::MailboxOpened>(*first_, imap::OpenMailbox{"Junk", false});
    get<imap::MessagesCopied>(*first_, move_to({1}, "INBOX"));
    get<imap::MessagesCopied>(*first_, move_to({2}, "Trash"));
    ASSERT_TRUE(learning_->catch_up());
    EXPECT_EQ(learning_->models()->stats().spam, 2u);
    EXPECT_EQ(learning_->models()->stats().ham, 1u);
    EXPECT_THAT(first_->session.events, Contains("messages learned").Times(2));

    get<imap::MessagesCopied>(*first_, imap::CopyMessages{{3}, "Archive", false});
    ASSERT_TRUE(learning_->catch_up());
    EXPECT_EQ(learning_->models()->stats().ham, 2u);
    EXPECT_EQ(failure_code(*first_, move_to({3}, "None")), "NONEXISTENT");
}

TEST_F(ServiceTest, SearchRunsOverTheSelectedMailbox) {
    add("Subject: apple\n\n");
    add("Subject: pear\n\n");
    imap::Search search;
    search.program.kind = imap::SearchKey::Kind::subject;
    search.program.text = "PEAR";
    EXPECT_EQ(failure_code(*first_, search), "CLIENTBUG");
    get<imap::MailboxOpened>(*first_, imap::OpenMailbox{"INBOX", true});
    EXPECT_EQ(get<imap::SearchResult>(*first_, search).uids.to_string(), "2");
    EXPECT_EQ(get<imap::SearchResult>(*first_, imap::Search{}).uids.to_string(), "1:2");
}

TEST_F(ServiceTest, SearchTellsTheModSequenceOfThoseThatCount) {
    using imap::ModSeqOf;
    for (const int day : {19'001, 19'002, 19'003}) add("Subject: apple\n\n", {}, day);
    get<imap::MailboxOpened>(*first_, imap::OpenMailbox{"INBOX", false});
    const auto rows = get<imap::RowPage>(*first_, imap::FetchRows{{1, 2, 3}, 10, false}).rows;
    ASSERT_EQ(rows.size(), 3u);
    const auto highest = [&](ModSeqOf of) {
        return get<imap::SearchResult>(*first_, imap::Search{{}, of, false}).highest_modseq;
    };
    EXPECT_EQ(highest(ModSeqOf::none), 0u);
    EXPECT_EQ(highest(ModSeqOf::first), rows[0].modseq);
    EXPECT_EQ(highest(ModSeqOf::last), rows[2].modseq);
    EXPECT_EQ(highest(ModSeqOf::ends), rows[2].modseq);
    EXPECT_EQ(highest(ModSeqOf::all), rows[2].modseq);
    const imap::Sort backwards{{}, {{imap::SortKey::By::arrival, true}}, ModSeqOf::first, false};
    EXPECT_EQ(get<imap::Sorted>(*first_, backwards).highest_modseq, rows[2].modseq);
}

}  // namespace
}  // namespace postern::imap_service

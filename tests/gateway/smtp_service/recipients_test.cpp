#include "gateway/smtp_service/recipients.h"

#include <gtest/gtest.h>

namespace postern::smtp_service {
namespace {

using outbound::Action;

directory::User user(std::uint64_t id, const std::string& address) {
    directory::User made;
    made.id = {id};
    made.address = address;
    return made;
}

addresses::Resolved resolved(std::vector<directory::User> users,
                             std::vector<std::string> others = {}) {
    addresses::Resolved out;
    out.local_domain = true;
    out.users = std::move(users);
    out.others = std::move(others);
    return out;
}

smtp::CheckRecipient named(const std::string& address, std::uint8_t notify = 0) {
    return {address, {notify, "rfc822;" + address}};
}

delivery::Accepted outcome(const std::vector<std::string>& full = {}) {
    delivery::Accepted out{"17", false, {}};
    for (const auto& each : full) out.left_out.push_back({each, {Errc::over_quota, "full"}});
    return out;
}

const auto ann = user(1, "ann@example.org");
const auto bob = user(2, "bob@example.org");

TEST(Recipients, EachMailboxOnceWhateverItWasReachedBy) {
    Recipients recipients(false);
    recipients.add(named("all@example.org"), resolved({ann, bob}, {"x@remote.example"}));
    recipients.add(named("ann@example.org"), resolved({ann}));
    recipients.add(named("x@example.org"), resolved({}, {"x@remote.example"}));
    ASSERT_EQ(recipients.local().size(), 2u);
    ASSERT_EQ(recipients.remote().size(), 1u);
    // Who was named by herself was told that there is room.
    EXPECT_FALSE(recipients.local()[0].may_be_left_out);
    EXPECT_TRUE(recipients.local()[1].may_be_left_out);
    recipients.clear();
    EXPECT_TRUE(recipients.empty());
}

TEST(Recipients, OfTwoNamesForOneAddressEitherMayAskToBeTold) {
    const auto merged = [](std::uint8_t first, std::uint8_t second) {
        Recipients recipients(false);
        recipients.add(named("a@example.org", first), resolved({}, {"x@remote.example"}));
        recipients.add(named("b@example.org", second), resolved({}, {"x@remote.example"}));
        return recipients.remote().front().notify;
    };
    constexpr std::uint8_t failure = smtp::notify_failure, success = smtp::notify_success;
    EXPECT_EQ(merged(smtp::notify_never, 0), 0);
    EXPECT_EQ(merged(0, smtp::notify_never), 0);
    EXPECT_EQ(merged(smtp::notify_never, failure), failure);
    EXPECT_EQ(merged(success, failure), success | failure);
    EXPECT_EQ(merged(0, success), success | failure | smtp::notify_delay);
    EXPECT_EQ(merged(0, 0), 0);
}

TEST(Recipients, SuccessIsToldUnderTheNameThatWasGiven) {
    Recipients recipients(false);
    recipients.add(named("ann+x@example.org", smtp::notify_success), resolved({ann}));
    recipients.add(named("bob@example.org"), resolved({bob}));
    ASSERT_TRUE(recipients.may_report());
    const auto reports = recipients.reports(outcome(), true);
    ASSERT_EQ(reports.size(), 1u);
    EXPECT_EQ(reports[0].address, "ann+x@example.org");
    EXPECT_EQ(reports[0].action, Action::delivered);
}

TEST(Recipients, AnExpansionIsToldOnceAndNamesNobody) {
    Recipients recipients(false);
    recipients.add(named("all@example.org", smtp::notify_success | smtp::notify_failure),
                   resolved({ann, bob}, {"x@remote.example"}));
    recipients.add(named("far@example.org", smtp::notify_success),
                   resolved({}, {"y@remote.example", "z@remote.example"}));
    const auto reports = recipients.reports(outcome(), true);
    ASSERT_EQ(reports.size(), 2u);
    EXPECT_EQ(reports[0].address, "all@example.org");
    EXPECT_EQ(reports[0].action, Action::expanded);
    EXPECT_EQ(reports[1].action, Action::expanded);
    ASSERT_EQ(recipients.remote().size(), 3u);
    EXPECT_EQ(recipients.remote()[0].notify, smtp::notify_failure);
    EXPECT_EQ(recipients.remote()[1].notify, smtp::notify_never);
}

TEST(Recipients, OneAddressElsewhereIsTheQueuesToTellOf) {
    Recipients recipients(false);
    recipients.add(named("far@example.org", smtp::notify_success),
                   resolved({}, {"y@remote.example"}));
    EXPECT_FALSE(recipients.may_report());
    EXPECT_TRUE(recipients.reports(outcome(), true).empty());
    EXPECT_EQ(recipients.remote()[0].notify, smtp::notify_success);
}

TEST(Recipients, TheSenderIsToldWhoWasLeftOut) {
    Recipients recipients(false);
    recipients.add(named("all@example.org"), resolved({ann, bob}));
    recipients.add(named("quiet@example.org", smtp::notify_never), resolved({ann, bob}));
    EXPECT_TRUE(recipients.reports(outcome(), false).empty());
    const auto full = outcome({ann.address, bob.address});
    const auto of_a_user = recipients.reports(full, false);
    ASSERT_EQ(of_a_user.size(), 2u);
    EXPECT_EQ(of_a_user[1].address, bob.address);
    EXPECT_EQ(of_a_user[1].status, "5.2.2");
    EXPECT_EQ(of_a_user[1].action, Action::failed);
    const auto of_a_stranger = recipients.reports(full, true);
    ASSERT_EQ(of_a_stranger.size(), 1u);
    EXPECT_EQ(of_a_stranger[0].address, "all@example.org");
}

TEST(Recipients, LmtpAnswersForEachName) {
    Recipients recipients(true);
    recipients.add(named("ann@example.org", smtp::notify_success), resolved({ann}));
    recipients.add(named("bob@example.org", smtp::notify_success), resolved({bob}));
    recipients.add(named("all@example.org"), resolved({ann, bob}));
    recipients.add(named("far@example.org"), resolved({ann}, {"x@remote.example"}));
    EXPECT_TRUE(recipients.local()[0].may_be_left_out);
    const auto full = outcome({ann.address});
    const auto replies = recipients.replies(full);
    ASSERT_EQ(replies.size(), 4u);
    EXPECT_EQ(replies[0].code, 452);
    EXPECT_EQ(replies[0].enhanced, "4.2.2");
    EXPECT_EQ(replies[1].code, 250);
    EXPECT_EQ(replies[2].code, 250);
    EXPECT_EQ(replies[3].code, 250);
    const auto reports = recipients.reports(full, true);
    ASSERT_EQ(reports.size(), 1u) << "the one that was refused is the client's to tell";
    EXPECT_EQ(reports[0].address, "bob@example.org");
}

}  // namespace
}  // namespace postern::smtp_service

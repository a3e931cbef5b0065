#include "appliance/cli/labelled_mail.h"

#include <gtest/gtest.h>

namespace postern::cli {
namespace {

// Gives so many messages and then fails, or ends well when there is no reason.
class Fake final : public LabelledMail {
public:
    Fake(int messages, std::string reason) : left_(messages), reason_(std::move(reason)) {}
    std::optional<LabelledMessage> next() override {
        if (left_ == 0) {
            failure_ = reason_;
            return std::nullopt;
        }
        --left_;
        return LabelledMessage{};
    }
    double fraction_done() const override { return left_ == 0 ? 1 : 0; }
    std::string failure() const override { return failure_; }

private:
    int left_;
    const std::string reason_;
    std::string failure_;
};

int count_of(LabelledMail& mail) {
    int count = 0;
    while (mail.next()) ++count;
    return count;
}

TEST(LabelledMail, OneSourceThatFailsIsToldAfterAllWasRead) {
    std::vector<std::unique_ptr<LabelledMail>> sources;
    sources.push_back(std::make_unique<Fake>(3, ""));
    sources.push_back(std::make_unique<Fake>(2, "Junk: cannot be read"));
    sources.push_back(std::make_unique<Fake>(4, ""));
    const auto all = side_by_side(std::move(sources));
    EXPECT_EQ(all->failure(), "");
    EXPECT_EQ(count_of(*all), 9);
    EXPECT_EQ(all->failure(), "Junk: cannot be read");
}

TEST(LabelledMail, WithoutFailureThereIsNone) {
    std::vector<std::unique_ptr<LabelledMail>> sources;
    sources.push_back(std::make_unique<Fake>(1, ""));
    const auto all = side_by_side(std::move(sources));
    EXPECT_EQ(count_of(*all), 1);
    EXPECT_EQ(all->failure(), "");
}

}  // namespace
}  // namespace postern::cli

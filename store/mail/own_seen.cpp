#include "store/mail/own_seen.h"

#include "store/mail/seen_log.h"

namespace postern::mail {

namespace {

// Works in steps until `more_` is left false.
class SteppedOperation : public MailboxOperation {
public:
    explicit SteppedOperation(Done<void> done) : done_(std::move(done)) {}
    bool confirm() override { return !more_; }
    void finish(Result<void> outcome) override { done_(outcome); }

protected:
    bool more_ = false;

private:
    Done<void> done_;
};

class SetOwnSeen final : public SteppedOperation {
public:
    SetOwnSeen(bool on, Done<void> done) : SteppedOperation(std::move(done)), on_(on) {}

    Result<Step> apply(MailboxChange& change) override {
        // Alone in its batch: it may write all of the mailbox's bitmaps.
        if (!change.empty()) return Step::full;
        more_ = false;
        const bool is_on = change.now_so_far().seen_mode == SeenMode::own;
        if (on_ && is_on) return Step::fits;
        if (!on_ && is_on) {
            more_ = true;
            const auto ended = change.end_own_seen();
            if (!ended) return ended.error();
            return Step::fits;
        }
        // What is left of the last time.
        const auto keys = change.extra_keys("v");
        if (!keys) return keys.error();
        for (const std::string& key : *keys) {
            if (!change.has_room(1, key.size())) break;
            change.set_extra(key, std::nullopt);
        }
        more_ = !keys->empty();
        if (more_ || !on_) return Step::fits;
        const auto begun = change.begin_own_seen();
        if (!begun) return begun.error();
        return Step::fits;
    }

private:
    const bool on_;
};

class ForgetSeen final : public SteppedOperation {
public:
    ForgetSeen(AccountId account, Done<void> done)
        : SteppedOperation(std::move(done)), account_(account) {}

    Result<Step> apply(MailboxChange& change) override {
        // Alone in its batch: what is stored is all that there is of the account.
        if (!change.empty()) return Step::full;
        more_ = false;
        for (const char prefix : {'v', 'w'}) {
            const auto keys = change.extra_keys(of_account(prefix, account_));
            if (!keys) return keys.error();
            for (const std::string& key : *keys) {
                if (!change.has_room(1, key.size())) break;
                change.set_extra(key, std::nullopt);
                more_ = true;
            }
        }
        if (more_) change.forget_marks(account_);
        return Step::fits;
    }

private:
    const AccountId account_;
};

class EndSeen final : public SteppedOperation {
public:
    EndSeen(AccountId account, Done<void> done)
        : SteppedOperation(std::move(done)), account_(account) {}

    Result<Step> apply(MailboxChange& change) override {
        const auto ranges = ranges_of(change.now_so_far().marks_of(account_));
        std::size_t ended = 0;
        for (const std::uint16_t high : ranges) {
            if (!change.has_room(0, 0)) break;
            change.end_marks(account_, high);
            ++ended;
        }
        more_ = ended < ranges.size();
        return ended == 0 && more_ ? Step::full : Step::fits;
    }

private:
    const AccountId account_;
};

}  // namespace

OperationPtr own_seen_operation(bool on, Done<void> done) {
    return std::make_shared<SetOwnSeen>(on, std::move(done));
}

OperationPtr forget_seen_operation(AccountId account, Done<void> done) {
    return std::make_shared<ForgetSeen>(account, std::move(done));
}

OperationPtr end_seen_operation(AccountId account, Done<void> done) {
    return std::make_shared<EndSeen>(account, std::move(done));
}

}  // namespace postern::mail

#include "store/mail/operation_parts.h"

namespace postern::mail {

namespace {

constexpr std::size_t rows_per_expunge = 7;

class Expunge final : public AnsweringOperation<UidSet> {
public:
    Expunge(UidSet uids, bool any, Done<UidSet> done)
        : AnsweringOperation(std::move(done)), left_(std::move(uids)), any_(any) {}

    Result<Step> apply(MailboxChange& change) override {
        stepped_.clear();
        left_ &= change.now_so_far().existing();
        if (!any_) left_ &= change.now_so_far().set(set_of(SystemFlag::deleted));
        const auto messages = read_messages(change, left_, rows_per_expunge);
        if (!messages) return messages.error();
        for (const auto& [uid, message] : *messages) {
            if (!change.has_room(rows_per_expunge, row_bytes)) break;
            stepped_.add(uid);
            if (message) change.remove(*message);
        }
        return stepped_.empty() && !left_.empty() ? Step::full : Step::fits;
    }

    bool confirm() override {
        left_ -= stepped_;
        answer_ |= stepped_;
        return left_.empty();
    }

    void finish(Result<void> outcome) override {
        if (!outcome) return done_(outcome.error());
        done_(std::move(answer_));
    }

private:
    UidSet left_;
    const bool any_;
    UidSet stepped_;
    UidSet answer_;
};

class ForgetGarbage final : public AnsweringOperation<void> {
public:
    ForgetGarbage(std::vector<Garbage> garbage, Done<void> done)
        : AnsweringOperation(std::move(done)), garbage_(std::move(garbage)) {}

    Result<Step> apply(MailboxChange& change) override {
        step_ = next_;
        while (step_ < garbage_.size() && change.has_room(1, row_bytes)) {
            change.forget_garbage(garbage_[step_].blob, garbage_[step_].owner);
            ++step_;
        }
        return step_ == next_ && next_ < garbage_.size() ? Step::full : Step::fits;
    }
    bool confirm() override {
        next_ = step_;
        return next_ == garbage_.size();
    }
    void finish(Result<void> outcome) override { done_(outcome); }

private:
    const std::vector<Garbage> garbage_;
    std::size_t next_ = 0;
    std::size_t step_ = 0;
};

}  // namespace

OperationPtr expunge_operation(UidSet uids, bool any, Done<UidSet> done) {
    return std::make_shared<Expunge>(std::move(uids), any, std::move(done));
}
OperationPtr forget_garbage_operation(std::vector<Garbage> garbage, Done<void> done) {
    return std::make_shared<ForgetGarbage>(std::move(garbage), std::move(done));
}

}  // namespace postern::mail

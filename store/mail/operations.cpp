#include "store/mail/operations.h"

#include <algorithm>

namespace postern::mail {

namespace {

constexpr std::size_t row_bytes = 100;  // a message row with its keys, and its share of the journal
constexpr std::size_t rows_per_message = 9;
constexpr std::size_t rows_per_flag_change = 2;
constexpr std::size_t rows_per_expunge = 7;

using Messages = std::vector<std::pair<Uid, std::optional<StoredMessage>>>;

// As many of them as may fit when each takes so many rows.
Result<Messages> read_messages(MailboxChange& change, const UidSet& uids, std::size_t rows_each) {
    Messages messages;
    Result<void> read;
    uids.for_each([&](Uid uid) {
        const std::size_t count = messages.size() + 1;
        if (!change.has_room(count * rows_each, count * row_bytes)) return false;
        auto message = change.message(uid);
        if (!message) read = message.error();
        if (message) messages.emplace_back(uid, *std::move(message));
        return read.has_value();
    });
    if (!read) return read.error();
    return messages;
}

template <class T>
class AnsweringOperation : public MailboxOperation {
public:
    explicit AnsweringOperation(Done<T> done) : done_(std::move(done)) {}

protected:
    Done<T> done_;
};

class Append final : public AnsweringOperation<Appended> {
public:
    Append(AppendInput input, Done<Appended> done)
        : AnsweringOperation(std::move(done)), input_(std::move(input)) {}

    Result<Step> apply(MailboxChange& change) override {
        answer_.uid_validity = change.before().head.uid_validity;
        if (!input_.operation.empty()) {
            const auto earlier = change.outcome_of(input_.operation);
            if (!earlier) return earlier.error();
            if (*earlier) {
                answer_.uid = **earlier;
                answer_.modseq = change.before().head.highest_modseq;
                return Step::fits;
            }
        }
        if (!change.has_room(rows_per_message,
                             input_.summary.size() + input_.report.size() + row_bytes)) {
            return Step::full;
        }
        if (const auto uids = change.has_uids(1); !uids) return uids.error();
        const auto keywords = change.keyword_bits(input_.flags.keywords);
        if (!keywords) return keywords.error();
        StoredMessage message;
        message.system_flags = input_.flags.system;
        message.keywords = *keywords;
        message.internal_date = input_.internal_date;
        message.size = input_.size;
        message.blob = input_.blob;
        message.owner = input_.owner;
        message.email_id = input_.blob;
        message.thread_id = input_.thread_id.empty() ? input_.blob : input_.thread_id;
        const Uid uid = change.add(message, {input_.summary, input_.report, input_.uidl});
        if (input_.framed) change.attach_blob(input_.blob, input_.framed);
        if (!input_.operation.empty()) change.remember(input_.operation, uid);
        answer_.uid = uid;
        answer_.modseq = change.modseq();
        return Step::fits;
    }

    bool confirm() override { return true; }

    void finish(Result<void> outcome) override {
        if (!outcome) return done_(outcome.error());
        done_(answer_);
    }

private:
    AppendInput input_;
    Appended answer_;
};

class Link final : public AnsweringOperation<Copied> {
public:
    Link(std::vector<LinkInput> inputs, Done<Copied> done)
        : AnsweringOperation(std::move(done)), inputs_(std::move(inputs)) {}

    Result<Step> apply(MailboxChange& change) override {
        step_.clear();
        answer_.uid_validity = change.before().head.uid_validity;
        // All that can fail comes first: an error may not leave a part of the step behind.
        const auto earlier = read_outcomes(change);
        if (!earlier) return earlier.error();
        const auto prepared = prepare(change, *earlier);
        if (!prepared) return prepared.error();
        for (std::size_t i = 0; i < earlier->size(); ++i) {
            const LinkInput& input = inputs_[next_ + i];
            if ((*earlier)[i]) {
                step_.push_back(*(*earlier)[i]);
            } else if (change.has_room(rows_per_message, bytes_of(input))) {
                step_.push_back(add(change, input));
            } else {
                break;
            }
        }
        return step_.empty() && next_ < inputs_.size() ? Step::full : Step::fits;
    }

    bool confirm() override {
        for (Uid uid : step_) {
            answer_.from.push_back(inputs_[next_++].source.uid);
            answer_.to.push_back(uid);
        }
        step_.clear();
        return next_ == inputs_.size();
    }

    void finish(Result<void> outcome) override {
        if (!outcome) return done_(outcome.error());
        done_(std::move(answer_));
    }

private:
    using Outcomes = std::vector<std::optional<Uid>>;

    static std::size_t bytes_of(const LinkInput& input) {
        return input.summary.size() + input.report.size() + row_bytes;
    }

    // Of as many of the next messages as may fit.
    Result<Outcomes> read_outcomes(MailboxChange& change) const {
        Outcomes outcomes;
        std::size_t rows = 0;
        std::size_t bytes = 0;
        for (std::size_t i = next_; i < inputs_.size(); ++i) {
            const auto earlier = change.outcome_of(inputs_[i].operation);
            if (!earlier) return earlier.error();
            if (!*earlier) {
                rows += rows_per_message;
                bytes += bytes_of(inputs_[i]);
                if (!change.has_room(rows, bytes)) break;
            }
            outcomes.push_back(*earlier);
        }
        return outcomes;
    }

    Result<void> prepare(MailboxChange& change, const Outcomes& earlier) const {
        std::vector<std::string> names;
        std::size_t fresh = 0;
        for (std::size_t i = 0; i < earlier.size(); ++i) {
            if (earlier[i]) continue;
            const auto& own = inputs_[next_ + i].flags.keywords;
            names.insert(names.end(), own.begin(), own.end());
            ++fresh;
        }
        if (fresh == 0) return {};
        if (const auto uids = change.has_uids(fresh); !uids) return uids;
        const auto bits = change.keyword_bits(names);
        return bits ? Result<void>() : Result<void>(bits.error());
    }

    static Uid add(MailboxChange& change, const LinkInput& input) {
        StoredMessage message = input.source;
        message.system_flags = input.flags.system;
        message.keywords = 0;
        for (const std::string& name : input.flags.keywords) {
            message.keywords |= std::uint64_t{1} << change.now_so_far().slot_of(name);
        }
        message.owner = input.owner;
        const Uid uid = change.add(message, {input.summary, input.report, input.uidl});
        change.remember(input.operation, uid);
        return uid;
    }

    const std::vector<LinkInput> inputs_;
    std::size_t next_ = 0;
    std::vector<Uid> step_;
    Copied answer_;
};

class ChangeFlags final : public AnsweringOperation<FlagResult> {
public:
    ChangeFlags(UidSet uids, FlagChange change, Done<FlagResult> done)
        : AnsweringOperation(std::move(done)), left_(std::move(uids)), change_(std::move(change)) {}

    Result<Step> apply(MailboxChange& change) override {
        step_ = {};
        stepped_.clear();
        left_ &= change.now_so_far().existing();
        // All that can fail comes first: an error may not leave a part of the step behind.
        const auto messages = read_messages(change, left_, rows_per_flag_change);
        if (!messages) return messages.error();
        if (messages->empty()) return left_.empty() ? Step::fits : Step::full;
        // Removing a keyword that nobody ever set must not take a slot.
        Flags flags = change_.flags;
        if (change_.mode == FlagMode::remove) drop_unknown(flags, change.now_so_far());
        const auto bits = change.keyword_bits(flags.keywords);
        if (!bits) return bits.error();
        for (const auto& [uid, message] : *messages) {
            if (!change.has_room(rows_per_flag_change, row_bytes)) break;
            stepped_.add(uid);
            if (message) change_one(change, *message, *bits);
        }
        return Step::fits;
    }

    bool confirm() override {
        left_ -= stepped_;
        auto& all = answer_.changed;
        all.insert(all.end(), std::make_move_iterator(step_.changed.begin()),
                   std::make_move_iterator(step_.changed.end()));
        answer_.modified |= step_.modified;
        answer_.modseq = std::max(answer_.modseq, step_.modseq);
        return left_.empty();
    }

    void finish(Result<void> outcome) override {
        if (!outcome) return done_(outcome.error());
        done_(std::move(answer_));
    }

private:
    static void drop_unknown(Flags& flags, const MailboxSets& sets) {
        auto& names = flags.keywords;
        names.erase(std::remove_if(names.begin(), names.end(),
                                   [&](const std::string& name) { return sets.slot_of(name) < 0; }),
                    names.end());
    }

    void change_one(MailboxChange& change, StoredMessage target, std::uint64_t bits) {
        if (change_.unchanged_since && target.modseq > *change_.unchanged_since) {
            step_.modified.add(target.uid);
            return;
        }
        const std::uint8_t old_system = target.system_flags;
        const std::uint64_t old_keywords = target.keywords;
        std::uint8_t system = change_.flags.system;
        std::uint64_t keywords = bits;
        if (change_.mode == FlagMode::add) {
            system |= old_system;
            keywords |= old_keywords;
        } else if (change_.mode == FlagMode::remove) {
            system = static_cast<std::uint8_t>(old_system & ~system);
            keywords = old_keywords & ~keywords;
        }
        if (system != old_system || keywords != old_keywords) {
            change.set_flags(target, system, keywords);
            step_.modseq = change.modseq();
        }
        target.system_flags = system;
        target.keywords = keywords;
        step_.changed.emplace_back(target.uid, change.now_so_far().flags_of(target));
    }

    UidSet left_;
    const FlagChange change_;
    UidSet stepped_;
    FlagResult step_;
    FlagResult answer_;
};

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

class TakeRecent final : public AnsweringOperation<UidSet> {
public:
    using AnsweringOperation::AnsweringOperation;

    Result<Step> apply(MailboxChange& change) override {
        const Head& head = change.now_so_far().head;
        answer_ = head.recent_from < head.uid_next
                      ? change.now_so_far().existing().slice(head.recent_from, head.uid_next - 1)
                      : UidSet();
        if (!answer_.empty()) change.set_recent_from(head.uid_next);
        return Step::fits;
    }
    bool confirm() override { return true; }
    void finish(Result<void> outcome) override {
        if (!outcome) return done_(outcome.error());
        done_(std::move(answer_));
    }

private:
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

OperationPtr append_operation(AppendInput input, Done<Appended> done) {
    return std::make_shared<Append>(std::move(input), std::move(done));
}
OperationPtr link_operation(std::vector<LinkInput> inputs, Done<Copied> done) {
    return std::make_shared<Link>(std::move(inputs), std::move(done));
}
OperationPtr flags_operation(UidSet uids, FlagChange change, Done<FlagResult> done) {
    return std::make_shared<ChangeFlags>(std::move(uids), std::move(change), std::move(done));
}
OperationPtr expunge_operation(UidSet uids, bool any, Done<UidSet> done) {
    return std::make_shared<Expunge>(std::move(uids), any, std::move(done));
}
OperationPtr recent_operation(Done<UidSet> done) {
    return std::make_shared<TakeRecent>(std::move(done));
}
OperationPtr forget_garbage_operation(std::vector<Garbage> garbage, Done<void> done) {
    return std::make_shared<ForgetGarbage>(std::move(garbage), std::move(done));
}

}  // namespace postern::mail

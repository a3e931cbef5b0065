// Messages of another mailbox, linked into this one.
#include "store/mail/operation_parts.h"

#include <algorithm>
#include <map>

namespace postern::mail {

namespace {

class Link final : public AnsweringOperation<Copied> {
public:
    Link(std::vector<LinkInput> inputs, Done<Copied> done)
        : AnsweringOperation(std::move(done)), inputs_(std::move(inputs)) {}

    Result<Step> apply(MailboxChange& change) override {
        step_.clear();
        answer_.uid_validity = change.before().head.uid_validity;
        if (next_ == inputs_.size()) return mark_for_others(change);
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
            const LinkInput& input = inputs_[next_++];
            answer_.from.push_back(input.source.uid);
            answer_.to.push_back(uid);
            if (!input.seen) continue;
            for (const AccountId account : input.seen->marked) {
                if (account != input.viewer) marks_[account].add(uid);
            }
        }
        step_.clear();
        for (const AccountId account : marked_) marks_.erase(account);
        marked_.clear();
        return next_ == inputs_.size() && marks_.empty();
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

    // Each account's bitmaps are written, so that these take batches of their own. A replay does it
    // once more.
    Step mark_for_others(MailboxChange& change) {
        marked_.clear();
        const bool is_own = change.now_so_far().seen_mode == SeenMode::own;
        for (const auto& [account, uids] : marks_) {
            if (is_own && !change.has_room(0, 0)) break;
            marked_.push_back(account);
            if (!is_own || !change.may_mark(account)) continue;
            const UidSet there = uids & change.now_so_far().existing();
            change.log_seen(account, there);
            there.for_each([&, whose = account](Uid uid) {
                change.set_mark(whose, uid, true);
                return true;
            });
        }
        return marked_.empty() && !marks_.empty() ? Step::full : Step::fits;
    }

    // The \Seen of whoever links it comes with the message, everybody else's right after it.
    static Uid add(MailboxChange& change, const LinkInput& input) {
        const MailboxSets& sets = change.now_so_far();
        const bool is_own = sets.seen_mode == SeenMode::own;
        StoredMessage message = input.source;
        if (!is_own || !input.seen) message.system_flags = input.flags.system;
        const bool marks = !input.seen && sets.has_own_seen(input.viewer);
        if (marks) message.system_flags = without_seen(input.flags).system;
        message.keywords = 0;
        for (const std::string& name : input.flags.keywords) {
            message.keywords |= std::uint64_t{1} << change.now_so_far().slot_of(name);
        }
        message.owner = input.owner;
        const Uid uid = change.add(message, {input.summary, input.report, input.uidl});
        change.remember(input.operation, uid);
        if (marks && input.flags.has(SystemFlag::seen)) mark_new(change, input.viewer, uid);
        if (!is_own || !input.seen) return uid;
        if (input.seen->first) change.set_mark({}, uid, true);
        for (const AccountId account : input.seen->marked) {
            if (account == input.viewer) mark_new(change, account, uid);
        }
        return uid;
    }

    const std::vector<LinkInput> inputs_;
    std::size_t next_ = 0;
    std::vector<Uid> step_;
    std::map<AccountId, UidSet> marks_;  // of messages that are linked, still to be written
    std::vector<AccountId> marked_;      // in this step
    Copied answer_;
};

}  // namespace

OperationPtr link_operation(std::vector<LinkInput> inputs, Done<Copied> done) {
    return std::make_shared<Link>(std::move(inputs), std::move(done));
}

}  // namespace postern::mail

// STORE: flags of messages, and the \Seen that an account has for itself.
#include "store/mail/operation_parts.h"
#include "store/mail/seen_log.h"

#include <algorithm>
#include <map>

namespace postern::mail {

namespace {

constexpr std::size_t rows_per_flag_change = 2;

class ChangeFlags final : public AnsweringOperation<FlagResult> {
public:
    ChangeFlags(AccountId viewer, UidSet uids, FlagChange change, Done<FlagResult> done)
        : AnsweringOperation(std::move(done)),
          viewer_(viewer),
          left_(std::move(uids)),
          change_(std::move(change)) {}

    Result<Step> apply(MailboxChange& change) override {
        step_ = {};
        stepped_.clear();
        left_ &= change.now_so_far().existing();
        // All that can fail comes first: an error may not leave a part of the step behind.
        const auto messages = read_messages(change, left_, rows_per_flag_change);
        if (!messages) return messages.error();
        if (messages->empty()) return left_.empty() ? Step::fits : Step::full;
        const auto ready = look_at_seen(change, *messages);
        if (!ready) return ready.error();
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

    // Whether the account may have its own \Seen, and the modseqs that only it is told of.
    Result<void> look_at_seen(MailboxChange& change, const Messages& messages) {
        const auto read = read_seen_modseqs(change, messages);
        if (!read || !change.now_so_far().has_own_seen(viewer_)) return read;
        const bool marks = std::any_of(messages.begin(), messages.end(), [&](const auto& each) {
            return each.second && changes_seen(change.now_so_far(), *each.second);
        });
        return marks ? change.may_mark(viewer_) : Result<void>();
    }

    bool changes_seen(const MailboxSets& sets, const StoredMessage& target) const {
        if (is_too_new(target)) return false;
        const bool named = change_.flags.has(SystemFlag::seen);
        if (change_.mode != FlagMode::replace && !named) return false;
        const bool will_be = change_.mode == FlagMode::remove ? false : named;
        return sets.is_seen(target, viewer_) != will_be;
    }

    Result<void> read_seen_modseqs(MailboxChange& change, const Messages& messages) {
        const MailboxSets& sets = change.now_so_far();
        seen_modseqs_.clear();
        if (!change_.unchanged_since || sets.seen_mode == SeenMode::common) return {};
        UidSet uids;
        for (const auto& [uid, message] : messages) uids.add(uid);
        SeenLog log(change.store(), sets, viewer_);
        const auto loaded = log.load(uids);
        if (!loaded) return loaded;
        const AccountId account = viewer_.value == 0 ? sets.head.owner : viewer_;
        for (const auto& [uid, message] : messages) {
            seen_modseqs_[uid] =
                change.is_logged(account, uid) ? change.modseq() : log.modseq_of(uid);
        }
        return {};
    }

    ModSeq modseq_of(const StoredMessage& target) const {
        const auto seen = seen_modseqs_.find(target.uid);
        return seen == seen_modseqs_.end() ? target.modseq : std::max(target.modseq, seen->second);
    }

    bool is_too_new(const StoredMessage& target) const {
        return change_.unchanged_since && modseq_of(target) > *change_.unchanged_since;
    }

    void change_one(MailboxChange& change, StoredMessage target, std::uint64_t bits) {
        if (is_too_new(target)) {
            step_.modified.add(target.uid);
            return;
        }
        const bool is_own = change.now_so_far().has_own_seen(viewer_);
        const std::uint8_t old_system = change.now_so_far().flags_of(target, viewer_).system;
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
        if (system != old_system || keywords != old_keywords) step_.modseq = change.modseq();
        constexpr auto seen = static_cast<std::uint8_t>(SystemFlag::seen);
        if (is_own) {
            if (((system ^ old_system) & seen) != 0) mark(change, target.uid, (system & seen) != 0);
            system = static_cast<std::uint8_t>((system & ~seen) | (target.system_flags & seen));
        }
        if (system != target.system_flags || keywords != old_keywords) {
            change.set_flags(target, system, keywords);
        }
        target.system_flags = system;
        target.keywords = keywords;
        step_.changed.emplace_back(target.uid, change.now_so_far().flags_of(target, viewer_));
    }

    void mark(MailboxChange& change, Uid uid, bool seen) const {
        change.set_mark(viewer_, uid, change.now_so_far().marks_of({}).contains(uid) != seen);
        change.log_seen(viewer_, {uid});
    }

    const AccountId viewer_;
    UidSet left_;
    const FlagChange change_;
    std::map<Uid, ModSeq> seen_modseqs_;
    UidSet stepped_;
    FlagResult step_;
    FlagResult answer_;
};

}  // namespace

OperationPtr flags_operation(AccountId viewer, UidSet uids, FlagChange change,
                             Done<FlagResult> done) {
    return std::make_shared<ChangeFlags>(viewer, std::move(uids), std::move(change),
                                         std::move(done));
}

}  // namespace postern::mail

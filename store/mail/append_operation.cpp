#include "store/mail/operation_parts.h"

#include <optional>
#include <set>
#include <string>

namespace postern::mail {

namespace {

// A message with its texts and its body; the names of its keywords have their slots.
Uid add_message(MailboxChange& change, const AppendInput& input, std::uint64_t keywords) {
    StoredMessage message;
    const bool marks = change.now_so_far().has_own_seen(input.viewer);
    message.system_flags = marks ? without_seen(input.flags).system : input.flags.system;
    message.keywords = keywords;
    message.internal_date = input.internal_date;
    message.size = input.size;
    message.blob = input.blob;
    message.owner = input.owner;
    message.email_id = input.blob;
    message.thread_id = input.thread_id.empty() ? input.blob : input.thread_id;
    const Uid uid = change.add(message, {input.summary, input.report, input.uidl});
    if (marks && input.flags.has(SystemFlag::seen)) mark_new(change, input.viewer, uid);
    if (input.framed) change.attach_blob(input.blob, input.framed);
    return uid;
}

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
        answer_.uid = add_message(change, input_, *keywords);
        if (!input_.operation.empty()) change.remember(input_.operation, answer_.uid);
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

std::vector<std::string> keywords_of(const std::vector<AppendInput>& inputs) {
    std::set<std::string> all;
    for (const AppendInput& input : inputs) {
        all.insert(input.flags.keywords.begin(), input.flags.keywords.end());
    }
    return {all.begin(), all.end()};
}

class AppendTogether final : public AnsweringOperation<std::vector<Appended>> {
public:
    AppendTogether(std::vector<AppendInput> inputs, Uid replaced,
                   Done<std::vector<Appended>> done)
        : AnsweringOperation(std::move(done)), inputs_(std::move(inputs)), replaced_(replaced) {}

    Result<Step> apply(MailboxChange& change) override {
        if (!change.empty()) return Step::full;
        if (!fits_together(inputs_)) return Error{Errc::limit, "too much to be appended together"};
        if (const auto uids = change.has_uids(inputs_.size()); !uids) return uids.error();
        const auto replaced = replaced_ == 0 ? Result<std::optional<StoredMessage>>(std::nullopt)
                                             : change.message(replaced_);
        if (!replaced) return replaced.error();
        // The slots of all names first: this may fail, and what was added cannot be taken back.
        const auto all = change.keyword_bits(keywords_of(inputs_));
        if (!all) return all.error();
        answer_.clear();
        for (const AppendInput& input : inputs_) {
            const auto keywords = change.keyword_bits(input.flags.keywords);
            if (!keywords) return keywords.error();
            const Uid uid = add_message(change, input, *keywords);
            if (!input.operation.empty()) change.remember(input.operation, uid);
            answer_.push_back({change.before().head.uid_validity, uid, change.modseq()});
        }
        if (*replaced) change.remove(**replaced);
        return Step::fits;
    }

    bool confirm() override { return true; }

    void finish(Result<void> outcome) override {
        if (!outcome) return done_(outcome.error());
        done_(std::move(answer_));
    }

private:
    const std::vector<AppendInput> inputs_;
    const Uid replaced_;
    std::vector<Appended> answer_;
};

}  // namespace

bool fits_together(const std::vector<AppendInput>& inputs) {
    std::size_t bytes = 0;
    for (const AppendInput& input : inputs) bytes += input.summary.size() + input.report.size();
    return inputs.size() <= max_appended_together && bytes <= max_together_bytes &&
           keywords_of(inputs).size() <= max_together_keywords;
}

OperationPtr append_operation(AppendInput input, Done<Appended> done) {
    return std::make_shared<Append>(std::move(input), std::move(done));
}

OperationPtr append_together_operation(std::vector<AppendInput> inputs, Uid replaced,
                                       Done<std::vector<Appended>> done) {
    return std::make_shared<AppendTogether>(std::move(inputs), replaced, std::move(done));
}

}  // namespace postern::mail

#include "gateway/smtp_service/recipients.h"

#include "gateway/smtp_service/replies.h"

#include <algorithm>
#include <utility>

namespace postern::smtp_service {

namespace {

const Error* left_out(const delivery::Accepted& outcome, const std::string& mailbox) {
    for (const auto& [address, error] : outcome.left_out) {
        if (address == mailbox) return &error;
    }
    return nullptr;
}

bool asks_for_success(const smtp::RecipientParameters& parameters) {
    return (parameters.notify & smtp::notify_success) != 0;
}

// RFC 3461 section 5.2.7: who asked to be told is told of the expansion, not by each of many.
std::uint8_t behind_an_expansion(std::uint8_t notify) {
    if (notify == 0) return notify;
    const auto left = static_cast<std::uint8_t>(notify & ~smtp::notify_success);
    return left == 0 ? std::uint8_t{smtp::notify_never} : left;
}

// Of two names that lead to one address: what either of them asked for.
std::uint8_t either_notify(std::uint8_t a, std::uint8_t b) {
    constexpr std::uint8_t unsaid = smtp::notify_failure | smtp::notify_delay;
    if (a == b || b == smtp::notify_never) return a;
    if (a == smtp::notify_never) return b;
    return static_cast<std::uint8_t>((a == 0 ? unsaid : a) | (b == 0 ? unsaid : b));
}

}  // namespace

void Recipients::add(const smtp::CheckRecipient& named, addresses::Resolved found) {
    Named one{named.forward_path, named.parameters, {}, found.others.size()};
    for (const auto& user : found.users) one.mailboxes.push_back(user.address);
    for (auto& user : found.users) add_local(std::move(user), lmtp_ || one.is_expanded());
    for (auto& address : found.others) add_remote(std::move(address), one);
    named_.push_back(std::move(one));
}

void Recipients::add_local(directory::User user, bool may_be_left_out) {
    const auto known = std::find_if(local_.begin(), local_.end(),
                                    [&](const auto& other) { return other.account == user.id; });
    if (known == local_.end()) {
        local_.push_back({std::move(user.address), user.id, may_be_left_out});
    } else if (!may_be_left_out) {
        known->may_be_left_out = false;
    }
}

void Recipients::add_remote(std::string address, const Named& named) {
    const auto& parameters = named.parameters;
    const auto notify =
        named.is_expanded() ? behind_an_expansion(parameters.notify) : parameters.notify;
    const auto known = std::find_if(remote_.begin(), remote_.end(), [&](const auto& other) {
        return other.address == address;
    });
    if (known == remote_.end()) {
        remote_.push_back({std::move(address), notify, parameters.original_recipient});
    } else {
        known->notify = either_notify(known->notify, notify);
    }
}

bool Recipients::may_report() const {
    return std::any_of(named_.begin(), named_.end(), [](const Named& each) {
        return each.is_expanded() ||
               (!each.mailboxes.empty() && asks_for_success(each.parameters));
    });
}

std::vector<outbound::ReportedRecipient> Recipients::reports(const delivery::Accepted& outcome,
                                                             bool stranger) const {
    using outbound::Action;
    std::vector<outbound::ReportedRecipient> out;
    for (const Named& named : named_) {
        const auto& original = named.parameters.original_recipient;
        if (named.mailboxes.empty() && !named.is_expanded()) continue;  // the queue's to tell
        std::size_t missed = 0;
        for (const auto& mailbox : named.mailboxes) {
            const auto* error = lmtp_ ? nullptr : left_out(outcome, mailbox);
            if (error == nullptr) continue;
            ++missed;
            const bool wanted = named.parameters.notify == 0 ||
                                (named.parameters.notify & smtp::notify_failure) != 0;
            if (!wanted || (stranger && missed > 1)) continue;
            out.push_back({stranger ? named.address : mailbox, original, Action::failed,
                           error->code == Errc::too_large ? "5.2.3" : "5.2.2",
                           stranger ? "one of the mailboxes behind it has no room"
                                    : "the mailbox has no room",
                           ""});
        }
        if (!asks_for_success(named.parameters) || refused(named, outcome) != nullptr) continue;
        const auto action = named.is_expanded() ? Action::expanded : Action::delivered;
        out.push_back({named.address, original, action, "2.1.5", "", ""});
    }
    return out;
}

// Why the name leads to nobody who gets the message; nullptr: it does lead to somebody.
const Error* Recipients::refused(const Named& named, const delivery::Accepted& outcome) {
    if (named.others > 0) return nullptr;
    const Error* error = nullptr;
    for (const auto& mailbox : named.mailboxes) {
        error = left_out(outcome, mailbox);
        if (error == nullptr) break;
    }
    return error;
}

std::vector<smtp::Reply> Recipients::replies(const delivery::Accepted& outcome) const {
    std::vector<smtp::Reply> out;
    for (const Named& named : named_) {
        const auto* error = refused(named, outcome);
        out.push_back(error != nullptr ? not_accepted(*error) : accepted_as(outcome.id));
    }
    return out;
}

}  // namespace postern::smtp_service

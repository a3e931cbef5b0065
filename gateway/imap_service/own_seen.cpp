// Whether each person has an own \Seen in a mailbox (ADR 0020): an annotation that whoever may
// change the rights may set.
#include "gateway/imap_service/imap_service.h"
#include "protocols/wire/text.h"

#include <algorithm>
#include <utility>

namespace postern::imap_service {

namespace {

constexpr std::string_view common = "common";

}  // namespace

bool ImapService::names_own_seen(const imap::SetAnnotations& question) {
    return !question.mailbox.empty() &&
           std::any_of(question.changes.begin(), question.changes.end(), [](const auto& each) {
               return wire::equals_ignoring_case(each.first, own_seen_entry);
           });
}

net::Awaitable<imap::Answer> ImapService::set_own_seen(imap::SetAnnotations question) {
    auto place = place_with(question.mailbox, 'a');
    if (auto* failed = std::get_if<imap::Failure>(&place)) co_return std::move(*failed);
    const auto& found = std::get<sharing::Place>(place);
    // What cannot be undone together is not done together (RFC 5464 section 4.3).
    if (question.changes.size() != 1) {
        co_return imap::Failure{"CANNOT", std::string(own_seen_entry) + " has to be set alone"};
    }
    const std::string_view own = own_seen_value;
    const std::string value = question.changes.front().second.value_or(std::string(common));
    if (value != own && value != common) {
        co_return imap::Failure{"CANNOT", "It is either \"own\" or \"common\""};
    }
    const auto done = co_await net::from_store<void>([&](mail::Done<void> each) {
        backends_.mail.set_own_seen(found.box.id, value == own, std::move(each));
    });
    if (!done) co_return failure(done.error());
    if (watching_) watching_->settle_entries(question.mailbox);
    session_.log(logging::Level::info, "mailbox seen changed",
                 {{"user", user_},
                  {"owner", found.owner.address},
                  {"mailbox", found.box.name},
                  {"seen", value}});
    co_return imap::Done{};
}

std::optional<imap::Failure> ImapService::add_own_seen(const std::string& name,
                                                       imap::Annotations& answer) {
    if (name.empty()) return std::nullopt;
    const auto place = find_selectable(name);
    if (!place) return std::nullopt;
    const auto status = backends_.mail.status(place->box.id);
    if (!status) return failure(status.error());
    if (status->own_seen) answer.entries.emplace_back(own_seen_entry, own_seen_value);
    return std::nullopt;
}

}  // namespace postern::imap_service

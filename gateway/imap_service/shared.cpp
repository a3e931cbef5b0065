// Rights (RFC 4314): what this user may do where, and telling and changing it.
#include "gateway/imap_service/imap_service.h"
#include "protocols/imap/rights.h"
#include "protocols/wire/text.h"

#include <algorithm>
#include <utility>

namespace postern::imap_service {

namespace {

imap::Failure too_busy() {
    return {"LIMIT", "Too much to do at once, try again later"};
}

}  // namespace

imap::Failure ImapService::denied(const sharing::Place& place) {
    // Section 6: whoever may not see a mailbox must not learn that it is there.
    if (!place.may('l')) return {"NONEXISTENT", "no such mailbox"};
    return {"NOPERM", "You have no right to do that in this mailbox"};
}

Result<sharing::Place> ImapService::find_selectable(const std::string& name) {
    auto found = backends_.sharing.find(who(), name);
    if (found && !found->box.selectable) {
        return Error{Errc::not_found, "the name only has children, it is no mailbox"};
    }
    return found;
}

std::variant<sharing::Place, imap::Failure> ImapService::place_with(const std::string& name,
                                                                    char right) {
    auto place = backends_.sharing.find(who(), name);
    if (!place) return failure(place.error());
    if (!place->may(right)) return denied(*place);
    return std::move(*place);
}

// Asked anew for each command: what an owner takes away is gone at once.
Result<std::string> ImapService::selected_rights() {
    if (selected_->place.own) return std::string(imap::all_rights);
    const auto& place = selected_->place;
    auto rights = backends_.sharing.rights_of(who(), place.owner, place.box.id);
    if (rights && rights->empty()) {
        const auto there = backends_.mail.status(place.box.id);
        if (!there && there.error().code == Errc::not_found) return there.error();
    }
    return rights;
}

std::optional<imap::Failure> ImapService::refused(char right) {
    const auto rights = selected_rights();
    if (!rights) return failure(rights.error());
    if (imap::has_right(*rights, right)) return std::nullopt;
    return imap::Failure{"NOPERM", "You have no right to do that in this mailbox"};
}

void ImapService::log_change(const sharing::Place& place, std::string_view what,
                             std::uint64_t messages) {
    if (place.own || messages == 0) return;
    session_.log(logging::Level::info, "shared mailbox changed",
                 {{"user", user_},
                  {"owner", place.owner.address},
                  {"mailbox", place.box.name},
                  {"change", what},
                  {"messages", messages}});
}

net::Awaitable<imap::Answer> ImapService::on(imap::GetAcl question) {
    auto place = place_with(question.mailbox, 'a');
    if (auto* failed = std::get_if<imap::Failure>(&place)) co_return std::move(*failed);
    const auto& found = std::get<sharing::Place>(place);
    const auto set = backends_.mail.rights(found.box.id);
    if (!set) co_return failure(set.error());
    imap::Acl answer{{{found.owner.address, std::string(imap::all_rights)}}};
    answer.entries.insert(answer.entries.end(), set->begin(), set->end());
    co_return answer;
}

net::Awaitable<imap::Answer> ImapService::on(imap::GetRights question) {
    auto place = backends_.sharing.find(who(), question.mailbox);
    if (!place) co_return failure(place.error());
    co_return imap::Rights{std::move(place->rights)};
}

net::Awaitable<imap::Answer> ImapService::on(imap::GetGrantable question) {
    auto place = place_with(question.mailbox, 'a');
    if (auto* failed = std::get_if<imap::Failure>(&place)) co_return std::move(*failed);
    const auto& owner = std::get<sharing::Place>(place).owner;
    const auto at = owner.address.rfind('@');
    if (wire::equals_ignoring_case(question.identifier, owner.address) ||
        wire::equals_ignoring_case(question.identifier, owner.address.substr(0, at))) {
        co_return imap::Grantable{std::string(imap::all_rights), ""};
    }
    const auto known = backends_.sharing.identifier(owner, question.identifier);
    if (!known) co_return failure(known.error());
    co_return imap::Grantable{"", std::string(imap::all_rights)};
}

net::Awaitable<imap::Answer> ImapService::on(imap::SetAcl question) {
    auto place = place_with(question.mailbox, 'a');
    if (auto* failed = std::get_if<imap::Failure>(&place)) co_return std::move(*failed);
    const auto& found = std::get<sharing::Place>(place);
    auto job = [&sharing = backends_.sharing, found, question] {
        return sharing.change(found.owner, found.box.id, question.identifier, question.mode,
                              question.rights);
    };
    const auto done = co_await backends_.pool.run(std::move(job));
    if (!done) co_return too_busy();
    if (!*done) co_return failure(done->error());
    session_.log(logging::Level::info, "mailbox rights changed",
                 {{"user", user_},
                  {"owner", found.owner.address},
                  {"mailbox", found.box.name},
                  {"whom", question.identifier},
                  {"rights", (question.mode == FlagMode::add      ? "+"
                              : question.mode == FlagMode::remove ? "-"
                                                                  : "") +
                                 question.rights}});
    co_return imap::Done{};
}

// A new mailbox takes over the rights of the one above it.
net::Awaitable<imap::Answer> ImapService::create_at(sharing::Location where, mail::SpecialUse use) {
    auto parent = backends_.sharing.parent(where.owner, where.name);
    if (!parent) co_return failure(parent.error());
    if (!where.own) {
        const auto rights = *parent ? backends_.sharing.rights_of(who(), where.owner, (*parent)->id)
                                    : Result<std::string>(std::string());
        if (!rights) co_return failure(rights.error());
        if (!imap::has_right(*rights, 'k')) {
            co_return imap::Failure{"NOPERM", "You have no right to create that"};
        }
    }
    auto made =
        co_await net::from_store<mail::MailboxInfo>([&](mail::Done<mail::MailboxInfo> done) {
            backends_.mail.create(where.owner.id, where.name, use, std::move(done));
        });
    // RFC 6154 section 3.
    if (!made && made.error().code == Errc::unsupported) {
        co_return imap::Failure{"USEATTR", made.error().text};
    }
    if (!made) co_return failure(made.error());
    if (*parent) {
        auto job = [&sharing = backends_.sharing, where, above = **parent] {
            return sharing.inherit(where.owner, above, where.name);
        };
        const auto done = co_await backends_.pool.run(std::move(job));
        // It is there, for its owner alone: nobody sees too much.
        if (!done) co_return too_busy();
        if (!*done) co_return failure(done->error());
    }
    co_return imap::Done{};
}

}  // namespace postern::imap_service

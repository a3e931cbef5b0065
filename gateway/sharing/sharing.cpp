#include "gateway/sharing/sharing.h"

#include "protocols/imap/rights.h"
#include "protocols/wire/text.h"

#include <algorithm>
#include <set>

namespace postern::sharing {

namespace {

constexpr std::string_view anyone = "anyone";

Error no_mailbox() {
    return Error{Errc::not_found, "no such mailbox"};
}

std::string domain_of(std::string_view address) {
    const auto at = address.rfind('@');
    return at == std::string_view::npos ? std::string() : std::string(address.substr(at));
}

std::string swapped(std::string text, char from, char to) {
    std::replace(text.begin(), text.end(), from, to);
    return text;
}

std::string merged(const std::string& before, FlagMode mode, std::string_view rights) {
    if (mode == FlagMode::replace) return std::string(rights);
    std::string out;
    for (const char right : imap::all_rights) {
        const bool had = imap::has_right(before, right);
        const bool named = imap::has_right(rights, right);
        if (mode == FlagMode::add ? had || named : had && !named) out += right;
    }
    return out;
}

}  // namespace

std::string effective_rights(const std::map<std::string, std::string>& set, std::string_view user,
                             std::string_view owner) {
    const bool neighbour = domain_of(user) == domain_of(owner);
    const auto given = [&](const std::string& sign) {
        std::string letters;
        if (const auto at = set.find(sign + std::string(user)); at != set.end()) {
            letters += at->second;
        }
        if (const auto at = set.find(sign + std::string(anyone)); neighbour && at != set.end()) {
            letters += at->second;
        }
        return letters;
    };
    return merged(given(""), FlagMode::remove, given("-"));
}

Result<std::string> Sharing::shared_prefix(const std::string& owner) {
    const auto group = shares_.is_group(owner);
    if (!group) return group.error();
    return std::string(*group ? groups_prefix : others_prefix) + swapped(owner, '/', ':') + '/';
}

Result<std::optional<Location>> Sharing::locate(const Who& user, const std::string& name) {
    const std::string_view prefix = name.starts_with(others_prefix)   ? others_prefix
                                    : name.starts_with(groups_prefix) ? groups_prefix
                                                                      : std::string_view();
    const Location own{user, name, true};
    if (prefix.empty()) return std::optional(own);
    if (const auto box = mail_.find(user.id, name); box || box.error().code != Errc::not_found) {
        if (!box) return box.error();
        return std::optional(own);
    }
    const auto slash = name.find('/', prefix.size());
    if (slash == std::string::npos || slash + 1 == name.size()) return std::optional<Location>();
    auto address = swapped(name.substr(prefix.size(), slash - prefix.size()), ':', '/');
    const auto owner = directory_.find(address);
    if (!owner) return owner.error();
    if (!*owner) return std::optional<Location>();
    const auto group = shares_.is_group((*owner)->address);
    if (!group) return group.error();
    if (*group != (prefix == groups_prefix)) return std::optional<Location>();
    const Who who{(*owner)->id, (*owner)->address};
    return std::optional(Location{who, name.substr(slash + 1), who.id == user.id});
}

Result<Place> Sharing::find(const Who& user, const std::string& name) {
    const auto location = locate(user, name);
    if (!location) return location.error();
    if (!*location) return no_mailbox();
    auto box = mail_.find((*location)->owner.id, (*location)->name);
    if (!box && !(*location)->own && box.error().code == Errc::invalid) return no_mailbox();
    if (!box) return box.error();
    Place place{(*location)->owner, std::move(*box), std::string(imap::all_rights),
                (*location)->own};
    if (place.own) return place;
    if (!place.box.selectable) return no_mailbox();
    auto rights = rights_of(user, place.owner, place.box.id);
    if (!rights) return rights.error();
    if (rights->empty()) return no_mailbox();
    place.rights = std::move(*rights);
    return place;
}

Result<std::string> Sharing::rights_of(const Who& user, const Who& owner, MailboxId mailbox) {
    if (user.id == owner.id) return std::string(imap::all_rights);
    const auto set = mail_.rights(mailbox);
    if (!set && set.error().code == Errc::not_found) return std::string();
    if (!set) return set.error();
    return effective_rights(*set, user.address, owner.address);
}

Result<std::vector<Listed>> Sharing::list(const Who& user) {
    std::set<std::string> owners;
    for (const std::string& whom : {user.address, domain_of(user.address)}) {
        auto found = shares_.owners(whom);
        if (!found) return found.error();
        owners.insert(found->begin(), found->end());
    }
    owners.erase(user.address);
    std::vector<Listed> out;
    for (const std::string& address : owners) {
        const auto owner = directory_.find(address);
        if (!owner) return owner.error();
        if (!*owner) continue;
        const auto prefix = shared_prefix(address);
        if (!prefix) return prefix.error();
        auto boxes = mail_.list((*owner)->id);
        if (!boxes) return boxes.error();
        for (auto& box : *boxes) {
            if (!box.selectable) continue;
            auto rights = rights_of(user, {(*owner)->id, address}, box.id);
            if (!rights) return rights.error();
            if (!imap::has_right(*rights, 'l')) continue;
            std::string name = *prefix + box.name;
            out.push_back({std::move(name), std::move(box), std::move(*rights)});
        }
    }
    return out;
}

Result<bool> Sharing::may_send_as(const Who& user, const Who& owner) {
    const auto inbox = mail_.find(owner.id, "INBOX");
    if (!inbox && inbox.error().code == Errc::not_found) return false;
    if (!inbox) return inbox.error();
    const auto rights = rights_of(user, owner, inbox->id);
    if (!rights) return rights.error();
    return imap::has_right(*rights, 'p');
}

Result<std::string> Sharing::identifier(const Who& owner, std::string_view text) {
    std::string name = wire::lower_case(text);
    std::string sign;
    if (name.starts_with('-')) {
        sign = "-";
        name.erase(0, 1);
    }
    if (name == anyone) return sign + name;
    if (name.find('@') == std::string::npos) name += domain_of(owner.address);
    if (name == owner.address) return Error{Errc::invalid, "the owner has every right"};
    const auto user = directory_.find(name);
    if (!user) return user.error();
    if (!*user) return Error{Errc::invalid, "no such user: " + name};
    return sign + name;
}

Result<void> Sharing::change(const Who& owner, MailboxId mailbox, std::string_view text,
                             FlagMode mode, std::string_view rights) {
    auto whom = identifier(owner, text);
    const bool takes = mode == FlagMode::remove || (mode == FlagMode::replace && rights.empty());
    // Whoever is gone from the directory can still lose what is set.
    if (!whom && takes && whom.error().code == Errc::invalid) whom = wire::lower_case(text);
    if (!whom) return whom.error();
    const auto before = mail_.rights(mailbox);
    if (!before) return before.error();
    const auto at = before->find(*whom);
    const std::string letters = merged(at == before->end() ? "" : at->second, mode, rights);
    if (!whom->starts_with('-') && !letters.empty()) {
        const auto noted = shares_.add(*whom == anyone ? domain_of(owner.address) : *whom,
                                       {owner.id, owner.address, {}});
        if (!noted) return noted;
    }
    const auto set = mail::wait<void>(
        [&](mail::Done<void> done) { mail_.set_rights(mailbox, *whom, letters, std::move(done)); });
    return set ? end_seen_without_rights(owner, mailbox, *whom) : set;
}

// The places of those with an own \Seen are few: whoever may not read any more gives it back.
Result<void> Sharing::end_seen_without_rights(const Who& owner, MailboxId mailbox,
                                              std::string_view whom) {
    const auto status = mail_.status(mailbox);
    if (!status) return status.error();
    if (!status->own_seen) return {};
    if (whom.starts_with('-')) whom.remove_prefix(1);
    std::vector<directory::User> concerned;
    if (whom == anyone) {
        auto users = directory_.users(domain_of(owner.address).substr(1));
        if (!users) return users.error();
        concerned = std::move(*users);
    } else {
        auto user = directory_.find(whom);
        if (!user) return user.error();
        if (*user) concerned.push_back(std::move(**user));
    }
    for (const auto& user : concerned) {
        const auto rights = rights_of({user.id, user.address}, owner, mailbox);
        if (!rights) return rights.error();
        if (imap::has_right(*rights, 'r')) continue;
        const auto ended = mail::wait<void>(
            [&](mail::Done<void> done) { mail_.end_seen(mailbox, user.id, std::move(done)); });
        if (!ended) return ended;
    }
    return {};
}

Result<std::optional<mail::MailboxInfo>> Sharing::parent(const Who& owner,
                                                         const std::string& name) {
    for (auto slash = name.rfind('/'); slash != std::string::npos && slash > 0;
         slash = name.rfind('/', slash - 1)) {
        auto box = mail_.find(owner.id, name.substr(0, slash));
        if (box && box->selectable) return std::optional(std::move(*box));
        if (!box && box.error().code != Errc::not_found) return box.error();
    }
    return std::optional<mail::MailboxInfo>();
}

Result<void> Sharing::inherit(const Who& owner, const mail::MailboxInfo& parent,
                              const std::string& name) {
    const auto set = mail_.rights(parent.id);
    if (!set) return set.error();
    const auto status = mail_.status(parent.id);
    if (!status) return status.error();
    if (set->empty() && !status->own_seen) return {};
    for (auto end = name.find('/', parent.name.size() + 1);; end = name.find('/', end + 1)) {
        const auto box = mail_.find(owner.id, name.substr(0, end));
        if (!box) return box.error();
        for (const auto& [whom, letters] : *set) {
            const auto given = mail::wait<void>([&, mailbox = box->id](mail::Done<void> done) {
                mail_.set_rights(mailbox, whom, letters, std::move(done));
            });
            if (!given) return given;
        }
        if (status->own_seen) {
            const auto done = mail::wait<void>([&, mailbox = box->id](mail::Done<void> each) {
                mail_.set_own_seen(mailbox, true, std::move(each));
            });
            if (!done) return done;
        }
        if (end == std::string::npos) return {};
    }
}

}  // namespace postern::sharing

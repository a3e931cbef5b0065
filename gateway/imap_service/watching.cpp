#include "gateway/imap_service/watching.h"

#include "gateway/imap_service/rows.h"
#include "protocols/base/hash.h"

#include <algorithm>
#include <utility>

namespace postern::imap_service {

namespace {

using Filter = imap::WatchGroup::Filter;

bool lies_in(const std::string& name, const std::string& above) {
    return name == above || name.starts_with(above + '/');
}

bool names_it(const imap::WatchGroup& group, const ListedName& name) {
    switch (group.filter) {
        case Filter::inboxes:  // where mail is delivered
            return name.own && (name.listed.name == "INBOX" || name.listed.special_use == "\\Junk");
        case Filter::personal:
            return name.own;
        case Filter::subscribed:
            return name.listed.subscribed;
        case Filter::subtree:
            return std::any_of(
                group.names.begin(), group.names.end(),
                [&](const std::string& above) { return lies_in(name.listed.name, above); });
        case Filter::mailboxes:
            return std::find(group.names.begin(), group.names.end(), name.listed.name) !=
                   group.names.end();
    }
    return false;
}

Watching::Told told_of(const mail::Status& status) {
    return {status.uid_validity, status.uid_next, status.highest_modseq, status.messages};
}

Error too_much(const std::string& what) {
    return {Errc::limit, "There are too many " + what + " to watch"};
}

}  // namespace

template <class Start>
Watching::Watched Watching::watch(Start start) const {
    Watched watched;
    watched.hint = std::make_shared<Hint>();
    watched.watch = start([hint = watched.hint, waker = waker_] {
        hint->changed = true;
        waker->wake();
    });
    return watched;
}

imap::WatchEvents Watching::events_of(const ListedName& name) const {
    imap::WatchEvents events;
    for (const auto& group : groups_) {
        if (names_it(group, name)) events |= group.events;
    }
    return events;
}

// Watched before it is read: no change falls between.
Result<void> Watching::begin(Box& box) {
    const MailboxId id = box.name.id;
    const auto& events = box.events;
    if (id.value == 0 || !(events.messages || events.flags || events.metadata)) return {};
    auto watched = watch([&](auto changed) { return mail_.watch(id, std::move(changed)); });
    const auto status = mail_.status({id, who_.id});
    if (!status && status.error().code != Errc::not_found) return status.error();
    if (events.metadata) {
        const auto looked = look_at_entries(box.name.listed.name, id, box.entries, false);
        if (!looked) return looked;
    }
    if (status) box.told = told_of(*status);
    box.watched = std::move(watched);
    return {};
}

Result<void> Watching::start(std::vector<imap::WatchGroup> groups, bool status) {
    groups_ = std::move(groups);
    for (const auto& group : groups_) server_metadata_ |= group.events.server_metadata;
    accounts_[who_.id] =
        watch([&](auto changed) { return mail_.watch_account(who_.id, std::move(changed)); });
    auto names = list_names(mail_, sharing_, who_);
    if (!names) return names.error();
    if (names->size() > max_watched_names) return too_much("mailboxes");
    for (auto& name : *names) {
        Box box;
        box.events = events_of(name);
        box.name = std::move(name);
        if (const auto begun = begin(box); !begun) return begun;
        box.first = status && box.watched.hint && (box.events.messages || box.events.flags);
        boxes_.emplace(box.name.listed.name, std::move(box));
    }
    watch_owners();
    if (server_metadata_) {
        const auto looked = look_at_entries("", {}, account_entries_, false);
        if (!looked) return looked;
    }
    if (overflow_) return too_much("annotations");
    return {};
}

// Names of others' mailboxes change in their accounts.
void Watching::watch_owners() {
    for (const auto& [name, box] : boxes_) {
        if (box.name.own || box.name.id.value == 0 || !box.events.names) continue;
        const auto where = sharing_.locate(who_, name);
        if (!where || !*where || accounts_.count((*where)->owner.id) != 0) continue;
        const AccountId owner = (*where)->owner.id;
        accounts_[owner] =
            watch([&](auto changed) { return mail_.watch_account(owner, std::move(changed)); });
        accounts_[owner].hint->changed = true;  // the names were read before
    }
}

void Watching::tell_name(const Boxes& now, const Box& box, std::string old_name) {
    const std::string below = box.name.listed.name + '/';
    const auto child = now.lower_bound(below);
    const bool has_children =
        child != now.end() && child->first.starts_with(below) && child->second.name.listed.exists;
    waiting_.emplace_back(imap::News::Name{box.name.listed, has_children, std::move(old_name)});
}

void Watching::tell_gone(const Boxes& now, Box gone) {
    if (!gone.events.names && !(gone.events.subscriptions && gone.name.listed.subscribed)) return;
    gone.name.listed.exists = gone.name.listed.selectable = gone.name.listed.subscribed = false;
    gone.name.listed.special_use.clear();
    tell_name(now, gone, "");
}

Result<void> Watching::look_at_names(const std::function<bool(const std::string&)>& is_own) {
    auto names = list_names(mail_, sharing_, who_);
    if (!names) return names.error();
    if (names->size() > max_watched_names) {
        overflow_ = true;
        return {};
    }
    std::map<std::uint64_t, std::string> ids;
    for (const auto& name : *names) ids[name.id.value] = name.listed.name;
    std::map<std::uint64_t, std::string> moved;  // mailboxes whose name is another now
    for (const auto& [name, box] : boxes_) {
        const auto now = ids.find(box.name.id.value);
        if (box.name.id.value != 0 && now != ids.end() && now->second != name) {
            moved[box.name.id.value] = name;
        }
    }
    struct Change {
        std::string name, old_name;
    };
    std::vector<Change> changes;
    Boxes now;
    for (auto& name : *names) {
        const std::string& text = name.listed.name;
        const auto from = moved.find(name.id.value);
        const auto before = boxes_.find(from != moved.end() ? from->second : text);
        const bool same = before != boxes_.end() && before->second.name.id == name.id;
        const auto events = events_of(name);
        Box box;
        if (same) box = std::move(before->second);
        const ListedName old = std::exchange(box.name, std::move(name));
        const auto old_events = std::exchange(box.events, events);
        const bool named = !same || from != moved.end() ||
                           old.listed.exists != box.name.listed.exists ||
                           old.listed.selectable != box.name.listed.selectable;
        const bool subscribed =
            same ? old.listed.subscribed != box.name.listed.subscribed : box.name.listed.subscribed;
        const bool news = (named && events.names) ||
                          (subscribed && (events.subscriptions || old_events.subscriptions));
        const std::string& now_named = box.name.listed.name;
        const std::string old_name = from != moved.end() ? from->second : "";
        if (news && !is_own(now_named)) changes.push_back({now_named, old_name});
        if (same) boxes_.erase(before);
        now.emplace(now_named, std::move(box));
    }
    for (const Change& change : changes) tell_name(now, now.at(change.name), change.old_name);
    for (auto& [name, gone] : boxes_) {
        for (const auto& [entry, hash] : gone.entries) entry_bytes_ -= entry.size();
        if (now.count(name) == 0 && !is_own(name)) tell_gone(now, std::move(gone));
    }
    boxes_ = std::move(now);
    watch_owners();
    // Last: what fails here is begun at the next look, and nothing is told twice.
    for (auto& [name, box] : boxes_) {
        if (box.watched.hint) continue;
        if (const auto begun = begin(box); !begun) return begun;
    }
    return {};
}

bool Watching::may_read(const Box& box) {
    if (box.name.own) return true;
    const auto place = sharing_.find(who_, box.name.listed.name);
    return place && place->box.id == box.name.id && place->may('r') && place->may('l');
}

// Where each has an own \Seen, somebody else's moves the modseq and is no news (ADR 0020).
Result<bool> Watching::own_flags_changed(const Box& box, const mail::Status& status) {
    if (!box.events.flags || box.told.modseq == status.highest_modseq) return false;
    if (!status.own_seen) return true;
    const auto changes = mail_.changes_since({box.name.id, who_.id}, box.told.modseq);
    if (!changes) return changes.error();
    return !changes->complete || !changes->flags.empty();
}

Result<void> Watching::look_at(Box& box, bool with_messages) {
    const bool first = std::exchange(box.first, false);
    if (!box.watched.take() && !first) return {};
    if (!may_read(box)) return {};  // RFC 5465 section 5.9: silently
    const MailboxId id = box.name.id;
    const std::string& name = box.name.listed.name;
    const auto& events = box.events;
    const auto failed = [&](const Error& error) {
        box.first = first;
        box.watched.hint->changed = true;
        return Result<void>(error);
    };
    if (events.metadata) {
        const auto looked = look_at_entries(name, id, box.entries, true);
        if (!looked) return failed(looked.error());
    }
    if (!(events.messages || events.flags) || !with_messages) return {};
    const auto status = mail_.status({id, who_.id});
    if (!status) {
        if (status.error().code == Errc::not_found) return {};
        return failed(status.error());
    }
    const auto flags_changed = own_flags_changed(box, *status);
    if (!flags_changed) return failed(flags_changed.error());
    const Told before = std::exchange(box.told, told_of(*status));
    const bool anew = before.uid_validity != box.told.uid_validity;
    imap::News::Status news;
    news.first = first || anew;
    news.messages = events.messages && (news.first || before.messages != box.told.messages ||
                                        before.uid_next != box.told.uid_next);
    news.flags = events.flags && (news.first || *flags_changed);
    if (!news.messages && !news.flags) return {};
    news.mailbox = name;
    news.data = to_imap(*status, id);
    waiting_.emplace_back(std::move(news));
    return {};
}

// As GETMETADATA tells them.
Result<std::map<std::string, std::string>> Watching::read_entries(MailboxId id) {
    auto found = mail_.annotations(who_.id, id);
    if (!found || id.value == 0) return found;
    const auto status = mail_.status(id);
    if (!status) return status.error();
    if (status->own_seen) found->emplace(own_seen_entry, own_seen_value);
    return found;
}

Result<void> Watching::look_at_entries(const std::string& mailbox, MailboxId id, Entries& entries,
                                       bool tell) {
    const auto found = read_entries(id);
    if (!found) {
        if (found.error().code == Errc::not_found) return {};
        return found.error();
    }
    Entries now;
    imap::News::Metadata news{mailbox, {}};
    for (const auto& [entry, value] : *found) {
        const std::uint64_t hash = now[entry] = hash64(value);
        const auto before = entries.find(entry);
        if (before == entries.end() || before->second != hash) news.entries.push_back(entry);
        entry_bytes_ += entry.size();
    }
    for (const auto& [entry, hash] : entries) {
        if (now.count(entry) == 0) news.entries.push_back(entry);
        entry_bytes_ -= entry.size();
    }
    entries = std::move(now);
    overflow_ = overflow_ || entry_bytes_ > max_watched_entry_bytes;
    if (tell && !news.entries.empty()) waiting_.emplace_back(std::move(news));
    return {};
}

// At all names, when news are asked for again.
Error Watching::look_again(const Error& error) {
    accounts_[who_.id].hint->changed = true;
    return error;
}

// Until news are asked for again it would be of the past.
void Watching::forget_waiting_status() {
    std::erase_if(waiting_, [this](const Item& item) {
        const auto* status = std::get_if<imap::News::Status>(&item);
        if (status == nullptr) return false;
        const auto box = boxes_.find(status->mailbox);
        if (box == boxes_.end()) return true;
        box->second.first = true;
        box->second.watched.hint->changed = true;
        return true;
    });
}

Result<imap::News> Watching::news(MailboxId selected) {
    bool names = false;
    for (const auto& [account, watched] : accounts_) {
        if (!watched.take()) continue;
        names = true;
        if (account != who_.id || !server_metadata_) continue;
        const auto looked = look_at_entries("", {}, account_entries_, true);
        if (!looked) return look_again(looked.error());
    }
    if (names) {
        const auto looked = look_at_names([](const std::string&) { return false; });
        if (!looked) return look_again(looked.error());
    }
    imap::News out;
    for (auto& [name, box] : boxes_) {
        if (waiting_.size() >= imap::max_news_items) break;
        if (!box.events.any()) continue;
        const auto looked = look_at(box, box.name.id != selected);
        if (!looked) {
            forget_waiting_status();
            return looked.error();
        }
        out.more = waiting_.size() >= imap::max_news_items;
    }
    out.overflow = overflow_;
    while (!waiting_.empty() && out.items.size() < imap::max_news_items) {
        out.items.push_back(std::move(waiting_.front()));
        waiting_.pop_front();
    }
    out.more = out.more || !waiting_.empty();
    return out;
}

void Watching::settle_names(const std::vector<std::string>& names) {
    const auto looked = look_at_names([&](const std::string& name) {
        return std::any_of(names.begin(), names.end(), [&](const std::string& own) {
            return lies_in(name, own) || lies_in(own, name);
        });
    });
    if (!looked) look_again(looked.error());
}

Watching::Box* Watching::find(MailboxId mailbox) {
    for (auto& [name, box] : boxes_) {
        if (box.name.id == mailbox && box.watched.hint) return &box;
    }
    return nullptr;
}

// Only when these and nothing else came since the client was told.
void Watching::settle_arrivals(MailboxId mailbox, const std::vector<Uid>& uids) {
    Box* box = find(mailbox);
    if (box == nullptr || uids.empty()) return;
    const auto status = mail_.status({mailbox, who_.id});
    if (!status || box->told.uid_next != uids.front() || status->uid_next != uids.back() + 1 ||
        uids.back() - uids.front() + 1 != uids.size() ||
        status->messages != box->told.messages + uids.size()) {
        return;
    }
    box->told = told_of(*status);
}

void Watching::settle_entries(const std::string& mailbox) {
    if (mailbox.empty()) {
        if (server_metadata_) {
            static_cast<void>(look_at_entries("", {}, account_entries_, false));
        }
        return;
    }
    const auto box = boxes_.find(mailbox);
    if (box == boxes_.end() || !box->second.events.metadata) return;
    static_cast<void>(look_at_entries(mailbox, box->second.name.id, box->second.entries, false));
}

void Watching::left(MailboxId mailbox, const Told& seen) {
    Box* box = find(mailbox);
    if (box == nullptr) return;
    box->told = seen;
    box->watched.hint->changed = true;
    waker_->wake();
}

}  // namespace postern::imap_service

#include "tests/transcripts/imap_memory.h"

#include "protocols/imap/flag_text.h"
#include "protocols/mime/summary.h"
#include "protocols/wire/text.h"

#include <algorithm>
#include <chrono>
#include <set>

namespace postern::transcripts {

using imap::Answer;
using imap::Done;
using imap::Failure;

ImapMemory::ImapMemory(Time now) : now_(now) {
    static constexpr std::pair<const char*, const char*> fresh[] = {
        {"INBOX", ""},      {"Archive", "\\Archive"}, {"Drafts", "\\Drafts"},
        {"Junk", "\\Junk"}, {"Sent", "\\Sent"},       {"Trash", "\\Trash"},
    };
    for (const auto& [name, use] : fresh) {
        Mailbox& mailbox = make(name);
        mailbox.special_use = use;
        mailbox.subscribed = true;
    }
}

ImapMemory::Mailbox& ImapMemory::make(const std::string& name) {
    Mailbox& mailbox = mailboxes_[name];
    if (mailbox.uid_validity == 0) mailbox.uid_validity = next_uid_validity_++;
    mailbox.selectable = true;
    return mailbox;
}

Failure ImapMemory::no_such_mailbox() {
    return {"NONEXISTENT", "There is no such mailbox"};
}

ImapMemory::Mailbox* ImapMemory::find(const std::string& name) {
    const auto at = mailboxes_.find(name);
    return at == mailboxes_.end() || !at->second.selectable ? nullptr : &at->second;
}

// --- names ---

Answer ImapMemory::list() const {
    imap::MailboxList out;
    for (const auto& [name, mailbox] : mailboxes_) {
        out.mailboxes.push_back({name, mailbox.special_use, mailbox.subscribed,
                                 mailbox.uid_validity != 0, mailbox.selectable});
    }
    return out;
}

Answer ImapMemory::create(const imap::CreateMailbox& asked) {
    const std::string& name = asked.name;
    if (find(name) != nullptr) return Failure{"ALREADYEXISTS", "The mailbox is there already"};
    const auto has_use = [&](const auto& each) {
        return each.second.special_use == asked.special_use;
    };
    if (!asked.special_use.empty()) {
        static const std::set<std::string> known = {"\\Archive", "\\Drafts", "\\Junk", "\\Sent",
                                                    "\\Trash"};
        const bool taken = std::any_of(mailboxes_.begin(), mailboxes_.end(), has_use);
        if (taken || !known.contains(asked.special_use)) {
            return Failure{"USEATTR", "This special use cannot be had"};
        }
    }
    for (std::size_t at = name.find('/'); at != std::string::npos; at = name.find('/', at + 1)) {
        if (find(name.substr(0, at)) == nullptr) make(name.substr(0, at));
    }
    make(name).special_use = asked.special_use;
    return Done{};
}

Answer ImapMemory::remove(const std::string& name) {
    if (find(name) == nullptr) return no_such_mailbox();
    const auto below = mailboxes_.lower_bound(name + '/');
    const bool has_children = below != mailboxes_.end() && below->first.starts_with(name + '/');
    Mailbox& mailbox = mailboxes_[name];
    if (has_children) {
        mailbox.selectable = false;
        mailbox.messages.clear();
    } else if (mailbox.subscribed) {
        mailbox = Mailbox{};
        mailbox.subscribed = true;
        mailbox.selectable = false;
    } else {
        mailboxes_.erase(name);
    }
    return Done{};
}

Answer ImapMemory::rename(const imap::RenameMailbox& asked) {
    Mailbox* from = find(asked.from);
    if (from == nullptr) return no_such_mailbox();
    if (find(asked.to) != nullptr) return Failure{"ALREADYEXISTS", "The new name is taken"};
    if (asked.from == "INBOX") {
        Mailbox& to = make(asked.to);
        std::swap(to.messages, from->messages);
        std::swap(to.uid_next, from->uid_next);
        return Done{};
    }
    std::map<std::string, Mailbox> moved;
    for (auto at = mailboxes_.begin(); at != mailboxes_.end();) {
        if (at->first == asked.from || at->first.starts_with(asked.from + '/')) {
            moved[asked.to + at->first.substr(asked.from.size())] = std::move(at->second);
            at = mailboxes_.erase(at);
        } else {
            ++at;
        }
    }
    mailboxes_.merge(moved);
    return Done{};
}

Answer ImapMemory::subscribe(const imap::Subscribe& asked) {
    const auto at = mailboxes_.find(asked.name);
    if (at != mailboxes_.end()) {
        at->second.subscribed = asked.subscribed;
    } else if (asked.subscribed) {
        return no_such_mailbox();
    }
    return Done{};
}

Answer ImapMemory::status(const std::string& name) {
    const Mailbox* mailbox = find(name);
    if (mailbox == nullptr) return no_such_mailbox();
    imap::StatusData out;
    out.uid_validity = mailbox->uid_validity;
    out.uid_next = mailbox->uid_next;
    out.messages = mailbox->messages.size();
    out.recent = mailbox->recent.size();
    for (const auto& [uid, message] : mailbox->messages) {
        if (!message.flags.has(SystemFlag::seen)) ++out.unseen;
        if (message.flags.has(SystemFlag::deleted)) ++out.deleted;
        out.bytes += bodies_[message.blob]->size();
    }
    out.highest_modseq = modseq_;
    out.mailbox_id = "F" + std::to_string(out.uid_validity);
    return out;
}

imap::QuotaRoots::Root ImapMemory::usage() const {
    imap::QuotaRoots::Root out;
    for (const auto& [name, mailbox] : mailboxes_) {
        out.used_messages += mailbox.messages.size();
        for (const auto& [uid, message] : mailbox.messages) {
            out.used_bytes += bodies_[message.blob]->size();
        }
    }
    return out;
}

// --- messages ---

Uid ImapMemory::append(Mailbox& mailbox, std::string bytes, Flags flags, Time date) {
    bodies_.push_back(std::make_shared<const std::string>(std::move(bytes)));
    const Uid uid = mailbox.uid_next++;
    mailbox.messages[uid] = {std::move(flags), date, ++modseq_, bodies_.size() - 1, now_};
    mailbox.recent.add(uid);
    return uid;
}

void ImapMemory::expunge(Mailbox& mailbox, const UidSet& uids) {
    ++modseq_;
    for (const Uid uid : uids.to_vector()) {
        if (mailbox.messages.erase(uid) != 0) mailbox.vanished[uid] = modseq_;
        mailbox.recent.remove(uid);
    }
}

void ImapMemory::change_flags(Mailbox& mailbox, Uid uid, FlagMode mode, const Flags& change) {
    Message& message = mailbox.messages.at(uid);
    const Flags before = message.flags;
    Flags& flags = message.flags;
    if (mode == FlagMode::replace) flags = {};
    if (mode == FlagMode::remove) {
        flags.system &= static_cast<std::uint8_t>(~change.system);
        std::erase_if(flags.keywords, [&](const std::string& keyword) {
            return std::any_of(change.keywords.begin(), change.keywords.end(), [&](auto& other) {
                return wire::equals_ignoring_case(keyword, other);
            });
        });
    } else {
        flags.system |= change.system;
        for (const std::string& keyword : change.keywords) imap::add_keyword(flags, keyword);
    }
    if (flags != before) message.modseq = ++modseq_;
}

Answer ImapMemory::copy(Mailbox& from, const imap::CopyMessages& asked) {
    Mailbox* to = find(asked.to);
    if (to == nullptr) return no_such_mailbox();
    if (asked.whole && !(asked.uids - uids_of(from)).empty()) {
        return imap::Failure{"EXPUNGEISSUED", "Some were expunged"};
    }
    imap::MessagesCopied out;
    out.uid_validity = to->uid_validity;
    for (const Uid uid : asked.uids.to_vector()) {
        const auto at = from.messages.find(uid);
        if (at == from.messages.end()) continue;
        Message copy = at->second;
        copy.modseq = ++modseq_;
        out.from.push_back(uid);
        out.to.push_back(to->uid_next);
        to->recent.add(to->uid_next);
        to->messages[to->uid_next++] = copy;
        if (!asked.move) continue;
        from.messages.erase(uid);
        from.vanished[uid] = ++modseq_;
    }
    return out;
}

imap::MessageRow ImapMemory::row(const Mailbox& mailbox, Uid uid, bool with_summary) const {
    const Message& message = mailbox.messages.at(uid);
    imap::MessageRow out;
    out.uid = uid;
    out.flags = message.flags;
    out.modseq = message.modseq;
    out.internal_date = message.internal_date;
    out.blob = std::to_string(message.blob);
    out.save_date = message.save_date;
    out.email_id = "M" + out.blob;
    out.thread_id = "T" + out.blob;
    const std::string& whole = body(out.blob);
    out.size = whole.size();
    // Every other message has no stored summary, so that both ways are played.
    if (with_summary && message.blob % 2 == 0) {
        out.summary = mime::encode_summary(mime::summarize(mime::parse(whole), whole));
    }
    return out;
}

const std::string& ImapMemory::body(std::string_view blob) const {
    return *bodies_.at(wire::parse_number(blob).value());
}

UidSet ImapMemory::uids_of(const Mailbox& mailbox) {
    UidSet out;
    for (const auto& [uid, message] : mailbox.messages) out.add(uid);
    return out;
}

std::vector<std::string> ImapMemory::keywords_of(const Mailbox& mailbox) {
    Flags all;
    for (const auto& [uid, message] : mailbox.messages) {
        for (const std::string& keyword : message.flags.keywords) imap::add_keyword(all, keyword);
    }
    return all.keywords;
}

}  // namespace postern::transcripts

#include "tests/transcripts/imap_rig.h"

#include "protocols/imap/flag_text.h"
#include "protocols/mime/summary.h"
#include "protocols/wire/text.h"
#include "tests/transcripts/world.h"

#include <algorithm>
#include <utility>

namespace postern::transcripts {
namespace {

using imap::Answer;
using imap::Done;
using imap::Failure;

imap::Config config_of(const Settings& settings) {
    imap::Config config;
    config.hostname = world_host;
    config.tls_offered = settings.get("tls", "starttls") == "starttls";
    config.allow_plaintext_auth = settings.is("plaintext-auth");
    config.compression_offered = settings.is("compression");
    const auto max_message = wire::parse_number(settings.get("max-message", ""));
    if (max_message) config.max_append_bytes = *max_message;
    const auto messages = wire::parse_number(settings.get("message-limit", ""));
    if (messages) config.message_limit = static_cast<std::uint32_t>(*messages);
    return config;
}

constexpr const char* owner_address = "alice@example.net";

template <class... Functions>
struct Overloaded : Functions... {
    using Functions::operator()...;
};
template <class... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;  // clang 14 does not deduce it

}  // namespace

ImapRig::ImapRig(imap::Config config, bool implicit_tls)
    : EngineRig(std::move(config), implicit_tls), memory_(now_) {}

std::unique_ptr<ImapRig> ImapRig::from(const Settings& settings) {
    auto rig =
        std::make_unique<ImapRig>(config_of(settings), settings.get("tls", "") == "implicit");
    const auto limit = [&](const char* key) {
        return wire::parse_number(settings.get(key, "0")).value_or(0);
    };
    rig->slow_ = settings.is("slow");
    rig->limits_.name = "acme";
    rig->limits_.limit_bytes = limit("quota-bytes");
    rig->limits_.limit_messages = limit("quota-messages");
    const std::string mailbox = settings.get("mailbox", "");
    if (mailbox.empty()) return rig;
    for (std::string& message : mailbox_messages(mailbox)) rig->deliver(std::move(message));
    return rig;
}

void ImapRig::deliver(std::string bytes) {
    memory_.append(*memory_.find("INBOX"), std::move(bytes), {}, now_);
}

bool ImapRig::event(std::string_view what) {
    imap::Lexer words(what);
    const auto verb = words.atom();
    auto* mailbox = memory_.find(selected_);
    if (verb == "deliver") {
        const std::string subject = words.skip_space() ? std::string(words.rest()) : "news";
        deliver("Subject: " + subject + "\r\n\r\nIt happened.\r\n");
    } else if (verb == "news") {
        if (!news_event(words)) return false;
    } else if (mailbox == nullptr || !words.skip_space()) {
        return false;
    } else if (verb == "expunge") {
        memory_.expunge(*mailbox, {words.nz_number().value_or(0)});
    } else if (verb == "flag") {
        const Uid uid = words.nz_number().value_or(0);
        Flags flags;
        if (!words.skip_space() || !imap::parse_flag(words, flags)) return false;
        memory_.change_flags(*mailbox, uid, FlagMode::add, flags);
    } else if (verb == "remove") {
        memory_.remove(words.astring().value_or(""));
    } else {
        return false;
    }
    engine_.mailbox_changed();
    return true;
}

bool ImapRig::news_event(imap::Lexer& words) {
    const auto word = [&] { return words.skip_space() ? words.astring().value_or("") : ""; };
    const std::string kind = word();
    if (kind == "overflow") {
        news_.overflow = true;
        return true;
    }
    const std::string old_name = kind == "renamed" ? word() : "";
    const std::string name = word();
    if (kind == "status") {
        const auto status = memory_.status(name);
        const auto* data = std::get_if<imap::StatusData>(&status);
        if (data == nullptr) return false;
        news_.items.emplace_back(imap::News::Status{name, *data, true, word() == "flags", false});
    } else if (kind == "metadata") {
        imap::News::Metadata news{name, {}};
        for (auto entry = word(); !entry.empty(); entry = word()) news.entries.push_back(entry);
        news_.items.emplace_back(std::move(news));
    } else {
        const auto list = memory_.list();
        imap::ListedMailbox now{name, "", false, false, false};
        for (const auto& each : std::get<imap::MailboxList>(list).mailboxes) {
            if (each.name == name) now = each;
        }
        news_.items.emplace_back(imap::News::Name{now, false, old_name});
    }
    return true;
}

Answer ImapRig::watch(const imap::Watch& asked) {
    watches_ = !asked.groups.empty();
    news_ = {};
    for (const auto& group : asked.groups) {
        for (const std::string& name : group.names) {
            const auto status = memory_.status(name);
            const auto* data = std::get_if<imap::StatusData>(&status);
            if (!asked.status || data == nullptr || name == selected_) continue;
            news_.items.emplace_back(
                imap::News::Status{name, *data, group.events.messages, group.events.flags, true});
        }
    }
    return Done{};
}

// Where a command goes on without what failed, the admin is told instead of the client.
bool ImapRig::failure_shown(std::string_view output) const {
    constexpr std::string_view text = "Failing on purpose";
    if (output.find(text) != std::string_view::npos) return true;
    return !logged().empty() && logged().back().find(text) != std::string::npos;
}

// Ends a literal, an IDLE or an AUTHENTICATE that the transcript may have left open.
std::string ImapRig::probe() const {
    return std::string(2000, 'x') + "\r\nprobe NOOP\r\n";
}

void ImapRig::broken(std::string_view rule) {
    send("BROKEN PROMISE: ");
    send(rule);
    send("\r\n");
}

void ImapRig::handle(imap::Effect& effect) {
    if (auto* chunk = std::get_if<imap::AppendChunk>(&effect)) {
        if (chunk->bytes.empty() || chunk->bytes.size() > imap::append_chunk_bytes) {
            broken("append_chunk_bytes");
        }
        upload_ += chunk->bytes;
    } else if (auto* next = std::get_if<imap::AppendNext>(&effect)) {
        uploads_.push_back({std::exchange(upload_, {}), next->flags, next->internal_date});
    } else if (std::holds_alternative<imap::DiscardAppend>(effect)) {
        upload_.clear();
        uploads_.clear();
        ++discarded_;
    } else if (auto* range = std::get_if<imap::SendBlob>(&effect)) {
        const std::string& body = memory_.body(range->blob);
        if (range->length == 0 || range->offset + range->length > body.size()) {
            broken("SendBlob lies within the blob");
        } else {
            send(body.substr(range->offset, range->length));
        }
    } else if (auto* question = std::get_if<imap::Question>(&effect)) {
        const bool fails = count_question();
        auto answer =
            fails ? Answer(Failure{"UNAVAILABLE", "Failing on purpose"}) : in_time(*question);
        if (auto* failure = std::get_if<Failure>(&answer); failure && !selected_.empty()) {
            failure->mailbox_gone = memory_.find(selected_) == nullptr;
        }
        engine_.answer(std::move(answer));
    }
}

// Where searches and copies take long: nothing is known of it, then how far it is, then the answer.
Answer ImapRig::in_time(const imap::Question& question) {
    if (!slow_) return reply(question);
    if (!std::holds_alternative<imap::GoOn>(question)) {
        late_.reset();
        const bool late = std::holds_alternative<imap::Search>(question) ||
                          std::holds_alternative<imap::Sort>(question) ||
                          std::holds_alternative<imap::Thread>(question) ||
                          std::holds_alternative<imap::CopyMessages>(question);
        if (!late) return reply(question);
        late_ = question;
        waits_ = 0;
    }
    if (!late_) broken("GoOn follows Progress");
    static constexpr imap::Progress steps[] = {{0, 0}, {2, 0}, {2, 3}};
    if (waits_ < std::size(steps)) return steps[waits_++];
    return reply(*std::exchange(late_, std::nullopt));
}

Answer ImapRig::reply(const imap::Question& question) {
    return std::visit(Overloaded{
                          [&](const imap::Authenticate& q) { return authenticate(q); },
                          [&](const imap::ContinueAuth&) -> Answer {
                              return Failure{"AUTHENTICATIONFAILED", "No such mechanism here"};
                          },
                          [&](const imap::ListMailboxes&) { return memory_.list(); },
                          [&](const imap::CreateMailbox& q) { return memory_.create(q); },
                          [&](const imap::DeleteMailbox& q) { return memory_.remove(q.name); },
                          [&](const imap::RenameMailbox& q) {
                              auto answer = memory_.rename(q);
                              if (q.from == selected_ && memory_.find(selected_) == nullptr) {
                                  selected_ = q.to;
                              }
                              return answer;
                          },
                          [&](const imap::Subscribe& q) { return memory_.subscribe(q); },
                          [&](const imap::GetStatus& q) { return memory_.status(q.name); },
                          [&](const imap::OpenMailbox& q) { return open(q); },
                          [&](const imap::CloseMailbox&) -> Answer {
                              selected_.clear();
                              return Done{};
                          },
                          [&](const imap::Refresh&) { return refresh(); },
                          [&](const imap::GetHistory& q) { return history(q); },
                          [&](const imap::FindMessage& q) { return find_message(q); },
                          [&](const imap::Sort& q) { return sort(q); },
                          [&](const imap::Thread& q) { return thread(q); },
                          [&](const imap::GetQuota& q) { return quota(q); },
                          [&](const imap::GetAnnotations& q) { return annotations(q); },
                          [&](const imap::SetAnnotations& q) { return annotate(q); },
                          [&](const imap::GetAcl& q) { return acl(q); },
                          [&](const imap::SetAcl& q) { return set_acl(q); },
                          [&](const imap::GetGrantable& q) { return grantable(q); },
                          [&](const imap::GetRights& q) -> Answer {
                              if (memory_.find(q.mailbox) == nullptr) {
                                  return ImapMemory::no_such_mailbox();
                              }
                              return imap::Rights{std::string(imap::all_rights)};
                          },
                          [&](const imap::GoOn&) -> Answer {
                              return Failure{"SERVERBUG", "There is nothing to go on with"};
                          },
                          [&](const imap::Watch& q) { return watch(q); },
                          [&](const imap::GetNews&) -> Answer {
                              if (!watches_) broken("GetNews asks for what is watched");
                              return std::exchange(news_, {});
                          },
                          [&](const imap::Unauthenticate&) -> Answer {
                              selected_.clear();
                              return Done{};
                          },
                          [&](const imap::CheckAppend& q) { return check_append(q); },
                          [&](const imap::AppendMessage& q) { return append(q); },
                          [&](const imap::FetchRows& q) { return rows(q); },
                          [&](const imap::ReadBlob& q) { return read(q); },
                          [&](const imap::StoreFlags& q) { return store(q); },
                          [&](const imap::CopyMessages& q) -> Answer {
                              auto* mailbox = memory_.find(selected_);
                              if (mailbox == nullptr) return ImapMemory::no_such_mailbox();
                              return memory_.copy(*mailbox, q);
                          },
                          [&](const imap::ExpungeMessages& q) { return expunge(q); },
                          [&](const imap::Search& q) { return search(q); },
                      },
                      question);
}

Answer ImapRig::authenticate(const imap::Authenticate& asked) {
    const bool self = asked.authorization_id.empty() || asked.authorization_id == asked.user;
    if (self && is_world_user(asked.user) && asked.password == world_password) return Done{};
    return Failure{"AUTHENTICATIONFAILED", "The user name or the password is wrong"};
}

UidSet ImapRig::take_recent() {
    auto* mailbox = memory_.find(selected_);
    if (read_only_) return mailbox->recent;
    return std::exchange(mailbox->recent, {});
}

Answer ImapRig::open(const imap::OpenMailbox& asked) {
    auto* mailbox = memory_.find(asked.name);
    if (mailbox == nullptr) return ImapMemory::no_such_mailbox();
    selected_ = asked.name;
    read_only_ = asked.read_only;
    known_ = ImapMemory::uids_of(*mailbox);
    known_modseq_ = memory_.modseq();
    imap::MailboxOpened out;
    out.uid_validity = mailbox->uid_validity;
    out.uid_next = mailbox->uid_next;
    out.highest_modseq = known_modseq_;
    out.uids = known_;
    out.recent = take_recent();
    for (const auto& [uid, message] : mailbox->messages) {
        if (out.first_unseen == 0 && !message.flags.has(SystemFlag::seen)) out.first_unseen = uid;
    }
    out.keywords = ImapMemory::keywords_of(*mailbox);
    out.read_only = read_only_;
    out.mailbox_id = "F" + std::to_string(mailbox->uid_validity);
    return out;
}

Answer ImapRig::refresh() {
    const auto* mailbox = memory_.find(selected_);
    if (mailbox == nullptr) return ImapMemory::no_such_mailbox();
    const UidSet now = ImapMemory::uids_of(*mailbox);
    imap::MailboxChanges out;
    out.highest_modseq = memory_.modseq();
    out.uid_next = mailbox->uid_next;
    out.added = now - known_;
    out.vanished = known_ - now;
    out.recent = take_recent() & out.added;
    for (const auto& [uid, message] : mailbox->messages) {
        if (message.modseq > known_modseq_)
            out.flags.push_back({uid, message.flags, message.modseq});
    }
    out.keywords = ImapMemory::keywords_of(*mailbox);
    known_ = now;
    known_modseq_ = memory_.modseq();
    return out;
}

Answer ImapRig::history(const imap::GetHistory& asked) {
    const auto* mailbox = memory_.find(selected_);
    if (mailbox == nullptr) return ImapMemory::no_such_mailbox();
    imap::History out;
    for (const auto& [uid, message] : mailbox->messages) {
        if (message.modseq > asked.since && known_.contains(uid)) out.changed.add(uid);
    }
    for (const auto& [uid, modseq] : mailbox->vanished) {
        if (modseq > asked.since && !known_.contains(uid)) out.vanished.add(uid);
    }
    return out;
}

Answer ImapRig::find_message(const imap::FindMessage& asked) {
    const auto* mailbox = memory_.find(asked.mailbox);
    if (mailbox == nullptr) return ImapMemory::no_such_mailbox();
    imap::RowPage out;
    const bool valid = asked.uid_validity == 0 || asked.uid_validity == mailbox->uid_validity;
    if (valid && mailbox->messages.count(asked.uid) != 0) {
        out.rows.push_back(memory_.row(*mailbox, asked.uid, true));
        const std::string& whole = memory_.body(out.rows[0].blob);
        out.rows[0].summary = mime::encode_summary(mime::summarize(mime::parse(whole), whole));
    }
    return out;
}

Answer ImapRig::rows(const imap::FetchRows& asked) {
    if (asked.uids.empty() || asked.uids.size() > asked.limit) broken("FetchRows has a limit");
    const auto* mailbox = memory_.find(selected_);
    if (mailbox == nullptr) return ImapMemory::no_such_mailbox();
    imap::RowPage out;
    for (const Uid uid : asked.uids.to_vector()) {
        if (mailbox->messages.count(uid) == 0) continue;
        auto& row = out.rows.emplace_back(memory_.row(*mailbox, uid, asked.with_summary));
        if (asked.with_object_ids) continue;
        row.email_id.clear();
        row.thread_id.clear();
    }
    return out;
}

Answer ImapRig::read(const imap::ReadBlob& asked) {
    if (asked.length > imap::read_chunk_bytes) broken("read_chunk_bytes");
    const std::string& body = memory_.body(asked.blob);
    if (asked.offset > body.size()) broken("ReadBlob lies within the blob");
    return imap::BlobBytes{body.substr(asked.offset, asked.length)};
}

Answer ImapRig::store(const imap::StoreFlags& asked) {
    if (asked.uids.empty() || asked.uids.size() > imap::store_page_uids) {
        broken("store_page_uids");
    }
    auto* mailbox = memory_.find(selected_);
    if (mailbox == nullptr) return ImapMemory::no_such_mailbox();
    if (read_only_) broken("a read-only mailbox is not changed");
    imap::FlagsStored out;
    for (const Uid uid : asked.uids.to_vector()) {
        const auto message = mailbox->messages.find(uid);
        if (message == mailbox->messages.end()) continue;
        if (asked.unchanged_since && message->second.modseq > *asked.unchanged_since) {
            out.modified.add(uid);
            continue;
        }
        const Flags before = message->second.flags;
        if (message->second.modseq > known_modseq_) out.surprising.add(uid);
        memory_.change_flags(*mailbox, uid, asked.mode, asked.flags);
        if (message->second.flags != before) {
            out.changed.push_back({uid, message->second.flags, message->second.modseq});
        }
    }
    return out;
}

Answer ImapRig::expunge(const imap::ExpungeMessages& asked) {
    auto* mailbox = memory_.find(selected_);
    if (mailbox == nullptr) return ImapMemory::no_such_mailbox();
    if (read_only_) broken("a read-only mailbox is not changed");
    imap::Expunged out;
    for (const auto& [uid, message] : mailbox->messages) {
        if (asked.among && !asked.among->contains(uid)) continue;
        if (message.flags.has(SystemFlag::deleted)) out.uids.add(uid);
    }
    memory_.expunge(*mailbox, out.uids);
    out.modseq = memory_.modseq();
    return out;
}

// alice owns all of the world's mailboxes.
Answer ImapRig::acl(const imap::GetAcl& asked) {
    if (memory_.find(asked.mailbox) == nullptr) return ImapMemory::no_such_mailbox();
    imap::Acl out{{{owner_address, std::string(imap::all_rights)}}};
    for (const auto& [whom, letters] : rights_[asked.mailbox]) {
        out.entries.emplace_back(whom, letters);
    }
    return out;
}

Answer ImapRig::set_acl(const imap::SetAcl& asked) {
    if (memory_.find(asked.mailbox) == nullptr) return ImapMemory::no_such_mailbox();
    if (asked.identifier == owner_address) return Failure{"CANNOT", "The owner has every right"};
    std::string& letters = rights_[asked.mailbox][asked.identifier];
    std::string after;
    for (const char right : imap::all_rights) {
        const bool had = imap::has_right(letters, right);
        const bool named = imap::has_right(asked.rights, right);
        const bool has = asked.mode == FlagMode::replace ? named
                         : asked.mode == FlagMode::add   ? had || named
                                                         : had && !named;
        if (has) after += right;
    }
    letters = after;
    if (after.empty()) rights_[asked.mailbox].erase(asked.identifier);
    return Done{};
}

Answer ImapRig::grantable(const imap::GetGrantable& asked) {
    if (memory_.find(asked.mailbox) == nullptr) return ImapMemory::no_such_mailbox();
    const std::string all(imap::all_rights);
    if (asked.identifier == owner_address) return imap::Grantable{all, ""};
    return imap::Grantable{"", all};
}

}  // namespace postern::transcripts

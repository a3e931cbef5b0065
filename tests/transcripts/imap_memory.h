// One IMAP account in memory, with the semantics that the real store promises. It answers the
// engine's questions about messages and mailboxes; sessions of it live in ImapRig.
#pragma once

#include "protocols/imap/engine.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::transcripts {

class ImapMemory {
public:
    struct Message {
        Flags flags;
        Time internal_date;
        ModSeq modseq = 0;
        std::size_t blob = 0;  // index into the bodies
        Time save_date;
    };
    struct Mailbox {
        std::uint32_t uid_validity = 0;
        Uid uid_next = 1;
        std::map<Uid, Message> messages;
        std::map<Uid, ModSeq> vanished;
        UidSet recent;  // not yet taken by a session
        std::string special_use;
        bool subscribed = false;
        bool selectable = true;
    };

    explicit ImapMemory(Time now);

    imap::Answer list() const;
    imap::Answer create(const imap::CreateMailbox& asked);
    imap::Answer remove(const std::string& name);
    imap::Answer rename(const imap::RenameMailbox& asked);
    imap::Answer subscribe(const imap::Subscribe& asked);
    imap::Answer status(const std::string& name);
    imap::Answer copy(Mailbox& from, const imap::CopyMessages& asked);
    imap::QuotaRoots::Root usage() const;

    Mailbox* find(const std::string& name);
    Uid append(Mailbox& mailbox, std::string bytes, Flags flags, Time date);
    void expunge(Mailbox& mailbox, const UidSet& uids);
    void change_flags(Mailbox& mailbox, Uid uid, FlagMode mode, const Flags& flags);
    imap::MessageRow row(const Mailbox& mailbox, Uid uid, bool with_summary) const;
    const std::string& body(std::string_view blob) const;
    ModSeq modseq() const { return modseq_; }

    static UidSet uids_of(const Mailbox& mailbox);
    static std::vector<std::string> keywords_of(const Mailbox& mailbox);
    static imap::Failure no_such_mailbox();
    bool matches(const Mailbox& mailbox, Uid uid, const imap::SearchKey& key) const;

private:
    Mailbox& make(const std::string& name);

    const Time now_;
    ModSeq modseq_ = 1;
    std::uint32_t next_uid_validity_ = 1'700'000'000;
    std::map<std::string, Mailbox> mailboxes_;
    std::vector<std::shared_ptr<const std::string>> bodies_;
};

}  // namespace postern::transcripts

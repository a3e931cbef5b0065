// The IMAP engine with an account in memory, in the world of README.md.
//
// EVENT lines: `deliver`, `deliver SUBJECT` (to INBOX), `expunge UID` and `flag UID FLAG` (in the
// selected mailbox), `remove NAME` (a mailbox, while one is selected), all by somebody else; then
// the engine gets its hint. What NOTIFY watches is not looked at: `news status NAME [flags]`, `news
// name NAME`, `news renamed OLD NEW`, `news metadata NAME ENTRY...` and `news overflow` say what
// there is.
#pragma once

#include "protocols/imap/engine.h"
#include "protocols/imap/lexer.h"
#include "tests/transcripts/engine_rig.h"
#include "tests/transcripts/imap_memory.h"

#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace postern::transcripts {

struct ImapTypes {
    using Engine = imap::Engine;
    using Config = imap::Config;
    using Effect = imap::Effect;
    using Send = imap::Send;
    using StartTls = imap::StartTls;
    using Close = imap::Close;
    using Log = imap::Log;
};

class ImapRig : public EngineRig<ImapTypes> {
public:
    ImapRig(imap::Config config, bool implicit_tls);
    static std::unique_ptr<ImapRig> from(const Settings& settings);

    bool event(std::string_view what) override;
    bool failure_shown(std::string_view output) const override;
    std::string probe() const override;

    imap::Engine& engine() { return engine_; }
    ImapMemory& memory() { return memory_; }
    void deliver(std::string bytes);
    std::size_t discarded() const { return discarded_; }
    // What came of an APPEND that is neither stored nor discarded yet.
    const std::string& unfinished_append() const { return upload_; }

protected:
    void handle(imap::Effect& effect) override;

private:
    imap::Answer reply(const imap::Question& question);
    imap::Answer in_time(const imap::Question& question);
    imap::Answer authenticate(const imap::Authenticate& asked);
    imap::Answer open(const imap::OpenMailbox& asked);
    imap::Answer refresh();
    imap::Answer check_append(const imap::CheckAppend& asked);
    imap::Answer append(const imap::AppendMessage& asked);
    imap::Answer rows(const imap::FetchRows& asked);
    imap::Answer read(const imap::ReadBlob& asked);
    imap::Answer store(const imap::StoreFlags& asked);
    imap::Answer expunge(const imap::ExpungeMessages& asked);
    imap::Answer history(const imap::GetHistory& asked);
    imap::Answer find_message(const imap::FindMessage& asked);
    imap::Answer quota(const imap::GetQuota& asked);
    std::string special_use(const std::string& mailbox);
    imap::Answer annotations(const imap::GetAnnotations& asked);
    imap::Answer annotate(const imap::SetAnnotations& asked);
    imap::Answer acl(const imap::GetAcl& asked);
    imap::Answer set_acl(const imap::SetAcl& asked);
    imap::Answer grantable(const imap::GetGrantable& asked);
    imap::Answer sort(const imap::Sort& asked);
    imap::Answer thread(const imap::Thread& asked);
    imap::Answer search(const imap::Search& asked);
    UidSet take_recent();
    bool news_event(imap::Lexer& words);
    imap::Answer watch(const imap::Watch& asked);
    void broken(std::string_view rule);  // the engine broke a promise of its contract

    ImapMemory memory_;
    std::string selected_;  // empty: none
    bool read_only_ = false;
    UidSet known_;
    ModSeq known_modseq_ = 0;
    struct Upload {
        std::string bytes;
        Flags flags;
        std::optional<Time> internal_date;
    };
    std::vector<Upload> uploads_;  // whole messages of a MULTIAPPEND
    std::string upload_;
    std::map<std::string, std::map<std::string, std::string>> annotations_;  // by mailbox
    std::map<std::string, std::map<std::string, std::string>> rights_;  // by mailbox and identifier
    imap::QuotaRoots::Root limits_;  // of the one quota root; none: there is no root
    std::size_t discarded_ = 0;
    bool slow_ = false;  // searches and copies take long
    unsigned waits_ = 0;
    std::optional<imap::Question> late_;  // still to be answered
    imap::News news_;
    bool watches_ = false;
};

}  // namespace postern::transcripts

// The selected mailbox as the client knows it (RFC 3501 sections 2.3.1.2 and 5.2): which message
// has which sequence number, and what the client must still be told.
#pragma once

#include "protocols/imap/questions.h"
#include "protocols/imap/sequence_set.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace postern::imap {

// How the client wants to be told, after what it enabled.
struct Style {
    bool modseq = false;    // MODSEQ in FETCH lines (RFC 7162)
    bool vanished = false;  // VANISHED instead of EXPUNGE, and UID in every FETCH line
    bool uid_only = false;  // UIDFETCH instead of FETCH (RFC 9586)
    bool rev2 = false;      // no \Recent (RFC 9051)
    bool utf8 = false;      // mailbox names in UTF-8
};

class MailboxView {
public:
    explicit MailboxView(MailboxOpened opened, const Style& style = {});

    void set_style(const Style& style) { style_ = style; }
    const Style& style() const { return style_; }
    const std::string& name() const { return name_; }
    // This session gave it, or one above it, another name.
    void renamed(const std::string& from, const std::string& to);
    // Somebody removed the mailbox: there is nothing more to tell of it.
    void mark_gone() { gone_ = true; }
    bool is_gone() const { return gone_; }

    bool read_only() const { return read_only_; }
    // Whether this user may change so: "s" \Seen, "t" \Deleted, "w" other flags, "e" expunge.
    bool may(char right) const { return !read_only_ && has_right(rights_, right); }
    const UidSet& uids() const { return uids_; }
    const UidSet& recent() const { return recent_; }
    bool is_recent(Uid uid) const { return !style_.rev2 && recent_.contains(uid); }
    std::uint32_t uid_validity() const { return uid_validity_; }
    std::uint32_t count() const { return static_cast<std::uint32_t>(uids_.size()); }
    std::uint32_t sequence_of(Uid uid) const { return uids_.position(uid); }

    // nullopt: a sequence number that the client does not have.
    std::optional<UidSet> resolve(const SequenceSet& set, bool uid) const;

    // What SELECT answers, untagged.
    std::string opening_lines() const;
    // The mod-sequence up to which the client knows all (RFC 7162 section 3.1.2.1).
    std::string highest_modseq_line() const;

    // A FLAGS line when some of these keywords are new to the client; else nothing.
    std::string tell_keywords(const std::vector<std::string>& keywords);
    // "* 3 FETCH (", with "UID 9 " where the style or `with_uid` wants it.
    std::string fetch_head(Uid uid, bool with_uid) const;
    // A FETCH line of flags (and MODSEQ where the style wants it); empty: no such message. Without
    // with_flags MODSEQ alone.
    std::string flags_line(const FlagNews& news, bool with_uid, bool with_flags = true) const;
    // The client was just told these flags, so that a Refresh need not repeat them.
    void told_flags(Uid uid, const Flags& flags) { told_.insert_or_assign(uid, flags); }
    // Takes in changes and returns the untagged lines that tell of them. Without may_expunge, what
    // vanished keeps its sequence number until a later call. `with_uid` adds UID to FETCH lines.
    std::string update(const MailboxChanges& changes, bool may_expunge, bool with_uid);
    // Whether the client still has to be told of an EXPUNGE.
    bool owes_expunge() const { return !vanished_.empty(); }
    const UidSet& vanished() const { return vanished_; }
    // This session's own expunge: EXPUNGE lines (or one VANISHED) for those of `uids` that the
    // client knows.
    std::string expunge(const UidSet& uids);

private:
    std::string permanent_flags() const;
    std::string flag_lines(const MailboxChanges& changes, bool with_uid);

    std::string name_;
    std::string mailbox_id_;
    ModSeq highest_modseq_;
    Style style_;
    std::uint32_t uid_validity_;
    Uid uid_next_;
    Uid first_unseen_;
    bool read_only_;
    bool gone_ = false;
    std::string rights_;
    UidSet uids_;
    UidSet recent_;
    UidSet vanished_;  // not told yet
    Flags keywords_;   // those that the client knows; no system flags
    std::map<Uid, Flags> told_;
};

}  // namespace postern::imap

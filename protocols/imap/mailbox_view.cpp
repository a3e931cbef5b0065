#include "protocols/imap/mailbox_view.h"

#include "protocols/imap/flag_text.h"
#include "protocols/imap/mailbox_name.h"
#include "protocols/imap/response.h"

#include <algorithm>
#include <utility>

namespace postern::imap {
namespace {

constexpr std::size_t usual_head_bytes = 48;

std::string number_line(std::uint64_t number, const char* what) {
    return "* " + std::to_string(number) + ' ' + what + "\r\n";
}

}  // namespace

MailboxView::MailboxView(MailboxOpened opened, const Style& style)
    : name_(std::move(opened.name)),
      mailbox_id_(std::move(opened.mailbox_id)),
      highest_modseq_(opened.highest_modseq),
      style_(style),
      uid_validity_(opened.uid_validity),
      uid_next_(opened.uid_next),
      first_unseen_(opened.first_unseen),
      read_only_(opened.read_only),
      rights_(std::move(opened.rights)),
      uids_(std::move(opened.uids)),
      recent_(std::move(opened.recent)) {
    for (const std::string& keyword : opened.keywords) add_keyword(keywords_, keyword);
}

void MailboxView::renamed(const std::string& from, const std::string& to) {
    const bool concerned = name_ == from || name_.starts_with(from + hierarchy_separator);
    if (concerned) name_ = to + name_.substr(from.size());
}

std::optional<UidSet> MailboxView::resolve(const SequenceSet& set, bool uid) const {
    if (uid) return resolve_uids(set, uids_);
    return resolve_positions(set, uids_);
}

std::string MailboxView::permanent_flags() const {
    if (may('w') && may('s') && may('t')) return format_flag_names(keywords_.keywords, "\\*");
    Flags changeable;
    if (may('s')) changeable.set(SystemFlag::seen);
    if (may('t')) changeable.set(SystemFlag::deleted);
    if (may('w')) {
        for (const auto flag : {SystemFlag::answered, SystemFlag::flagged, SystemFlag::draft}) {
            changeable.set(flag);
        }
        changeable.keywords = keywords_.keywords;
        changeable.keywords.emplace_back("\\*");
    }
    return format_flags(changeable, false);
}

std::string MailboxView::opening_lines() const {
    std::string out = "* FLAGS " + format_flag_names(keywords_.keywords, "") + "\r\n";
    out += "* OK [PERMANENTFLAGS " + permanent_flags() + "] Flags that are kept\r\n";
    out += number_line(count(), "EXISTS");
    if (!style_.rev2) out += number_line(recent_.size(), "RECENT");
    const bool numbers = !style_.rev2 && !style_.uid_only;
    if (const std::uint32_t unseen = sequence_of(first_unseen_); unseen != 0 && numbers) {
        out += "* OK [UNSEEN " + std::to_string(unseen) + "] First unseen message\r\n";
    }
    out += "* OK [UIDVALIDITY " + std::to_string(uid_validity_) + "] UIDs are valid\r\n";
    out += "* OK [UIDNEXT " + std::to_string(uid_next_) + "] Next UID\r\n";
    out += highest_modseq_line();
    if (!mailbox_id_.empty()) out += "* OK [MAILBOXID (" + mailbox_id_ + ")] Mailbox id\r\n";
    return out;
}

std::string MailboxView::highest_modseq_line() const {
    return "* OK [HIGHESTMODSEQ " + std::to_string(highest_modseq_) + "] Highest mod-sequence\r\n";
}

std::string MailboxView::fetch_head(Uid uid, bool with_uid) const {
    std::string out;
    out.reserve(usual_head_bytes);
    out += "* ";
    append_number(out, style_.uid_only ? uid : sequence_of(uid));
    out += style_.uid_only ? " UIDFETCH (" : " FETCH (";
    if (!style_.uid_only && (with_uid || style_.vanished)) {
        append_number(out += "UID ", uid);
        out += ' ';
    }
    return out;
}

std::string MailboxView::flags_line(const FlagNews& news, bool with_uid, bool with_flags) const {
    if (!uids_.contains(news.uid) || (!with_flags && !style_.modseq)) return "";
    std::string out = fetch_head(news.uid, with_uid);
    if (with_flags) out += "FLAGS " + format_flags(news.flags, is_recent(news.uid));
    if (style_.modseq) {
        if (with_flags) out += ' ';
        out += "MODSEQ (" + std::to_string(news.modseq) + ')';
    }
    return out + ")\r\n";
}

std::string MailboxView::update(const MailboxChanges& changes, bool may_expunge, bool with_uid) {
    std::string out;
    vanished_ |= changes.vanished & uids_;
    if (may_expunge && !vanished_.empty()) {
        const UidSet gone = std::exchange(vanished_, {});
        out += expunge(gone);
    }
    const UidSet fresh = changes.added - changes.vanished - uids_;
    if (!fresh.empty()) {
        uids_ |= fresh;
        recent_ |= changes.recent;
        out += number_line(count(), "EXISTS");
        if (!style_.rev2) out += number_line(recent_.size(), "RECENT");
    }
    // Held once for all sessions that know the same.
    if (uids_ == changes.uids) uids_ = changes.uids;
    out += tell_keywords(changes.keywords);
    out += flag_lines(changes, with_uid);
    told_.clear();
    // What vanished unsaid is to be asked for again after this.
    if (vanished_.empty()) highest_modseq_ = std::max(highest_modseq_, changes.highest_modseq);
    return out;
}

std::string MailboxView::flag_lines(const MailboxChanges& changes, bool with_uid) {
    std::string out;
    for (const FlagNews& news : changes.flags) {
        const auto told = told_.find(news.uid);
        if (told != told_.end() && told->second == news.flags) continue;
        if (changes.added.contains(news.uid) || vanished_.contains(news.uid)) continue;
        out += flags_line(news, with_uid);
    }
    return out;
}

std::string MailboxView::tell_keywords(const std::vector<std::string>& keywords) {
    const std::size_t known = keywords_.keywords.size();
    for (const std::string& keyword : keywords) add_keyword(keywords_, keyword);
    if (keywords_.keywords.size() == known) return "";
    return "* FLAGS " + format_flag_names(keywords_.keywords, "") + "\r\n";
}

std::string MailboxView::expunge(const UidSet& uids) {
    std::string out;
    const UidSet known = uids & uids_;
    const bool at_once = style_.vanished || style_.uid_only;
    if (at_once && !known.empty()) out += "* VANISHED " + known.to_string() + "\r\n";
    std::uint32_t told = 0;
    known.for_each([&](Uid uid) {
        if (at_once) return false;
        out += number_line(uids_.position(uid) - told++, "EXPUNGE");
        return true;
    });
    uids_ -= known;
    recent_ -= known;
    vanished_ -= known;
    return out;
}

}  // namespace postern::imap

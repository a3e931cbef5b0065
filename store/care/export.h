// A user's mail as Maildir++ or mbox files, with flags, keywords and dates.
//
// Maildir: INBOX is the folder itself, another mailbox ".NAME" in it, levels joined by '.'; a
// file's time is the INTERNALDATE; keywords as letters, named in dovecot-keywords. mbox: a file for
// each mailbox, ">From " quoted and quoted again (mboxrd), flags in Status, X-Status and
// X-Keywords. In names '%', and '.' that is no level, are written %XX.
#pragma once

#include "store/care/backup.h"
#include "store/mail/mail_store.h"

#include <string>

namespace postern::care {

enum class ExportFormat : std::uint8_t { maildir, mbox };

struct ExportOptions {
    AccountId account;
    std::string mailbox;  // empty: all
    std::string folder;   // made when missing
    ExportFormat format = ExportFormat::maildir;
};
struct ExportReport {
    std::uint64_t mailboxes = 0, messages = 0, bytes = 0;
    std::uint64_t there = 0;  // exported by an earlier run, not written again
    std::uint64_t problems = 0;
};
// Goes on past what is damaged and names it. A run that was ended is taken up: in a Maildir message
// by message, with mbox mailbox by mailbox. Errors: not_found, unavailable.
Result<ExportReport> export_mail(mail::MailStore& mail, const ExportOptions& options,
                                 const Progress& progress, const Problem& problem);

// "Work/2024.old" <-> "Work.2024%2Eold".
std::string file_name_of(const std::string& mailbox);
std::string mailbox_of_file_name(const std::string& name);

}  // namespace postern::care

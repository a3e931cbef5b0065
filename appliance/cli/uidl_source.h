// The unique ids by which POP3 clients know the messages of the server they come from, so that a
// customer who moves to us downloads nothing twice.
#pragma once

#include "gateway/mailsource/mail_source.h"
#include "protocols/mime/message.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace postern::cli {

class UidlSource {
public:
    // What `--uidl` takes:
    //   dovecot    dovecot-uidlist beside the Maildir's messages: the id kept there (P), else the
    //              UID and the UIDVALIDITY in hexadecimal, as pop3_uidl_format %08Xu%08Xv makes it
    //   courier    courierpop3dsizelist in the Maildir: "UID", the number there, "-" and the
    //              UIDVALIDITY; for messages from before there were numbers the file's name
    //   file-name  the Maildir's file name up to its flags (qmail-pop3d, Dovecot's %f)
    //   x-uidl     the field X-UIDL of the message (qpopper, Dovecot's pop3_reuse_xuidl)
    static const std::vector<std::string>& kinds();

    explicit UidlSource(std::string kind) : kind_(std::move(kind)) {}

    // Empty: the message has none, or one that POP3 does not allow.
    std::string uidl_of(const mailsource::Item& item, const mime::Part& root);

private:
    const std::map<std::string, std::string>& list_of(const std::string& maildir);

    std::string kind_;                                                 // empty: no ids
    std::map<std::string, std::map<std::string, std::string>> lists_;  // by Maildir, then by file
};

// The lines of a dovecot-uidlist, version 3; file name without flags to unique id. Lines that are
// none are passed over.
std::map<std::string, std::string> read_dovecot_uidlist(std::string_view text);
// The same of a courierpop3dsizelist, version 2 or 3.
std::map<std::string, std::string> read_courier_list(std::string_view text);

}  // namespace postern::cli

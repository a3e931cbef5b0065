// ACL (RFC 4314).
#include "protocols/imap/response.h"
#include "protocols/imap/rights.h"
#include "protocols/imap/session.h"

#include <utility>

namespace postern::imap {
namespace {

std::string quoted_rights(const std::string& letters) {
    return letters.empty() ? "\"\"" : letters;
}

}  // namespace

void run(Session& session, command::GetAcl command) {
    session.ask<Acl>(GetAcl{command.name}, [&session, command](const Acl& acl) {
        std::string line = "* ACL " + session.mailbox_text(command.name);
        for (const auto& [identifier, rights] : acl.entries) {
            line += ' ' + format_utf8(identifier) + ' ' + quoted_rights(rights_text(rights));
        }
        session.send(line + "\r\n");
        session.ok("GETACL completed");
    });
}

void run(Session& session, command::MyRights command) {
    session.ask<Rights>(GetRights{command.name}, [&session, command](const Rights& rights) {
        session.send(my_rights_line(session, command.name, rights.letters));
        session.ok("MYRIGHTS completed");
    });
}

std::string my_rights_line(const Session& session, std::string_view name,
                           std::string_view letters) {
    return "* MYRIGHTS " + session.mailbox_text(name) + ' ' + quoted_rights(rights_text(letters)) +
           "\r\n";
}

void run(Session& session, command::ListRights command) {
    Question question = GetGrantable{command.name, command.identifier};
    session.ask<Grantable>(std::move(question), [&session, command](const Grantable& grantable) {
        std::string line = "* LISTRIGHTS " + session.mailbox_text(command.name) + ' ' +
                           format_utf8(command.identifier) + ' ' +
                           quoted_rights(rights_text(grantable.always));
        // RFC 4314 section 2.1.1: "c" and "d" stand there too.
        for (const char right : rights_text(grantable.each)) line.append(" ").push_back(right);
        session.send(line + "\r\n");
        session.ok("LISTRIGHTS completed");
    });
}

void run(Session& session, command::SetAcl command) {
    const char* text = command.is_delete ? "DELETEACL completed" : "SETACL completed";
    Question question = SetAcl{std::move(command.name), std::move(command.identifier), command.mode,
                               std::move(command.rights)};
    session.ask<Done>(std::move(question), [&session, text](Done) { session.ok(text); });
}

}  // namespace postern::imap

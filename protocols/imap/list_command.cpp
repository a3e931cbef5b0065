#include "protocols/imap/mailbox_name.h"
#include "protocols/imap/response.h"
#include "protocols/imap/session.h"

#include <algorithm>
#include <set>

namespace postern::imap {
namespace {

void append_attribute(std::string& attributes, std::string_view attribute) {
    if (!attributes.empty()) attributes += ' ';
    attributes += attribute;
}

std::string line(const command::List& command, const std::string& attributes,
                 std::string_view name) {
    return std::string(command.lsub ? "* LSUB (" : "* LIST (") + attributes + ") \"" +
           hierarchy_separator + "\" " + format_mailbox(name) + "\r\n";
}

bool is_listed(const command::List& command, const ListedMailbox& mailbox) {
    if (command.lsub || command.only_subscribed) {
        if (!mailbox.subscribed) return false;
    } else if (!mailbox.exists) {
        return false;
    }
    if (command.only_special_use && mailbox.special_use.empty()) return false;
    return matches_pattern(mailbox.name, command.pattern);
}

std::string attributes_of(const command::List& command, const ListedMailbox& mailbox,
                          const std::set<std::string, std::less<>>& parents) {
    std::string out;
    if (!mailbox.exists && !command.lsub) append_attribute(out, "\\NonExistent");
    if (!mailbox.selectable || !mailbox.exists) append_attribute(out, "\\Noselect");
    if (command.lsub) return out;
    if (mailbox.exists) {
        append_attribute(out,
                         parents.count(mailbox.name) != 0 ? "\\HasChildren" : "\\HasNoChildren");
    }
    if (command.return_subscribed && mailbox.subscribed) append_attribute(out, "\\Subscribed");
    if (!mailbox.special_use.empty()) append_attribute(out, mailbox.special_use);
    return out;
}

// Every name that has another below it.
std::set<std::string, std::less<>> names_with_children(const MailboxList& list) {
    std::set<std::string, std::less<>> out;
    for (const ListedMailbox& mailbox : list.mailboxes) {
        if (!mailbox.exists) continue;
        for (std::size_t at = mailbox.name.rfind(hierarchy_separator); at != std::string::npos;
             at = at == 0 ? std::string::npos : mailbox.name.rfind(hierarchy_separator, at - 1)) {
            if (!out.insert(mailbox.name.substr(0, at)).second) break;
        }
    }
    return out;
}

// RFC 3501 section 6.3.9: with "%" a name whose subscribed children do not match is shown itself.
std::set<std::string, std::less<>> implied_parents(const command::List& command,
                                                   const MailboxList& list) {
    std::set<std::string, std::less<>> out;
    if (!command.lsub || command.pattern.back() != '%') return out;
    for (const ListedMailbox& mailbox : list.mailboxes) {
        if (!mailbox.subscribed || matches_pattern(mailbox.name, command.pattern)) continue;
        for (std::size_t at = mailbox.name.find(hierarchy_separator); at != std::string::npos;
             at = mailbox.name.find(hierarchy_separator, at + 1)) {
            const std::string parent = mailbox.name.substr(0, at);
            if (matches_pattern(parent, command.pattern)) out.insert(parent);
        }
    }
    for (const ListedMailbox& mailbox : list.mailboxes) {
        if (mailbox.subscribed) out.erase(mailbox.name);
    }
    return out;
}

void send_list(Session& session, const command::List& command, const MailboxList& list) {
    const auto parents = names_with_children(list);
    for (const ListedMailbox& mailbox : list.mailboxes) {
        if (!is_listed(command, mailbox)) continue;
        session.send(line(command, attributes_of(command, mailbox, parents), mailbox.name));
    }
    for (const std::string& parent : implied_parents(command, list)) {
        session.send(line(command, "\\Noselect", parent));
    }
}

}  // namespace

void run(Session& session, command::List command) {
    const char* text = command.lsub ? "LSUB completed" : "LIST completed";
    if (command.pattern.empty()) {
        session.send(line(command, "\\Noselect", ""));
        return session.ok(text);
    }
    session.ask<MailboxList>(
        ListMailboxes{}, [&session, command = std::move(command), text](const MailboxList& list) {
            send_list(session, command, list);
            session.ok(text);
        });
}

}  // namespace postern::imap

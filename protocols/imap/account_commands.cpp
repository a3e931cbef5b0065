// QUOTA (RFC 9208) and METADATA (RFC 5464).
#include "protocols/imap/response.h"
#include "protocols/imap/session.h"

#include <algorithm>
#include <utility>

namespace postern::imap {
namespace {

constexpr std::uint64_t storage_unit = 1024;  // RFC 9208 section 5.1

// What has no limit is not told (RFC 9208 section 4.2.1).
std::string quota_line(const QuotaRoots::Root& root) {
    std::string resources;
    const auto add = [&](const char* name, std::uint64_t used, std::uint64_t limit) {
        if (!resources.empty()) resources += ' ';
        resources += name + std::to_string(used) + ' ' + std::to_string(limit);
    };
    if (root.limit_bytes != 0) {
        add("STORAGE ", (root.used_bytes + storage_unit - 1) / storage_unit,
            root.limit_bytes / storage_unit);
    }
    if (root.limit_messages != 0) add("MESSAGE ", root.used_messages, root.limit_messages);
    return "* QUOTA " + format_utf8(root.name) + " (" + resources + ")\r\n";
}

// Whether DEPTH reaches from an asked entry to `name`.
bool reaches(const std::string& asked, unsigned depth, const std::string& name) {
    if (name == asked) return true;
    if (depth == 0 || !name.starts_with(asked + '/')) return false;
    return depth > 1 || name.find('/', asked.size() + 1) == std::string::npos;
}

// RFC 5464 section 5: with NUL it is a literal8.
std::string value_text(const std::string& value) {
    const bool has_nul = value.find('\0') != std::string::npos;
    return (has_nul ? "~" : "") + format_string(value);
}

void tell_metadata(Session& session, const command::GetMetadata& command,
                   const Annotations& annotations) {
    std::string found;
    std::uint64_t longest = 0;
    for (const auto& [name, value] : annotations.entries) {
        const bool wanted = std::any_of(
            command.entries.begin(), command.entries.end(),
            [&](const std::string& each) { return reaches(each, command.depth, name); });
        if (!wanted) continue;
        if (command.max_size && value.size() > *command.max_size) {
            longest = std::max<std::uint64_t>(longest, value.size());
            continue;
        }
        found += (found.empty() ? "" : " ") + name + ' ' + value_text(value);
    }
    // RFC 5464 section 4.4.1: entries without a value need not be told.
    if (!found.empty()) {
        const std::string name = command.name.empty() ? "\"\"" : session.mailbox_text(command.name);
        session.send("* METADATA " + name + " (" + found + ")\r\n");
    }
    session.ok("GETMETADATA completed",
               longest == 0 ? "" : "METADATA LONGENTRIES " + std::to_string(longest));
}

}  // namespace

std::string listed_metadata(const Session& session, const std::string& name,
                            const std::vector<std::string>& wanted, const Annotations& found) {
    std::string out = "* METADATA " + session.mailbox_text(name) + " (";
    for (const std::string& entry : wanted) {
        const auto at = std::find_if(found.entries.begin(), found.entries.end(),
                                     [&](const auto& each) { return each.first == entry; });
        if (out.back() != '(') out += ' ';
        out += entry + ' ' + (at == found.entries.end() ? "NIL" : value_text(at->second));
    }
    return out + ")\r\n";
}

void run(Session& session, const command::GetQuota& command) {
    Question question = GetQuota{command.is_mailbox ? command.name : ""};
    session.ask<QuotaRoots>(std::move(question), [&session, command](const QuotaRoots& answer) {
        std::string names, lines;
        for (const auto& root : answer.roots) {
            names += ' ' + format_utf8(root.name);
            if (command.is_mailbox || root.name == command.name) lines += quota_line(root);
        }
        if (command.is_mailbox) {
            session.send("* QUOTAROOT " + session.mailbox_text(command.name) + names + "\r\n");
            session.send(lines);
            return session.ok("GETQUOTAROOT completed");
        }
        if (lines.empty()) return session.no("NONEXISTENT", "There is no such quota root");
        session.send(lines);
        session.ok("GETQUOTA completed");
    });
}

void run(Session& session, const command::GetMetadata& command) {
    Question question = GetAnnotations{command.name};
    session.ask<Annotations>(std::move(question), [&session, command](const Annotations& answer) {
        tell_metadata(session, command, answer);
    });
}

void run(Session& session, command::SetMetadata command) {
    Question question = SetAnnotations{std::move(command.name), std::move(command.changes)};
    session.ask<Done>(std::move(question),
                      [&session](Done) { session.ok("SETMETADATA completed"); });
}

}  // namespace postern::imap

// LIST with RFC 5258, 5819 and 6154, LSUB, and XLIST as old clients know it.
#include "protocols/imap/mailbox_name.h"
#include "protocols/imap/response.h"
#include "protocols/imap/session.h"
#include "protocols/imap/status_line.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <set>

namespace postern::imap {
namespace {

using Form = command::List::Form;
using Names = std::set<std::string, std::less<>>;

void append_attribute(std::string& attributes, std::string_view attribute) {
    if (!attributes.empty()) attributes += ' ';
    attributes += attribute;
}

const char* word_of(Form form) {
    if (form == Form::lsub) return "LSUB";
    return form == Form::xlist ? "XLIST" : "LIST";
}

bool matches(const command::List& command, std::string_view name) {
    return std::any_of(command.patterns.begin(), command.patterns.end(),
                       [&](const std::string& pattern) { return matches_pattern(name, pattern); });
}

// What the selection options say of a name, whatever its pattern.
bool is_selected(const command::List& command, const ListedMailbox& mailbox) {
    const bool subscriptions = command.form == Form::lsub || command.only_subscribed;
    if (subscriptions ? !mailbox.subscribed : !mailbox.exists) return false;
    return !command.only_special_use || !mailbox.special_use.empty();
}

Names parents_of(const MailboxList& list, const std::function<bool(const ListedMailbox&)>& counts) {
    Names out;
    for (const ListedMailbox& mailbox : list.mailboxes) {
        if (!counts(mailbox)) continue;
        for (std::size_t at = mailbox.name.rfind(hierarchy_separator); at != std::string::npos;
             at = at == 0 ? std::string::npos : mailbox.name.rfind(hierarchy_separator, at - 1)) {
            if (!out.insert(mailbox.name.substr(0, at)).second) break;
        }
    }
    return out;
}

class Lister {
public:
    Lister(Session& session, const command::List& command, const MailboxList& list)
        : session_(session), command_(command), list_(list) {
        with_children_ = parents_of(list, [](const ListedMailbox& each) { return each.exists; });
        if (command.recursive_match) {
            above_selected_ = parents_of(
                list, [&](const ListedMailbox& each) { return is_selected(command, each); });
            above_unseen_ = parents_of(list, [&](const ListedMailbox& each) {
                return is_selected(command, each) && !matches(command, each.name);
            });
        }
    }

    struct Line {
        std::string text;
        std::string selectable;  // the mailbox's name, when it has a STATUS
        std::string rights;      // with the name, when they are to be told
    };
    std::vector<Line> run() {
        Names there;
        for (const ListedMailbox& mailbox : list_.mailboxes) {
            there.insert(mailbox.name);
            const bool selected = is_selected(command_, mailbox);
            const bool above = above_selected_.count(mailbox.name) != 0;
            const bool shown = selected || above_unseen_.count(mailbox.name) != 0;
            if (!shown || !matches(command_, mailbox.name)) continue;
            lines_.push_back({line(attributes_of(mailbox, selected), mailbox.name, above),
                              mailbox.exists && mailbox.selectable ? mailbox.name : "",
                              mailbox.rights});
        }
        // RFC 5258 section 3.5: a parent that is no mailbox itself.
        for (const std::string& parent : above_unseen_) {
            if (there.count(parent) == 0 && matches(command_, parent)) {
                lines_.push_back({line("\\NonExistent \\HasChildren", parent, true), "", ""});
            }
        }
        for (const std::string& parent : implied_parents()) {
            lines_.push_back({line("\\Noselect", parent, false), "", ""});
        }
        return std::move(lines_);
    }

    std::string line(const std::string& attributes, std::string_view name,
                     bool child_selected) const {
        std::string out = std::string("* ") + word_of(command_.form) + " (" + attributes + ") \"" +
                          hierarchy_separator + "\" " + session_.mailbox_text(name);
        if (child_selected) {
            std::string criteria;
            if (command_.only_subscribed) criteria = "\"SUBSCRIBED\"";
            if (command_.only_special_use) criteria += criteria.empty() ? "" : " ";
            if (command_.only_special_use) criteria += "\"SPECIAL-USE\"";
            out += " (\"CHILDINFO\" (" + criteria + "))";
        }
        return out + "\r\n";
    }

private:
    std::string attributes_of(const ListedMailbox& mailbox, bool selected) const {
        std::string out;
        if (!mailbox.exists && command_.form == Form::list) {
            append_attribute(out, "\\NonExistent");  // means \Noselect too (RFC 5258 section 3)
        } else if (!mailbox.selectable || !mailbox.exists) {
            append_attribute(out, "\\Noselect");
        }
        if (command_.form == Form::lsub) return out;
        const bool parent = with_children_.count(mailbox.name) != 0;
        if (mailbox.exists || parent) {
            append_attribute(out, parent ? "\\HasChildren" : "\\HasNoChildren");
        }
        const bool subscribed = mailbox.subscribed && (selected || !command_.only_subscribed);
        if (command_.return_subscribed && subscribed) append_attribute(out, "\\Subscribed");
        if (!mailbox.special_use.empty()) append_attribute(out, use_of(mailbox.special_use));
        if (command_.form == Form::xlist && mailbox.name == "INBOX") {
            append_attribute(out, "\\Inbox");
        }
        return out;
    }

    // XLIST came before RFC 6154 and spells some uses otherwise.
    std::string use_of(const std::string& use) const {
        if (command_.form != Form::xlist) return use;
        if (use == "\\Junk") return "\\Spam";
        return use == "\\Archive" ? "\\AllMail" : use;
    }

    // RFC 3501 section 6.3.9: with "%" a name whose subscribed children do not match is shown
    // itself.
    Names implied_parents() const {
        Names out;
        const std::string& pattern = command_.patterns.front();
        if (command_.form != Form::lsub || pattern.back() != '%') return out;
        for (const ListedMailbox& mailbox : list_.mailboxes) {
            if (!mailbox.subscribed || matches_pattern(mailbox.name, pattern)) continue;
            for (std::size_t at = mailbox.name.find(hierarchy_separator); at != std::string::npos;
                 at = mailbox.name.find(hierarchy_separator, at + 1)) {
                const std::string parent = mailbox.name.substr(0, at);
                if (matches_pattern(parent, pattern)) out.insert(parent);
            }
        }
        for (const ListedMailbox& mailbox : list_.mailboxes) {
            if (mailbox.subscribed) out.erase(mailbox.name);
        }
        return out;
    }

    Session& session_;
    const command::List& command_;
    const MailboxList& list_;
    Names with_children_;
    Names above_selected_;
    Names above_unseen_;  // some selected mailbox below is not listed itself
    std::vector<Line> lines_;
};

// What RETURN asked for of each mailbox follows its LIST line at once (RFC 5819 section 2), and
// clients rely on it.
struct ListRun : std::enable_shared_from_this<ListRun> {
    ListRun(Session& its_session, std::vector<Lister::Line> its_lines, command::List its_command)
        : session(its_session), lines(std::move(its_lines)), command(std::move(its_command)) {}

    void next() {
        while (at < lines.size()) {
            const Lister::Line& line = lines[at++];
            session.send(line.text);
            if (line.selectable.empty()) continue;
            if (command.return_rights) {
                session.send(my_rights_line(session, line.selectable, line.rights));
            }
            if (!command.status.empty()) return status(line.selectable);
            if (!command.metadata.empty()) return metadata(line.selectable);
        }
        session.ok(std::string(word_of(command.form)) + " completed");
    }

    void status(const std::string& name) {
        session.ask_either<StatusData>(
            status_question(name, command.status),
            [self = shared_from_this(), name](const StatusData& data) {
                self->session.send(status_line(self->session, name, self->command.status, data));
                if (!self->command.metadata.empty()) return self->metadata(name);
                self->session.later([self] { self->next(); });
            },
            [self = shared_from_this()](const Failure& failure) { self->pass_over(failure); });
    }

    void metadata(const std::string& name) {
        session.ask_either<Annotations>(
            GetAnnotations{name},
            [self = shared_from_this(), name](const Annotations& found) {
                self->session.send(
                    listed_metadata(self->session, name, self->command.metadata, found));
                self->session.later([self] { self->next(); });
            },
            [self = shared_from_this()](const Failure& failure) { self->pass_over(failure); });
    }

    // One without an answer was deleted meanwhile, or may be seen in the list alone.
    void pass_over(const Failure& failure) {
        if (failure.code != "NONEXISTENT" && failure.code != "NOPERM") {
            session.log("LIST: " + failure.text);
        }
        session.later([self = shared_from_this()] { self->next(); });
    }

    Session& session;
    std::vector<Lister::Line> lines;
    const command::List command;
    std::size_t at = 0;
};

}  // namespace

// All attributes that are known, as RFC 5465 section 5.5 wants it.
std::string changed_name_line(const Session& session, const News::Name& news) {
    const ListedMailbox& mailbox = news.mailbox;
    std::string attributes;
    if (!mailbox.exists) {
        append_attribute(attributes, "\\NonExistent");
    } else if (!mailbox.selectable) {
        append_attribute(attributes, "\\Noselect");
    }
    if (mailbox.exists || news.has_children) {
        append_attribute(attributes, news.has_children ? "\\HasChildren" : "\\HasNoChildren");
    }
    if (mailbox.subscribed) append_attribute(attributes, "\\Subscribed");
    if (!mailbox.special_use.empty()) append_attribute(attributes, mailbox.special_use);
    std::string line = "* LIST (" + attributes + ") \"" + hierarchy_separator + "\" " +
                       session.mailbox_text(mailbox.name);
    if (!news.old_name.empty()) {
        line += " (\"OLDNAME\" (" + session.mailbox_text(news.old_name) + "))";
    }
    return line + "\r\n";
}

void run(Session& session, command::List command) {
    const std::string text = std::string(word_of(command.form)) + " completed";
    const MailboxList none;
    if (command.patterns.size() == 1 && command.patterns.front().empty()) {
        if (!command.extended) {
            session.send(Lister(session, command, none).line("\\Noselect", "", false));
        }
        return session.ok(text);
    }
    std::erase(command.patterns, "");
    if (command.patterns.empty()) return session.ok(text);
    session.ask<MailboxList>(
        ListMailboxes{}, [&session, command = std::move(command)](const MailboxList& list) {
            auto lines = Lister(session, command, list).run();
            std::make_shared<ListRun>(session, std::move(lines), command)->next();
        });
}

}  // namespace postern::imap

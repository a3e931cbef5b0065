// NOTIFY (RFC 5465): what it sets, and news of mailboxes that are not selected.
#include "protocols/imap/lexer.h"
#include "protocols/imap/response.h"
#include "protocols/imap/session.h"
#include "protocols/imap/status_line.h"

#include <algorithm>
#include <utility>

namespace postern::imap {
namespace {

using StatusItem = command::Status::Item;

// Sections 3.1, 5.1 and 5.2 say which items.
std::string line_of(const Session& session, const News::Status& news) {
    std::vector<StatusItem> items;
    if (news.messages) items = {StatusItem::messages, StatusItem::uid_next};
    if (news.first || news.flags) items.push_back(StatusItem::uid_validity);
    if (news.flags && !news.first) items.push_back(StatusItem::unseen);
    if (session.enabled().condstore || (news.flags && news.first)) {
        items.push_back(StatusItem::highest_modseq);
    }
    return status_line(session, news.mailbox, items, news.data);
}

std::string line_of(const Session& session, const News::Name& news) {
    return changed_name_line(session, news);
}

std::string line_of(const Session& session, const News::Metadata& news) {
    std::string line =
        "* METADATA " + (news.mailbox.empty() ? "\"\"" : session.mailbox_text(news.mailbox));
    for (const std::string& entry : news.entries) {
        const bool plain = std::all_of(entry.begin(), entry.end(), is_astring_char);
        line += ' ' + (plain ? entry : format_string(entry));
    }
    return line + "\r\n";
}

void adopt(Session& session, const command::Notify& command) {
    session.notified() = {command.set, !command.groups.empty(), command.selected, {}};
    const auto done = [&session] { session.ok("NOTIFY completed"); };
    if (!command.status || command.groups.empty()) return done();
    tell_news(session, done);
}

}  // namespace

void tell_news(Session& session, std::function<void()> done) {
    session.ask_either<News>(
        GetNews{},
        [&session, done](const News& news) {
            if (!news.items.empty()) session.news_told();
            for (const auto& each : news.items) {
                session.send(
                    std::visit([&](const auto& item) { return line_of(session, item); }, each));
            }
            if (news.overflow) {
                session.notified() = {};
                session.send("* OK [NOTIFICATIONOVERFLOW] There is too much to watch\r\n");
            } else if (news.more) {
                return session.later([&session, done] { tell_news(session, done); });
            }
            done();
        },
        [&session, done](const Failure& failure) {
            session.log("cannot look for news of other mailboxes: " + failure.text);
            done();
        });
}

void run(Session& session, const command::Notify& command) {
    if (command.groups.empty() && !session.notified().watches) return adopt(session, command);
    session.ask<Done>(Watch{command.groups, command.status},
                      [&session, command](Done) { adopt(session, command); });
}

}  // namespace postern::imap

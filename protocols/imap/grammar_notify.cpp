// NOTIFY (RFC 5465).
#include "protocols/imap/parser.h"
#include "protocols/wire/text.h"

#include <utility>

namespace postern::imap {
namespace {

using Filter = WatchGroup::Filter;

constexpr std::pair<std::string_view, Filter> filters[] = {{"INBOXES", Filter::inboxes},
                                                           {"PERSONAL", Filter::personal},
                                                           {"SUBSCRIBED", Filter::subscribed},
                                                           {"SUBTREE", Filter::subtree},
                                                           {"MAILBOXES", Filter::mailboxes}};

// One event-group, as it stands there.
struct Group {
    std::optional<Filter> filter;  // none: the selected mailbox
    bool delayed = false;          // of the selected mailbox
    std::vector<std::string> names;
    bool arrivals = false, expunges = false;
    WatchEvents events;
    std::vector<FetchItem> items;
};

class NotifyParser {
public:
    explicit NotifyParser(Parser& parser) : parser_(parser) {}

    MaybeCommand parse();

private:
    bool group();
    bool filter(Group& out);
    bool names(Group& out);
    bool name(Group& out);
    bool events(Group& out);
    bool event(Group& out);
    bool items(Group& out);
    bool take(Group group);
    bool fail(const char* text) {
        parser_.fail(text);
        return false;
    }

    Parser& parser_;
    command::Notify out_;
    std::size_t names_ = 0;
};

MaybeCommand NotifyParser::parse() {
    if (!parser_.space()) return std::nullopt;
    if (parser_.lexer.skip_word("NONE")) return command::Notify{};
    if (!parser_.lexer.skip_word("SET")) return parser_.fail("SET or NONE was expected");
    out_.set = true;
    if (!parser_.space()) return std::nullopt;
    out_.status = parser_.lexer.skip_word("STATUS");
    if (out_.status && !parser_.space()) return std::nullopt;
    std::size_t groups = 0;
    do {
        if (++groups > max_notify_groups) return parser_.fail("There are too many event groups");
        if (!group()) return std::nullopt;
    } while (parser_.lexer.skip_space());
    return std::move(out_);
}

bool NotifyParser::group() {
    Group out;
    if (!parser_.lexer.skip('(')) return fail("An event group was expected");
    if (!filter(out) || !parser_.space() || !events(out)) return false;
    if (!parser_.lexer.skip(')')) return fail("A closing parenthesis was expected");
    return take(std::move(out));
}

bool NotifyParser::filter(Group& out) {
    const std::string_view word = parser_.lexer.atom().value_or("");
    out.delayed = wire::equals_ignoring_case(word, "SELECTED-DELAYED");
    if (out.delayed || wire::equals_ignoring_case(word, "SELECTED")) return true;
    for (const auto& [known, filter] : filters) {
        if (wire::equals_ignoring_case(known, word)) out.filter = filter;
    }
    if (!out.filter) return fail("This mailbox filter is not known");
    if (*out.filter != Filter::subtree && *out.filter != Filter::mailboxes) return true;
    return parser_.space() && names(out);
}

bool NotifyParser::names(Group& out) {
    if (!parser_.lexer.skip('(')) return name(out);
    do {
        if (!name(out)) return false;
    } while (parser_.lexer.skip_space());
    return parser_.lexer.skip(')') || fail("A closing parenthesis was expected");
}

bool NotifyParser::name(Group& out) {
    const auto raw = parser_.lexer.astring();
    if (!raw) return fail("A mailbox name was expected");
    auto name = parser_.mailbox_name(*raw);
    if (!name) return false;
    if (++names_ > max_notify_names) return fail("There are too many mailbox names");
    out.names.push_back(std::move(*name));
    return true;
}

bool NotifyParser::events(Group& out) {
    if (parser_.lexer.skip_word("NONE")) return true;
    if (!parser_.lexer.skip('(')) return fail("NONE or a list of events was expected");
    do {
        if (!event(out)) return false;
    } while (parser_.lexer.skip_space());
    return parser_.lexer.skip(')') || fail("A closing parenthesis was expected");
}

bool NotifyParser::event(Group& out) {
    const auto word = parser_.lexer.atom();
    if (!word) return fail("An event was expected");
    const auto is = [&](std::string_view known) {
        return wire::equals_ignoring_case(*word, known);
    };
    if (is("MessageNew")) {
        out.arrivals = true;
        return items(out);
    }
    if (is("MessageExpunge")) return out.expunges = true;
    if (is("FlagChange")) return out.events.flags = true;
    if (is("MailboxName")) return out.events.names = true;
    if (is("SubscriptionChange")) return out.events.subscriptions = true;
    if (is("MailboxMetadataChange")) return out.events.metadata = true;
    if (is("ServerMetadataChange")) return out.events.server_metadata = true;
    parser_.refuse(
        "BADEVENT (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange "
        "MailboxMetadataChange ServerMetadataChange)",
        "This event is not known");
    return false;
}

// [SP "(" fetch-att *(SP fetch-att) ")"]
bool NotifyParser::items(Group& out) {
    Lexer ahead = parser_.lexer;
    if (!ahead.skip_space() || ahead.peek() != '(') return true;
    if (out.filter) return fail("FETCH items are for the selected mailbox");
    parser_.lexer.skip_space();
    return parse_fetch_list(parser_, out.items);
}

// What of it goes together (RFC 5465 sections 3.1, 5 and 6).
bool NotifyParser::take(Group group) {
    if (group.arrivals != group.expunges) {
        return fail("MessageNew and MessageExpunge go together");
    }
    if (group.events.flags && !group.arrivals) {
        return fail("FlagChange needs MessageNew and MessageExpunge");
    }
    group.events.messages = group.arrivals;
    if (group.filter) {
        out_.groups.push_back({*group.filter, std::move(group.names), group.events});
        return true;
    }
    const WatchEvents& events = group.events;
    if (events.names || events.subscriptions || events.metadata || events.server_metadata) {
        return fail("The selected mailbox has message events alone");
    }
    if (out_.selected) return fail("The selected mailbox is named once");
    out_.selected = command::Notify::Selected{events.messages, events.flags, group.delayed,
                                              std::move(group.items)};
    return true;
}

}  // namespace

MaybeCommand parse_notify(Parser& parser) {
    return NotifyParser(parser).parse();
}

}  // namespace postern::imap

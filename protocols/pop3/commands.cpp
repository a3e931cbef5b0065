#include "protocols/pop3/session.h"
#include "protocols/wire/text.h"

#include <algorithm>
#include <utility>

namespace postern::pop3 {
namespace {

bool has_control(std::string_view line) {
    return std::any_of(line.begin(), line.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

std::string_view trim_end(std::string_view text) {
    while (text.ends_with(' ')) text.remove_suffix(1);
    return text;
}

}  // namespace

void Engine::State::command(std::string_view line, bool has_bare_cr) {
    using Handler = void (State::*)(std::string_view);
    struct Entry {
        std::string_view keyword;
        bool needs_login;
        Handler handler;
    };
    static constexpr Entry entries[] = {
        {"CAPA", false, &State::capa},      {"QUIT", false, &State::quit},
        {"USER", false, &State::user},      {"AUTH", false, &State::auth},
        {"STLS", false, &State::start_tls}, {"STAT", true, &State::stat},
        {"LIST", true, &State::list},       {"UIDL", true, &State::uidl},
        {"RETR", true, &State::retr},       {"TOP", true, &State::top},
        {"DELE", true, &State::dele},       {"NOOP", true, &State::noop},
        {"RSET", true, &State::rset},       {"UTF8", false, &State::utf8},
        {"LANG", false, &State::lang}};

    if (has_bare_cr || has_control(line)) return refuse("Control character in a command");
    const std::size_t space = std::min(line.find(' '), line.size());
    const std::string keyword = wire::upper_case(line.substr(0, space));
    const std::string_view rest = line.substr(std::min(space + 1, line.size()));
    // A password may begin and end with spaces.
    if (keyword == "PASS") return pass(rest);
    for (const Entry& entry : entries) {
        if (entry.keyword != keyword) continue;
        if (entry.needs_login && !logged_in) return refuse("Log in first");
        return (this->*entry.handler)(trim_end(rest));
    }
    refuse("Unknown command " + wire::printable(keyword, 20));
}

void Engine::State::capa(std::string_view) {
    ok("Capabilities follow");
    held_replies +=
        "TOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\nLANG\r\nUTF8 USER\r\n";
    const std::string expire =
        config.expire_days ? std::to_string(*config.expire_days) : std::string("NEVER");
    const bool varies = config.expire_varies && !logged_in;
    held_replies.append("EXPIRE ").append(expire).append(varies ? " USER\r\n" : "\r\n");
    // These too are announced in both states alike (RFC 2449 section 6, RFC 2595 section 4).
    if (passwords_allowed()) {
        held_replies.append("USER\r\nSASL ").append(offered_mechanisms()).append("\r\n");
    }
    if (config.tls_offered && !tls) held_replies += "STLS\r\n";
    held_replies += "IMPLEMENTATION Postern\r\n.\r\n";
}

void Engine::State::quit(std::string_view argument) {
    if (!argument.empty()) return refuse("QUIT takes no argument");
    if (messages_left == maildrop.size()) return committed({true, ""});
    CommitDeletions deletions;
    for (std::size_t index = 0; index < maildrop.size(); ++index) {
        if (maildrop[index].deleted) deletions.indexes.push_back(index);
    }
    flush();
    ask(std::move(deletions), Question::commit);
}

void Engine::State::committed(const Outcome& outcome) {
    if (outcome.ok) {
        ok(config.hostname + " closing");
    } else {
        error("SYS/TEMP",
              outcome.text.empty() ? "Deleted messages were not removed" : outcome.text);
    }
    close();
}

void Engine::State::stat(std::string_view argument) {
    if (!argument.empty()) return refuse("STAT takes no argument");
    ok(std::to_string(messages_left) + " " + std::to_string(bytes_left));
}

void Engine::State::list(std::string_view argument) {
    list_or_uidl(argument, false);
}
void Engine::State::uidl(std::string_view argument) {
    list_or_uidl(argument, true);
}

void Engine::State::list_or_uidl(std::string_view argument, bool uidl) {
    if (argument.empty()) {
        ok(uidl ? "Unique identifiers follow" : "Sizes follow");
        listing = {uidl, 0};
        mode = Mode::listing;
    } else if (const auto index = find_message(argument)) {
        held_replies += "+OK ";
        append_listing_line(*index, uidl);
    }
}

void Engine::State::append_listing_line(std::size_t index, bool uidl) {
    const Message& message = maildrop[index];
    held_replies.append(std::to_string(index + 1)).append(" ");
    held_replies.append(uidl ? message.uidl : std::to_string(message.size)).append("\r\n");
}

// As much as makes one Send: a maildrop may be large.
void Engine::State::continue_listing() {
    for (; listing.next < maildrop.size(); ++listing.next) {
        if (held_replies.size() >= held_reply_bytes) return;
        if (!maildrop[listing.next].deleted) append_listing_line(listing.next, listing.uidl);
    }
    held_replies += ".\r\n";
    mode = Mode::command;
}

// Refuses and gives nullopt when there is no such message. A number that fits no message is no
// mistake of protocol: it does not count as an error.
std::optional<std::size_t> Engine::State::find_message(std::string_view number) {
    const auto value = wire::parse_number(number);
    if (!value) {
        refuse("That is no message number");
    } else if (*value == 0 || *value > maildrop.size()) {
        error("", "No such message, there are " + std::to_string(maildrop.size()));
    } else if (maildrop[*value - 1].deleted) {
        error("", "That message is deleted");
    } else {
        return *value - 1;
    }
    return std::nullopt;
}

void Engine::State::dele(std::string_view argument) {
    const auto index = find_message(argument);
    if (!index) return;
    Message& message = maildrop[*index];
    message.deleted = true;
    --messages_left;
    bytes_left -= message.size;
    ok("Will be deleted at QUIT");
}

void Engine::State::noop(std::string_view) {
    ok("Nothing done");
}

void Engine::State::rset(std::string_view argument) {
    if (!argument.empty()) return refuse("RSET takes no argument");
    messages_left = maildrop.size();
    bytes_left = 0;
    for (Message& message : maildrop) {
        message.deleted = false;
        bytes_left += message.size;
    }
    ok("Nothing is deleted");
}

}  // namespace postern::pop3

// Evaluates a search program message by message: slow, and simple enough to be right.
#include "protocols/mime/summary.h"
#include "protocols/wire/text.h"
#include "tests/transcripts/imap_memory.h"

#include <algorithm>
#include <chrono>

namespace postern::transcripts {
namespace {

using imap::SearchKey;
using Kind = SearchKey::Kind;

bool contains(std::string_view text, std::string_view wanted) {
    return std::search(text.begin(), text.end(), wanted.begin(), wanted.end(), [](char a, char b) {
               return wire::to_lower(a) == wire::to_lower(b);
           }) != text.end();
}

bool has_keyword(const Flags& flags, std::string_view name) {
    return std::any_of(flags.keywords.begin(), flags.keywords.end(), [&](const auto& keyword) {
        return wire::equals_ignoring_case(keyword, name);
    });
}

std::int64_t day_of(Time time) {
    return std::chrono::floor<std::chrono::days>(time).time_since_epoch().count();
}

bool header_matches(const std::string& whole, std::string_view name, std::string_view text) {
    const mime::Message message = mime::parse(whole);
    if (mime::find_field(message.parts[0], whole, name) == nullptr) return false;
    return contains(mime::header_text(message.parts[0], whole, name), text);
}

std::int64_t sent_day(const std::string& whole) {
    const auto summary = mime::summarize(mime::parse(whole), whole);
    return day_of(from_unix_ms(summary.sent_unix_ms) +
                  std::chrono::minutes(summary.sent_zone_minutes));
}

bool compare_day(Kind kind, std::int64_t day, std::int64_t wanted) {
    if (kind == Kind::before || kind == Kind::sent_before) return day < wanted;
    if (kind == Kind::since || kind == Kind::sent_since) return day >= wanted;
    return day == wanted;
}

const char* field_of(Kind kind) {
    switch (kind) {
        case Kind::subject:
            return "Subject";
        case Kind::from:
            return "From";
        case Kind::to:
            return "To";
        case Kind::cc:
            return "Cc";
        default:
            return "Bcc";
    }
}

std::string_view body_of(const std::string& whole) {
    return std::string_view(whole).substr(mime::parse(whole).parts[0].body.begin);
}

}  // namespace

bool ImapMemory::matches(const Mailbox& mailbox, Uid uid, const SearchKey& key) const {
    const Message& message = mailbox.messages.at(uid);
    const std::string& whole = *bodies_[message.blob];
    const auto child_matches = [&](const SearchKey& child) { return matches(mailbox, uid, child); };
    const auto& children = key.children;
    switch (key.kind) {
        case Kind::all:
            return true;
        case Kind::uids:
            return key.uids.contains(uid);
        case Kind::system_flag:
            return (message.flags.system & key.flag) != 0;
        case Kind::no_system_flag:
            return (message.flags.system & key.flag) == 0;
        case Kind::keyword:
            return has_keyword(message.flags, key.name);
        case Kind::no_keyword:
            return !has_keyword(message.flags, key.name);
        case Kind::before:
        case Kind::on:
        case Kind::since:
            return compare_day(key.kind, day_of(message.internal_date), key.number);
        case Kind::sent_before:
        case Kind::sent_on:
        case Kind::sent_since:
            return compare_day(key.kind, sent_day(whole), key.number);
        case Kind::larger:
            return static_cast<std::int64_t>(whole.size()) > key.number;
        case Kind::smaller:
            return static_cast<std::int64_t>(whole.size()) < key.number;
        case Kind::header:
            return header_matches(whole, key.name, key.text);
        case Kind::subject:
        case Kind::from:
        case Kind::to:
        case Kind::cc:
        case Kind::bcc:
            return header_matches(whole, field_of(key.kind), key.text);
        case Kind::body:
            return contains(body_of(whole), key.text);
        case Kind::text:
            return contains(whole, key.text);
        case Kind::modseq:
            return static_cast<std::int64_t>(message.modseq) >= key.number;
        case Kind::arrived_since:
            return to_unix_ms(message.internal_date) >= key.number * 1000;
        case Kind::arrived_before:
            return to_unix_ms(message.internal_date) <= key.number * 1000;
        case Kind::saved_before:
            return day_of(message.save_date) < key.number;
        case Kind::saved_on:
            return day_of(message.save_date) == key.number;
        case Kind::saved_since:
            return day_of(message.save_date) >= key.number;
        case Kind::email_id:
            return key.text == "M" + std::to_string(message.blob);
        case Kind::thread_id:
            return key.text == "T" + std::to_string(message.blob);
        case Kind::fuzzy:
            return child_matches(children.front());
        case Kind::not_:
            return !child_matches(children.front());
        case Kind::or_:
            return std::any_of(children.begin(), children.end(), child_matches);
        case Kind::and_:
            return std::all_of(children.begin(), children.end(), child_matches);
    }
    return false;
}

}  // namespace postern::transcripts

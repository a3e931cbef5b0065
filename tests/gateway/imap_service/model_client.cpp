#include "tests/gateway/imap_service/model_client.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <regex>
#include <sstream>
#include <thread>

namespace postern::imap_service {

namespace {

constexpr int max_looks = 1000;  // for a hint

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> out;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = text.find("\r\n", at);
        out.push_back(text.substr(at, end - at));
        at = end == std::string::npos ? text.size() : end + 2;
    }
    return out;
}

UidSet set_of(const std::string& text) {
    UidSet out;
    std::istringstream pieces(text);
    for (std::string piece; std::getline(pieces, piece, ',');) {
        const std::size_t colon = piece.find(':');
        const Uid first = static_cast<Uid>(std::stoul(piece));
        const bool range = colon != std::string::npos;
        out.add_range(first, range ? static_cast<Uid>(std::stoul(piece.substr(colon + 1))) : first);
    }
    return out;
}

}  // namespace

ModelClient::ModelClient(const Backends& backends, boost::asio::io_context& io, Model& model,
                         const std::string& name, Person person)
    : io_(io), model_(model), name_(name), person_(std::move(person)) {
    imap::Config config;
    config.hostname = "mx.example.org";
    config.allow_plaintext_auth = true;
    conversation_ = net::make_conversation<ImapProtocol>(
        config, session_, std::make_unique<ImapService>(backends, session_));
    conversation_->start(true);
    run("LOGIN " + person_.address + " secret");
}

void ModelClient::wrong(const std::string& what) {
    ++errors_;
    ADD_FAILURE() << name_ << " \"" << command_ << "\": " << what;
}

std::string ModelClient::converse(const std::string& bytes) {
    TextSink sink;
    conversation_->feed(bytes);
    io_.restart();
    boost::asio::co_spawn(io_, conversation_->run(sink),
                          [](std::exception_ptr failed, net::Step) { EXPECT_FALSE(failed); });
    io_.run();
    return sink.text;
}

bool ModelClient::run(const std::string& command) {
    command_ = command;
    lines_.clear();
    fetched_.clear();
    tagged_.clear();
    const std::string verb = command.substr(0, command.find(' '));
    may_expunge_ = verb != "FETCH" && verb != "STORE" && verb != "SEARCH" && verb != "SORT";
    const std::string tag = name_ + std::to_string(++number_);
    if (meddling_.before) meddling_.before(command);
    auto told = lines_of(converse(tag + ' ' + command + "\r\n"));
    const auto answer = std::find_if(told.begin(), told.end(), [&](const std::string& line) {
        return line.starts_with(tag + ' ');
    });
    if (answer == told.end()) {
        wrong("no tagged answer");
    } else {
        tagged_ = answer->substr(tag.size() + 1);
        told.erase(answer);
    }
    const bool ok = tagged_.starts_with("OK");
    whole_ = !meddling_.after || meddling_.after(ok);
    for (const std::string& line : told) take_line(line);
    return ok;
}

void ModelClient::take_line(const std::string& line) {
    static const std::regex numbered(R"(\* (\d+) (EXISTS|RECENT|EXPUNGE|FETCH).*)");
    std::smatch match;
    if (line.starts_with("* VANISHED ")) return take_vanished(line);
    if (line.starts_with("* STATUS ")) return take_status(line);
    if (line.starts_with("* ESEARCH ")) return take_update(line);
    if (!std::regex_match(line, match, numbered)) {
        lines_.push_back(line);
        return;
    }
    const std::size_t number = std::stoul(match[1]);
    const std::string what = match[2];
    if (what == "EXISTS") return take_exists(number);
    if (what == "RECENT") return;
    if (number == 0 || number > view_.size()) return wrong("no such message: " + line);
    if (what == "FETCH") return take_fetch(number, line);
    if (!may_expunge_) wrong("EXPUNGE while sequence numbers are in use");
    if (qresync_) wrong("EXPUNGE though QRESYNC is enabled");
    if (model_[mailbox_].messages.count(view_[number - 1].uid) != 0) {
        wrong("an EXPUNGE of what is still there");
    }
    view_.erase(view_.begin() + static_cast<std::ptrdiff_t>(number) - 1);
}

// New messages are those that the model has and that came last.
void ModelClient::take_exists(std::size_t count) {
    const Uid last = view_.empty() ? 0 : view_.back().uid;
    for (const auto& [uid, flags] : model_[mailbox_].messages) {
        if (uid > last) view_.push_back({uid, std::nullopt});
    }
    if (view_.size() != count) {
        wrong("EXISTS " + std::to_string(count) + ", not " + std::to_string(view_.size()));
    }
}

void ModelClient::take_vanished(const std::string& line) {
    const bool earlier = line.find("(EARLIER)") != std::string::npos;
    if (!qresync_) wrong("VANISHED without QRESYNC");
    if (!earlier && !may_expunge_) wrong("VANISHED while sequence numbers are in use");
    const UidSet uids = set_of(line.substr(line.rfind(' ') + 1));
    const auto& there = model_[mailbox_].messages;
    for (const auto& [uid, flags] : there) {
        if (uids.contains(uid)) wrong("VANISHED of what is still there: " + line);
    }
    auto& cached = caches_[mailbox_].messages;
    std::erase_if(cached, [&](const auto& each) { return uids.contains(each.first); });
    if (earlier) return;
    std::erase_if(view_, [&](const Seen& each) { return uids.contains(each.uid); });
}

void ModelClient::take_fetch(std::size_t number, const std::string& line) {
    Seen& seen = view_[number - 1];
    std::smatch match;
    static const std::regex uid(R"(UID (\d+))"), flags(R"(FLAGS \(([^)]*)\))"),
        modseq(R"(MODSEQ \((\d+)\))");
    fetched_.insert(seen.uid);
    if (std::regex_search(line, match, uid)) {
        if (std::stoul(match[1]) != seen.uid) wrong("another UID: " + line);
    } else if (qresync_) {
        wrong("no UID though QRESYNC is enabled: " + line);
    }
    if (std::regex_search(line, match, modseq)) {
        modseq_ = std::max<ModSeq>(modseq_, std::stoull(match[1]));
    } else if (qresync_ && command_.find("FETCH") == std::string::npos) {
        wrong("no MODSEQ though QRESYNC is enabled: " + line);
    }
    if (!std::regex_search(line, match, flags)) return;
    ModelFlags told;
    std::istringstream words(match[1]);
    for (std::string word; words >> word;) {
        if (word != "\\Recent") told.insert(word);
    }
    const auto& there = model_[mailbox_].messages;
    const auto at = there.find(seen.uid);
    if (at != there.end() && as_seen_by(at->second, person_.who) != told)
        wrong("other flags: " + line);
    seen.flags = std::move(told);
}

void ModelClient::take_status(const std::string& line) {
    static const std::regex status(
        R"re(\* STATUS "(?:.*/)?(\w+)" \(MESSAGES (\d+) UIDNEXT (\d+).*\))re");
    std::smatch match;
    if (!std::regex_match(line, match, status)) return;
    const ModelMailbox& box = model_[match[1]];
    heard_[match[1]] = {std::stoul(match[2]), static_cast<Uid>(std::stoul(match[3]))};
    if (heard_[match[1]] != std::pair(box.messages.size(), box.uid_next)) wrong(line);
    if (match[1] == mailbox_) wrong("of the selected mailbox: " + line);
}

// "* ESEARCH (TAG "a9") UID ADDTO (0 3:4)" or "ALL 3:4", or in sequence numbers.
void ModelClient::take_update(const std::string& line) {
    if (!followed_) return wrong("nothing is followed: " + line);
    static const std::regex numbers(R"(.* (ALL|ADDTO|REMOVEFROM) (\(0 )?([0-9:,]+)\)?)");
    std::smatch match;
    if (!std::regex_match(line, match, numbers)) return;  // nothing was found
    UidSet uids = set_of(match[3]);
    if (line.find(" UID ") == std::string::npos) {
        UidSet positions = std::exchange(uids, {});
        positions.for_each([&](Uid position) {
            if (position > view_.size()) {
                wrong("no such message: " + line);
            } else {
                uids.add(view_[position - 1].uid);
            }
            return true;
        });
    }
    if (match[1] != "REMOVEFROM") {
        if (!(uids & *followed_).empty()) wrong("added twice: " + line);
        *followed_ |= uids;
    } else {
        if (!(uids - *followed_).empty()) wrong("it was not there: " + line);
        *followed_ -= uids;
    }
}

void ModelClient::follow(bool uid) {
    if (followed_ || meddling_.before) return;
    followed_.emplace();
    run(std::string(uid ? "UID " : "") + "SEARCH RETURN (ALL UPDATE) FLAGGED");
    if (uid) expect_all_told();
}

void ModelClient::expect_followed() {
    if (!followed_) return;
    UidSet flagged;
    for (const auto& [uid, flags] : model_[mailbox_].messages) {
        if (flags.count("\\Flagged") != 0) flagged.add(uid);
    }
    if (flagged != *followed_) {
        wrong("it follows " + followed_->to_string() + ", not " + flagged.to_string());
    }
}

void ModelClient::notify() {
    heard_.clear();
    notified_ =
        run("NOTIFY SET STATUS (selected-delayed (MessageNew MessageExpunge FlagChange)) "
            "(mailboxes (" +
            named("INBOX") + ' ' + named("Drafts") + ") (MessageNew MessageExpunge))");
}

void ModelClient::listen() {
    command_ = "(between commands)";
    whole_ = true;
    may_expunge_ = false;
    // The store hints at a change a little after it has answered.
    for (int looks = 0; looks == 0 || (looks < max_looks && !not_heard_of().empty()); ++looks) {
        if (looks > 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
        conversation_->woken();
        for (const std::string& line : lines_of(converse(""))) take_line(line);
    }
    expect_flags_told();
    if (const std::string mailbox = not_heard_of(); !mailbox.empty()) {
        wrong("it was not told of " + mailbox);
    }
}

std::string ModelClient::not_heard_of() {
    for (const auto& [mailbox, heard] : heard_) {
        const ModelMailbox& box = model_[mailbox];
        if (mailbox != mailbox_ && heard != std::pair(box.messages.size(), box.uid_next)) {
            return mailbox;
        }
    }
    return "";
}

void ModelClient::enable_qresync() {
    if (run("ENABLE QRESYNC")) qresync_ = true;
}

void ModelClient::select(const std::string& mailbox, bool resynchronize) {
    mailbox_.clear();
    view_.clear();
    followed_.reset();
    heard_.erase(mailbox);
    Cache& cache = caches_[mailbox];
    const bool known = qresync_ && resynchronize && cache.modseq != 0;
    std::string command = "SELECT " + named(mailbox);
    if (known) {
        command += " (QRESYNC (" + cache.uid_validity + ' ' + std::to_string(cache.modseq) + "))";
    }
    mailbox_ = mailbox;
    modseq_ = 0;
    if (!run(command)) {
        mailbox_.clear();
        view_.clear();
        return;
    }
    for (const std::string& line : lines_) {
        std::smatch match;
        static const std::regex code(R"(\* OK \[(UIDVALIDITY|HIGHESTMODSEQ) (\d+)\].*)");
        if (!std::regex_match(line, match, code)) continue;
        if (match[1] == "UIDVALIDITY") uid_validity_ = match[2];
        if (match[1] == "HIGHESTMODSEQ") modseq_ = std::max<ModSeq>(modseq_, std::stoull(match[2]));
    }
    if (view_.size() != model_[mailbox].messages.size()) wrong("another number of messages");
    if (!known) return;
    // The cache, brought up to date, is the model.
    for (Seen& seen : view_) {
        const auto cached = cache.messages.find(seen.uid);
        if (!seen.flags && cached == cache.messages.end()) {
            wrong("UID " + std::to_string(seen.uid) + " is new and was not told");
        } else if (!seen.flags) {
            seen.flags = cached->second;
        }
        cache.messages.erase(seen.uid);
    }
    if (!cache.messages.empty()) {
        wrong("UID " + std::to_string(cache.messages.begin()->first) + " vanished untold");
    }
    expect_flags_told();
}

// What is known of it stays known.
void ModelClient::leave(const std::string& command) {
    const std::string mailbox = std::exchange(mailbox_, "");
    followed_.reset();
    heard_.erase(mailbox);
    Cache cache{uid_validity_, modseq_, {}};
    // Where a fault kept the last answer from telling all, no mod-sequence has all below it.
    bool whole = whole_;
    for (const Seen& seen : view_) {
        whole = whole && seen.flags.has_value();
        cache.messages.emplace(seen.uid, seen.flags);
    }
    if (!whole) cache.modseq = 0;
    view_.clear();
    run(command);
    caches_[mailbox] = std::move(cache);
}

void ModelClient::expect_all_told() {
    if (!whole_) return;
    const auto& there = model_[mailbox_].messages;
    std::string ours, theirs;
    for (const Seen& seen : view_) ours += std::to_string(seen.uid) + ' ';
    for (const auto& [uid, flags] : there) theirs += std::to_string(uid) + ' ';
    if (ours != theirs) wrong("it sees " + ours + "but there are " + theirs);
    expect_flags_told();
    expect_followed();
}

void ModelClient::expect_flags_told() {
    if (!whole_) return;
    const auto& there = model_[mailbox_].messages;
    for (const Seen& seen : view_) {
        const auto at = there.find(seen.uid);
        if (at == there.end() || !seen.flags) continue;
        const ModelFlags flags = as_seen_by(at->second, person_.who);
        if (*seen.flags == flags) continue;
        std::string text;
        for (const auto& flag : flags) text += flag + ' ';
        wrong("it was not told that " + std::to_string(seen.uid) + " has " + text);
    }
}

}  // namespace postern::imap_service

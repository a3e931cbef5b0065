// An IMAP client that believes what it is told, and checks every response against the model.
#pragma once

#include "gateway/net/conversation.h"
#include "tests/gateway/imap_service/model.h"
#include "tests/gateway/imap_service/service_fixture.h"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace postern::imap_service {

class TextSink final : public net::Sink {
public:
    void append(std::string bytes) override { text += bytes; }
    std::size_t pending() const override { return 0; }
    net::Awaitable<bool> flush() override { co_return true; }
    std::string text;
};

class ModelClient {
public:
    struct Seen {
        Uid uid = 0;
        std::optional<ModelFlags> flags;  // nullopt: never told
    };
    // What a client keeps of a mailbox when it leaves, to come back with QRESYNC.
    struct Cache {
        std::string uid_validity;
        ModSeq modseq = 0;
        std::map<Uid, std::optional<ModelFlags>> messages;
    };

    // Who logs in, how their names of the model's mailboxes begin, and whose \Seen is theirs.
    struct Person {
        std::string address = "ann@example.org";
        std::string prefix;
        std::string who;
    };

    ModelClient(const Backends& backends, boost::asio::io_context& io, Model& model,
                const std::string& name, Person person);

    // Sends `text` and CR LF, and takes in everything up to the tagged answer. False: not OK, which
    // only a fault may cause.
    bool run(const std::string& command);
    // Around what the server does for a command: before it has it, and once it has answered,
    // whether with OK. What was answered is compared after that. False: something went wrong, so
    // that what is to be told may be told later.
    struct Meddling {
        std::function<void(const std::string& command)> before;
        std::function<bool(bool ok)> after;
    };
    void meddle(Meddling meddling) { meddling_ = std::move(meddling); }
    // Whether all of the last command went well.
    bool whole() const { return whole_; }
    // What came untagged for the running command and is not about the mailbox.
    const std::vector<std::string>& lines() const { return lines_; }
    const std::string& tagged() const { return tagged_; }
    const std::set<Uid>& fetched() const { return fetched_; }

    void select(const std::string& mailbox, bool resynchronize);
    void leave(const std::string& command);
    bool selected() const { return !mailbox_.empty(); }
    const std::string& mailbox() const { return mailbox_; }
    // As a command names it.
    std::string named(const std::string& mailbox) const {
        return '"' + person_.prefix + mailbox + '"';
    }
    const std::string& who() const { return person_.who; }
    std::vector<Seen>& view() { return view_; }
    bool qresync() const { return qresync_; }
    void enable_qresync();
    // Asks to be told at once of the selected mailbox, but for EXPUNGE, and of the others.
    void notify();
    bool notified() const { return notified_; }
    // Takes in what comes between commands, which leaves nothing to be told but EXPUNGE.
    void listen();
    // A search for \Flagged whose result is kept up to date from now on (RFC 5267).
    void follow(bool uid);
    // This session changed that mailbox, of which it need not be told.
    void changed(const std::string& mailbox) { heard_.erase(mailbox); }
    // The view is the model: nothing is left to be told.
    void expect_all_told();
    // Flags that were told are the model's, of all that is still there.
    void expect_flags_told();
    std::size_t errors() const { return errors_; }

private:
    std::string converse(const std::string& bytes);
    void take_line(const std::string& line);
    void take_fetch(std::size_t number, const std::string& line);
    void take_exists(std::size_t count);
    void take_vanished(const std::string& line);
    void take_status(const std::string& line);
    void take_update(const std::string& line);
    void expect_followed();
    // A mailbox of whose change it was not told; empty: none.
    std::string not_heard_of();
    void wrong(const std::string& what);

    boost::asio::io_context& io_;
    Model& model_;
    std::string name_;
    Person person_;
    FakeSession session_;
    std::unique_ptr<net::Conversation> conversation_;
    std::string mailbox_;
    std::vector<Seen> view_;
    bool qresync_ = false;
    bool opening_ = false;
    ModSeq modseq_ = 0;
    std::string uid_validity_;
    std::map<std::string, Cache> caches_;
    bool may_expunge_ = true;
    unsigned number_ = 0;
    std::string command_;
    std::vector<std::string> lines_;
    std::set<Uid> fetched_;
    std::string tagged_;
    Meddling meddling_;
    bool whole_ = true;
    std::size_t errors_ = 0;
    bool notified_ = false;
    // Of mailboxes that are not selected: messages and UIDNEXT as told last.
    std::map<std::string, std::pair<std::size_t, Uid>> heard_;
    std::optional<UidSet> followed_;
};

}  // namespace postern::imap_service

// Random commands of several sessions, every response compared with a simple model; then the same
// while the store goes wrong.
#include "store/kv/faulty.h"
#include "tests/gateway/imap_service/model_client.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

namespace postern::imap_service {
namespace {

const std::vector<std::string> all_flags = {"\\Seen", "\\Flagged", "\\Deleted", "kw1", "kw2"};

class ModelTest : public ServiceTest {
protected:
    static constexpr unsigned sessions = 3;

    void begin(unsigned seed, const std::vector<ModelClient::Person>& people = {{}}) {
        random_.seed(seed);
        model_["INBOX"];
        model_["Drafts"];
        clients_.clear();
        for (unsigned i = 0; i < sessions; ++i) {
            clients_.push_back(std::make_unique<ModelClient>(
                *backends_, io_, model_, std::string(1, static_cast<char>('a' + i)),
                people[i % people.size()]));
        }
    }

    std::size_t pick(std::size_t count) { return random_() % count; }
    bool chance(unsigned percent) { return random_() % 100 < percent; }

    ModelFlags random_flags() {
        ModelFlags out;
        for (const auto& flag : all_flags) {
            if (chance(30)) out.insert(flag);
        }
        return out;
    }
    static std::string text_of(const ModelFlags& flags) {
        std::string out = "(";
        for (const auto& flag : flags) out += (out.size() > 1 ? " " : "") + flag;
        return out + ")";
    }
    ModelMailbox& box_of(const ModelClient& client) { return model_[client.mailbox()]; }

    // Some of what the client sees, as UIDs, and how it would name them.
    std::set<Uid> some_of(ModelClient& client, bool uid, std::string& named) {
        std::set<Uid> out;
        named.clear();
        for (std::size_t i = 0; i < client.view().size(); ++i) {
            if (!chance(40)) continue;
            out.insert(client.view()[i].uid);
            named +=
                (named.empty() ? "" : ",") + std::to_string(uid ? client.view()[i].uid : i + 1);
        }
        return out;
    }

    // Those that others expunged; where sequence numbers name them, a command may be refused.
    std::size_t gone_of(const ModelClient& client, const std::set<Uid>& uids) {
        const auto& there = box_of(client).messages;
        return static_cast<std::size_t>(std::count_if(
            uids.begin(), uids.end(), [&](Uid uid) { return there.count(uid) == 0; }));
    }
    void expect_refusal(const ModelClient& client, bool ok) {
        if (!refused_) return;
        EXPECT_FALSE(ok) << "what is gone cannot be worked on";
        EXPECT_TRUE(!client.whole() || client.tagged().starts_with("NO [EXPUNGEISSUED]"));
    }

    void step() {
        refused_ = false;
        ModelClient& client = *clients_[pick(clients_.size())];
        if (!client.selected()) {
            if (!client.qresync() && chance(30)) client.enable_qresync();
            if (!client.notified() && chance(20)) client.notify();
            return client.select(chance(70) ? "INBOX" : "Drafts", chance(70));
        }
        if (client.notified() && chance(30)) client.listen();
        if (chance(5)) client.follow(chance(50));
        switch (pick(10)) {
            case 0:
                return append(client);
            case 1:
            case 2:
            case 3:
                return store(client);
            case 4:
                return fetch(client);
            case 5:
                return search(client);
            case 6:
                return copy(client);
            case 7:
                return expunge(client);
            case 8:
                return leave(client);
            default:
                client.run(chance(50) ? "NOOP" : "CHECK");
                return client.expect_all_told();
        }
    }

    void append(ModelClient& client) {
        const std::string to = chance(60) ? "INBOX" : "Drafts";
        const unsigned count = 1 + static_cast<unsigned>(pick(3));
        std::string command = "APPEND " + client.named(to);
        ModelMailbox& box = model_[to];
        const Uid first = box.uid_next;
        for (unsigned i = 0; i < count; ++i) {
            const ModelFlags flags = random_flags();
            command +=
                ' ' + text_of(flags) + " {12+}\r\nSubject: " + std::to_string(pick(9)) + "\r\n";
            box.messages[box.uid_next++] = changed_by({}, flags, client.who());
        }
        const bool ok = client.run(command);
        client.changed(to);
        if (!ok) return;
        const std::string uids =
            count == 1 ? std::to_string(first)
                       : std::to_string(first) + ':' + std::to_string(box.uid_next - 1);
        EXPECT_NE(client.tagged().find(' ' + uids + ']'), std::string::npos) << client.tagged();
        if (client.selected()) client.expect_all_told();
    }

    void store(ModelClient& client) {
        const bool uid = chance(50), silent = chance(40);
        std::string named;
        const auto uids = some_of(client, uid, named);
        if (uids.empty()) return;
        const ModelFlags flags = random_flags();
        const char sign = "+- "[pick(3)];
        refused_ = !uid && !silent && gone_of(client, uids) == uids.size();
        for (const Uid each : uids) {
            const auto at = box_of(client).messages.find(each);
            const bool there = at != box_of(client).messages.end();
            if (there) {
                ModelFlags theirs = as_seen_by(at->second, client.who());
                change(theirs, sign, flags);
                at->second = changed_by(at->second, std::move(theirs), client.who());
            }
            if (!silent) continue;
            for (auto& seen : client.view()) {  // it works them out itself
                if (seen.uid == each && seen.flags) change(*seen.flags, sign, flags);
            }
        }
        const std::string mode = sign == ' ' ? "" : std::string(1, sign);
        const bool ok = client.run((uid ? "UID STORE " : "STORE ") + named + ' ' + mode +
                                   (silent ? "FLAGS.SILENT " : "FLAGS ") + text_of(flags));
        expect_refusal(client, ok);
        if (!ok) return forget_flags(client, uids);
        if (uid) return client.expect_all_told();
        client.expect_flags_told();
    }
    // Which of them were changed is not known.
    static void forget_flags(ModelClient& client, const std::set<Uid>& uids) {
        for (auto& seen : client.view()) {
            if (uids.count(seen.uid) != 0) seen.flags.reset();
        }
    }
    static void change(ModelFlags& flags, char sign, const ModelFlags& by) {
        if (sign == ' ') flags.clear();
        for (const auto& flag : by) {
            if (sign == '-') {
                flags.erase(flag);
            } else {
                flags.insert(flag);
            }
        }
    }

    void fetch(ModelClient& client) {
        const bool uid = chance(50);
        std::string named;
        const auto uids = some_of(client, uid, named);
        if (uids.empty()) return;
        if (!client.run((uid ? "UID FETCH " : "FETCH ") + named + " (UID FLAGS)")) return;
        for (const Uid each : uids) {
            if (box_of(client).messages.count(each) == 0) continue;
            EXPECT_TRUE(client.fetched().count(each)) << each;
        }
        if (uid) client.expect_all_told();
    }

    void search(ModelClient& client) {
        const std::string& has = all_flags[pick(3)];
        const std::string& lacks = all_flags[3 + pick(2)];
        std::string named;
        const auto uids = some_of(client, true, named);
        if (uids.empty()) return;
        const bool either = chance(50);
        std::string want = has.substr(1);
        std::transform(want.begin(), want.end(), want.begin(), ::toupper);
        const bool ok = client.run("UID SEARCH " + std::string(either ? "OR " : "") + want +
                                   " UNKEYWORD " + lacks + " UID " + named);
        if (!ok) return;
        std::string expected = "* SEARCH";
        for (const auto& [each, all] : box_of(client).messages) {
            const ModelFlags flags = as_seen_by(all, client.who());
            const bool first = flags.count(has) != 0, second = flags.count(lacks) == 0;
            const bool match = either ? first || second : first && second;
            if (match && uids.count(each) != 0) expected += ' ' + std::to_string(each);
        }
        ASSERT_FALSE(client.lines().empty());
        const auto& lines = client.lines();
        EXPECT_NE(std::find(lines.begin(), lines.end(), expected), lines.end())
            << expected << " is not " << lines.front();
        client.expect_all_told();
    }

    void copy(ModelClient& client) {
        const bool uid = chance(50), move = chance(40);
        const std::string to = client.mailbox() == "INBOX" ? "Drafts" : "INBOX";
        std::string named;
        const auto uids = some_of(client, uid, named);
        if (uids.empty()) return;
        ModelMailbox& from = box_of(client);
        refused_ = !uid && !move && gone_of(client, uids) > 0;
        UidSet sources, copies;
        for (const Uid each : uids) {
            if (refused_) break;
            const auto at = from.messages.find(each);
            if (at == from.messages.end()) continue;
            sources.add(each);
            copies.add(model_[to].uid_next);
            model_[to].messages[model_[to].uid_next++] = at->second;
            if (move) from.messages.erase(at);
        }
        const bool ok = client.run(std::string(uid ? "UID " : "") + (move ? "MOVE " : "COPY ") +
                                   named + ' ' + client.named(to));
        client.changed(to);
        expect_refusal(client, ok);
        if (!ok) return;
        if (!sources.empty()) {
            const std::string code = ' ' + sources.to_string() + ' ' + copies.to_string() + ']';
            std::string said = client.tagged();
            for (const auto& line : client.lines()) said += line;
            EXPECT_NE(said.find(code), std::string::npos) << code << " is not in " << said;
        }
        client.expect_all_told();
    }

    void expunge(ModelClient& client) {
        const bool uid = chance(50);
        std::string named;
        const auto uids = some_of(client, true, named);
        if (uid && uids.empty()) return;
        std::erase_if(box_of(client).messages, [&](const auto& each) {
            return each.second.count("\\Deleted") != 0 && (!uid || uids.count(each.first) != 0);
        });
        if (client.run(uid ? "UID EXPUNGE " + named : "EXPUNGE")) client.expect_all_told();
    }

    void leave(ModelClient& client) {
        if (chance(50)) {
            client.run("UID FETCH 1:* (FLAGS)");  // what makes a cache worth keeping
            client.expect_all_told();
        }
        client.leave("UNSELECT");
    }

    std::mt19937 random_;
    bool refused_ = false;  // the command that runs has to be, also without a fault
    Model model_;
    std::vector<std::unique_ptr<ModelClient>> clients_;
};

TEST_F(ModelTest, EveryResponseIsTheModels) {
    for (unsigned seed = 1; seed <= 3; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        begin(seed);
        for (int i = 0; i < 400 && !HasFailure(); ++i) step();
        if (HasFailure()) break;
    }
}

// The same while the store goes wrong now and then: an OK means that all is done, a NO that each
// message is as it was or as it was to be, and no answer tells what is not so.
class FaultyModelTest : public ModelTest {
protected:
    void SetUp() override {
        ModelTest::SetUp();
        faulty_.emplace(std::shared_ptr<kv::Store>(kv_.get(), [](kv::Store*) {}));
        auto opened =
            mail::MailStore::open(*faulty_, [] { return from_unix_ms(1'700'000'000'000); });
        ASSERT_TRUE(opened);
        faulty_mail_ = std::move(*opened);
        sharing_.emplace(directory_, shares_, *faulty_mail_);
        backends_.emplace(Backends{config_, *faulty_mail_, authenticator_, *learning_, pool_,
                                   budget_, *sharing_});
    }
    void TearDown() override {
        clients_.clear();
        first_.reset();
        faulty_mail_.reset();
    }

    // A step whose commands meet a fault each.
    void faulty_step() {
        for (auto& client : clients_) {
            client->meddle({[this](const std::string& command) { inject(command); },
                            [this](bool ok) { return settle(ok); }});
        }
        before_ = model_;
        step();
    }
    // Between them all is told, whatever went wrong before.
    void sound_round() {
        for (auto& client : clients_) {
            client->meddle({});
            if (!client->selected()) continue;
            EXPECT_TRUE(client->run("NOOP"));
            client->expect_all_told();
        }
    }

    std::size_t faults_met_ = 0, refusals_ = 0;

private:
    void inject(const std::string& command) {
        // What is left of a move that failed is done when the store is opened next.
        if (command.find("MOVE ") != std::string::npos) return;
        constexpr kv::Fault faults[] = {kv::Fault::fail, kv::Fault::unknown_done,
                                        kv::Fault::unknown_lost, kv::Fault::delay};
        const std::uint64_t nth = 1 + pick(12);
        fault_at_ = faulty_->calls() + nth;
        faulty_->inject(nth, faults[pick(std::size(faults))]);
    }

    // The model becomes what there is, which has to be what the answer allows.
    bool settle(bool ok) {
        const bool met = fault_at_ != 0 && faulty_->calls() >= fault_at_;
        faulty_->clear();
        fault_at_ = 0;
        faults_met_ += met ? 1 : 0;
        refusals_ += ok ? 0 : 1;
        EXPECT_TRUE(ok || met || refused_) << "refused without a fault";
        for (auto& [name, expected] : model_) {
            ModelMailbox there = read(name);
            if (ok) {
                EXPECT_EQ(there.messages, expected.messages) << name;
            } else {
                expect_between(before_[name], expected, there);
            }
            expected = std::move(there);
        }
        before_ = model_;
        return (ok || refused_) && !met;
    }
    static void expect_between(const ModelMailbox& before, const ModelMailbox& after,
                               const ModelMailbox& there) {
        for (const auto& [uid, flags] : there.messages) {
            const auto old = before.messages.find(uid), fresh = after.messages.find(uid);
            const bool was = old != before.messages.end() && old->second == flags;
            const bool was_to_be = fresh != after.messages.end() && fresh->second == flags;
            EXPECT_TRUE(was || was_to_be) << uid << " is neither as before nor as asked for";
        }
        for (const auto& [uid, flags] : before.messages) {
            EXPECT_TRUE(there.messages.count(uid) != 0 || after.messages.count(uid) == 0)
                << uid << " is lost";
        }
    }
    ModelMailbox read(const std::string& name) {
        ModelMailbox out;
        const auto state = mail_->state(box(name));
        const auto rows = mail_->rows(box(name), state->uids, 1000, false);
        out.uid_next = state->uid_next;
        for (const auto& row : *rows) {
            ModelFlags& flags = out.messages[row.uid];
            flags.insert(row.flags.keywords.begin(), row.flags.keywords.end());
            for (const auto& [flag, text] : {std::pair(SystemFlag::seen, "\\Seen"),
                                             std::pair(SystemFlag::flagged, "\\Flagged"),
                                             std::pair(SystemFlag::deleted, "\\Deleted")}) {
                if (row.flags.has(flag)) flags.insert(text);
            }
        }
        return out;
    }

    std::optional<kv::FaultyStore> faulty_;
    std::unique_ptr<mail::MailStore> faulty_mail_;
    Model before_;
    std::uint64_t fault_at_ = 0;
};

TEST_F(FaultyModelTest, NoAnswerLiesWhileTheStoreGoesWrong) {
    for (unsigned seed = 21; seed <= 22; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        begin(seed);
        for (int i = 0; i < 300 && !HasFailure(); ++i) {
            faulty_step();
            if (i % 10 == 9) sound_round();
        }
        if (HasFailure()) break;
    }
    EXPECT_GT(faults_met_, 100U);
    EXPECT_GT(refusals_, 20U);
}

// The owner, in two sessions, and somebody else, each with an own \Seen in the same mailboxes.
TEST_F(ModelTest, EveryResponseIsTheModelsWhereEachHasItsOwnSeen) {
    const auto bob = directory_.add_user("bob@example.org", *auth::hash_password("secret"));
    ASSERT_TRUE(mail::wait<void>([&](auto done) { mail_->create_account(bob->id, done); }));
    for (const char* name : {"INBOX", "Drafts"}) {
        get<imap::Done>(*first_, imap::SetAcl{name, "bob", FlagMode::replace, "lrswite"});
        get<imap::Done>(*first_,
                        imap::SetAnnotations{name, {{"/shared/vendor/postern/seen", "own"}}});
    }
    const ModelClient::Person owner{"ann@example.org", "", " ann"};
    const ModelClient::Person other{"bob@example.org", "Other Users/ann@example.org/", " bob"};
    for (unsigned seed = 11; seed <= 13; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        begin(seed, {owner, other, owner});
        for (int i = 0; i < 400 && !HasFailure(); ++i) step();
        if (HasFailure()) break;
    }
}

}  // namespace
}  // namespace postern::imap_service

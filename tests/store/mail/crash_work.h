// Work on a mail store that may end at any moment, and a witness who knows what must then be there.
#pragma once

#include "store/care/check.h"
#include "store/kv/random_id.h"
#include "store/mail/mail_store.h"
#include "tests/store/support/mail_text.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace postern::mail {

inline constexpr AccountId account{1};
inline constexpr const char* names[] = {"INBOX", "Archive", "Junk"};
inline constexpr int threads_at_work = 4;

struct OpenStore {
    std::unique_ptr<kv::Store> engine;
    std::unique_ptr<MailStore> mail;
    MailboxId boxes[std::size(names)];
};

inline OpenStore open_store(const std::string& folder) {
    OpenStore out;
    auto engine = kv::open_lmdb_store({folder, 3, std::uint64_t{1} << 20});
    EXPECT_TRUE(engine) << engine.error().text;
    out.engine = *std::move(engine);
    auto mail = MailStore::open(*out.engine, [] { return from_unix_ms(1'700'000'000'000); });
    EXPECT_TRUE(mail) << mail.error().text;
    out.mail = *std::move(mail);
    EXPECT_TRUE(
        wait<void>([&](Done<void> done) { out.mail->create_account(account, std::move(done)); }));
    for (std::size_t i = 0; i < std::size(names); ++i) {
        out.boxes[i] = out.mail->find(account, names[i])->id;
    }
    return out;
}

// "@<begin or end> <what> <message> <mailbox>"
using Say = std::function<void(const std::string& line)>;

inline std::string body_of(const std::string& message) {
    // Some bodies span frames, and some share an attachment.
    const std::size_t kind = std::hash<std::string>()(message) % 7;
    if (kind == 1) {
        static const std::string shared = test::attachment(1, 70'000);
        return "Subject: " + message + "\r\n\r\n--cut\r\n\r\n" + shared + "--cut--\r\n";
    }
    const std::size_t repeats = kind == 0 ? 20'000 : 20;
    std::string body = "Subject: " + message + "\r\n\r\n";
    for (std::size_t i = 0; i < repeats; ++i) body += message + ";";
    return body;
}

// What one thread does with messages of its own until the process dies.
class Worker {
public:
    Worker(OpenStore& store, std::string prefix, unsigned seed, Say line)
        : store_(store), prefix_(std::move(prefix)), random_(seed), line_(std::move(line)) {}

    void run(const std::atomic<bool>* stop = nullptr) {
        while (stop == nullptr || !*stop) {
            const unsigned choice = random_() % 10;
            if (mine_.empty() || choice < 3) {
                append();
            } else if (choice < 4) {
                append_together();
            } else if (choice < 6) {
                transfer("move");
            } else if (choice < 7) {
                transfer("copy");
            } else if (choice < 9) {
                flag();
            } else {
                expunge();
            }
        }
    }

private:
    struct Mine {
        std::string name;
        std::size_t box = 0;
        Uid uid = 0;
    };

    void say(const char* when, const char* what, const std::string& message, std::size_t box) {
        line_(std::string("@") + when + " " + what + " " + message + " " + std::to_string(box));
    }

    template <class T, class Start>
    T must(Start start) {
        auto result = wait<T>(std::move(start));
        if (!result) {
            say("error", "x", result.error().text, 0);
            std::abort();
        }
        return *std::move(result);
    }

    static NewMessage message_of(const std::string& name) {
        NewMessage message;
        message.bytes = std::make_shared<const std::string>(body_of(name));
        message.summary = name;
        return message;
    }

    void append() {
        const Mine mine{prefix_ + std::to_string(++count_), random_() % std::size(names), 0};
        say("begin", "append", mine.name, mine.box);
        const NewMessage message = message_of(mine.name);
        const auto appended = must<Appended>([&](Done<Appended> done) {
            store_.mail->append(store_.boxes[mine.box], message, kv::random_id(), done);
        });
        say("end", "append", mine.name, mine.box);
        mine_.push_back({mine.name, mine.box, appended.uid});
    }

    void append_together() {
        const std::size_t box = random_() % std::size(names);
        const std::string group = prefix_ + std::to_string(++count_);
        std::vector<std::string> each;
        std::vector<NewMessage> messages;
        for (const char* member : {".a", ".b", ".c"}) {
            each.push_back(group + member);
            messages.push_back(message_of(each.back()));
            say("begin", "append", each.back(), box);
        }
        const auto appended =
            must<std::vector<Appended>>([&](Done<std::vector<Appended>> done) {
                store_.mail->append_together(store_.boxes[box], messages, {}, done);
            });
        for (std::size_t i = 0; i < each.size(); ++i) {
            say("end", "append", each[i], box);
            mine_.push_back({each[i], box, appended.at(i).uid});
        }
    }

    void transfer(const char* what) {
        Mine& mine = mine_[random_() % mine_.size()];
        const std::size_t to = random_() % std::size(names);
        const bool move = std::string_view(what) == "move";
        say("begin", what, mine.name, to);
        const auto copied = must<Copied>([&](Done<Copied> done) {
            const MailboxId source = store_.boxes[mine.box];
            const MailboxId target = store_.boxes[to];
            move ? store_.mail->move(source, {mine.uid}, target, done)
                 : store_.mail->copy(source, {mine.uid}, target, done);
        });
        if (copied.to.size() != 1) std::abort();
        say("end", what, mine.name, to);
        if (move) mine = {mine.name, to, copied.to[0]};
    }

    void flag() {
        const Mine& mine = mine_[random_() % mine_.size()];
        say("begin", "flag", mine.name, mine.box);
        FlagChange change;
        change.flags.set(SystemFlag::seen);
        change.flags.keywords = {"kept"};
        must<FlagResult>([&](Done<FlagResult> done) {
            store_.mail->change_flags(store_.boxes[mine.box], {mine.uid}, change, done);
        });
        say("end", "flag", mine.name, mine.box);
    }

    void expunge() {
        const std::size_t index = random_() % mine_.size();
        const Mine mine = mine_[index];
        say("begin", "expunge", mine.name, mine.box);
        must<UidSet>([&](Done<UidSet> done) {
            store_.mail->expunge(store_.boxes[mine.box], {mine.uid}, true, done);
        });
        say("end", "expunge", mine.name, mine.box);
        mine_.erase(mine_.begin() + static_cast<std::ptrdiff_t>(index));
    }

    OpenStore& store_;
    const std::string prefix_;
    std::mt19937 random_;
    const Say line_;
    int count_ = 0;
    std::vector<Mine> mine_;
};

// Copies of one message in each mailbox.
using Places = std::array<int, std::size(names)>;

// What the process said of one message.
struct Told {
    Places places{};       // copies that must be there
    std::size_t home = 0;  // which of them further changes concern
    bool flagged = false;
    std::string open;  // a change that began and did not end
    std::size_t open_box = 0;
};

class Witness {
public:
    void hear(const std::string& line) {
        std::istringstream words(line);
        std::string when, what, message;
        std::size_t box = 0;
        words >> when >> what >> message >> box;
        ASSERT_NE(when, "@error") << line;
        Told& told = told_[message];
        if (when == "@begin") {
            told.open = what;
            told.open_box = box;
            return;
        }
        told.places = after(told);
        if (what == "append" || what == "move") told.home = box;
        if (what == "flag") told.flagged = true;
        if (what == "expunge") told.flagged = false;  // copies that are left may be older
        told.open.clear();
        ++ended_;
    }

    // Changes that began later, of which the first of each message may be there already.
    template <class Lines>
    void expect_more(Lines first, Lines last) {
        std::set<std::string> begun;
        for (; first != last; ++first) {
            std::istringstream words(*first);
            std::string when, what, message;
            std::size_t box = 0;
            words >> when >> what >> message >> box;
            if (when != "@begin" || !begun.insert(message).second) continue;
            Told& told = told_[message];
            if (told.open.empty()) {
                told.open = what;
                told.open_box = box;
            }
        }
    }

    // Compares with what is stored, and takes over what became of changes that had not ended.
    void check(OpenStore& store) {
        std::map<std::string, Places> found;
        for (std::size_t box = 0; box < std::size(names); ++box) look(store, box, found);
        std::map<std::string, std::set<bool>> together;  // of each group: which were there
        for (auto& [message, told] : told_) {
            const Places now = found[message];
            const std::size_t dot = message.find('.');
            if (told.open == "append" && dot != std::string::npos) {
                together[message.substr(0, dot)].insert(now[told.open_box] > 0);
            }
            const bool is_right = now == told.places || (!told.open.empty() && now == after(told));
            EXPECT_TRUE(is_right) << message << ": " << show(now) << " instead of "
                                  << show(told.places) << ", open: " << told.open;
            told.places = now;
            told.open.clear();
            // Which copy is which is not known after a restart, and no longer needed.
            told.flagged = false;
            found.erase(message);
        }
        for (const auto& [group, there] : together) {
            EXPECT_EQ(there.size(), 1u) << "only some of what was appended together: " << group;
        }
        EXPECT_TRUE(found.empty()) << found.begin()->first << " was never appended";
    }

    int ended() const { return ended_; }

private:
    static Places after(const Told& told) {
        Places places = told.places;
        if (told.open == "append" || told.open == "copy" || told.open == "move") {
            ++places[told.open_box];
        }
        if (told.open == "move" || told.open == "expunge") --places[told.home];
        return places;
    }

    static std::string show(const Places& places) {
        std::string out;
        for (int count : places) out += std::to_string(count) + " ";
        return out;
    }

    void look(OpenStore& store, std::size_t box, std::map<std::string, Places>& found) {
        const auto state = store.mail->state(store.boxes[box]);
        ASSERT_TRUE(state) << state.error().text;
        EXPECT_GE(state->uid_next, uid_next_[box]) << "a UID is given again";
        EXPECT_GT(state->uid_next, state->uids.max());
        uid_next_[box] = state->uid_next;
        std::map<std::string, bool> flagged;
        UidSet left = state->uids;
        while (!left.empty()) {
            const auto rows = store.mail->rows(store.boxes[box], left, 1000, true);
            ASSERT_TRUE(rows) << rows.error().text;
            ASSERT_FALSE(rows->empty()) << "rows are missing";
            for (const MessageRow& row : *rows) {
                ++found[row.summary][box];
                left.remove(row.uid);
                const auto body = store.mail->read(row.blob, 0, row.size);
                ASSERT_TRUE(body) << row.summary << ": " << body.error().text;
                EXPECT_TRUE(*body == body_of(row.summary)) << "another body: " << row.summary;
                flagged[row.summary] |=
                    row.flags.has(SystemFlag::seen) && row.flags.keywords.size() == 1;
                EXPECT_EQ(row.flags.has(SystemFlag::seen), !state->unseen.contains(row.uid));
            }
        }
        for (const auto& [message, told] : told_) {
            const bool stays = told.open != "move" && told.open != "expunge";
            if (told.flagged && told.home == box && stays && told.places[box] > 0) {
                EXPECT_TRUE(flagged[message]) << "the flags are lost: " << message;
            }
        }
    }

    std::map<std::string, Told> told_;
    std::array<Uid, std::size(names)> uid_next_{};
    int ended_ = 0;
};

inline unsigned number_from_environment(const char* name, unsigned otherwise) {
    const char* text = std::getenv(name);
    return text == nullptr ? otherwise : static_cast<unsigned>(std::stoul(text));
}

// `postern store check` has nothing to say.
inline void expect_sound(kv::Store& store) {
    care::CheckOptions options;
    options.alone = true;
    options.found = [](const care::Finding& finding) {
        ADD_FAILURE() << finding.where << ": " << finding.what;
    };
    const auto report = care::check_store(store, options);
    ASSERT_TRUE(report) << report.error().text;
}

}  // namespace postern::mail

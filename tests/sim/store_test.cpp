// Random sessions against the mail store over an engine that fails, doubts and crashes, beside a
// plain model: after each step the store must say what the model says. Time is virtual, one step
// after the other, so that a seed replays alone.
//
// POSTERN_SIM_SEEDS (40 by default) says how many, POSTERN_SIM_SEED the only one to run.
#include "store/care/check.h"
#include "store/kv/faulty.h"
#include "store/kv/random_id.h"
#include "store/mail/mail_store.h"
#include "tests/sim/model.h"
#include "tests/store/support/mail_text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace postern::sim {
namespace {

using mail::Done;
using mail::wait;

constexpr AccountId account{1};
constexpr AccountId others[] = {{2}, {3}};
constexpr const char* names[] = {"INBOX", "Archive", "Trash"};
constexpr int steps_per_session = 60;
constexpr int max_tries = 20;

class Session {
public:
    explicit Session(unsigned seed) : random_(seed), memory_(kv::make_memory_store()) {}

    void run() {
        start();
        for (int step = 0; step < steps_per_session && !failed(); ++step) {
            maybe_break();
            act();
            if (faulty_->crashed()) start();
            if (pick(5) == 0) compare();
        }
        faulty_->clear();
        compare();
        care::CheckOptions options;
        options.found = [](const care::Finding& finding) {
            ADD_FAILURE() << finding.where << ": " << finding.what;
        };
        EXPECT_TRUE(care::check_store(*memory_, options));
    }

private:
    static bool failed() { return testing::Test::HasFailure(); }
    unsigned pick(unsigned count) { return static_cast<unsigned>(random_()) % count; }

    // A new process over what the engine kept.
    void start() {
        mail_.reset();
        faulty_ = std::make_unique<kv::FaultyStore>(memory_);
        auto opened =
            mail::MailStore::open(*faulty_, [this] { return from_unix_ms(now_ms_ += 10); });
        ASSERT_TRUE(opened) << opened.error().text;
        mail_ = std::move(*opened);
        ASSERT_TRUE(
            wait<void>([&](Done<void> done) { mail_->create_account(account, std::move(done)); }));
        for (std::size_t i = 0; i < std::size(names); ++i) {
            const auto found = mail_->find(account, names[i]);
            ASSERT_TRUE(found);
            boxes_[i] = found->id;
        }
    }

    void maybe_break() {
        constexpr kv::Fault faults[] = {kv::Fault::fail,         kv::Fault::unknown_done,
                                        kv::Fault::unknown_lost, kv::Fault::crash,
                                        kv::Fault::crash_after,  kv::Fault::delay};
        if (pick(2) == 0) faulty_->inject(1 + pick(12), faults[pick(std::size(faults))]);
    }

    // Tries until it is known what happened: a change whose outcome is an error is looked up.
    void act() {
        switch (pick(11)) {
            case 10:
                return turn_own_seen();
            case 0:
            case 1:
            case 2:
            case 3:
                return append();
            case 4:
            case 5:
                return flag();
            case 6:
                return expunge();
            default:
                return transfer();
        }
    }

    // The answer once the engine works again. A crash is a restart in between.
    template <class T, class Start>
    Result<T> insist(Start start) {
        for (int attempt = 0; attempt < max_tries; ++attempt) {
            if (faulty_->crashed()) this->start();
            auto result = wait<T>(start);
            if (result) return result;
            faulty_->clear();
        }
        return Error{Errc::internal, "never answered"};
    }

    void append() {
        const unsigned box = pick(std::size(names));
        ModelMessage message;
        message.text = "message " + std::to_string(++count_) + std::string(pick(300), 'x');
        if (pick(12) == 0) {
            message.text = test::with_attachment(pick(1000), test::attachment(pick(2), 66'000));
        }
        if (pick(2) == 0) message.system_flags = 1 << pick(5);
        if (pick(3) == 0) message.keywords = {"k" + std::to_string(pick(3))};
        mail::NewMessage fresh;
        fresh.bytes = std::make_shared<const std::string>(message.text);
        fresh.flags.system = message.system_flags;
        fresh.flags.keywords = message.keywords;
        const OperationId operation = kv::random_id();
        const AccountId who = somebody();
        keep_seen(message, model_[box], who);
        // The same operation again and again is one message.
        const auto appended = insist<mail::Appended>([&](Done<mail::Appended> done) {
            mail_->append({boxes_[box], who}, fresh, operation, std::move(done));
        });
        ASSERT_TRUE(appended) << appended.error().text;
        EXPECT_EQ(appended->uid, model_[box].add(message));
    }

    UidSet some(unsigned box) {
        UidSet uids;
        for (const auto& [uid, message] : model_[box].messages) {
            if (pick(3) == 0) uids.add(uid);
        }
        return uids;
    }

    // The owner, or somebody else.
    AccountId somebody() { return pick(2) == 0 ? account : others[pick(std::size(others))]; }

    static constexpr auto seen_bit = static_cast<std::uint8_t>(SystemFlag::seen);

    // Flags as `who` sees or makes them, and as the model keeps them.
    static ModelMessage seen_as(ModelMessage message, const ModelMailbox& box, AccountId who) {
        if (!box.own_seen || who == account) return message;
        message.system_flags &= static_cast<std::uint8_t>(~seen_bit);
        if (message.seen_by.count(who) != 0) message.system_flags |= seen_bit;
        return message;
    }
    static void keep_seen(ModelMessage& message, const ModelMailbox& box, AccountId who,
                          std::uint8_t owners = 0) {
        if (!box.own_seen || who == account) return;
        const bool seen = (message.system_flags & seen_bit) != 0;
        message.seen_by.erase(who);
        if (seen) message.seen_by.insert(who);
        message.system_flags =
            static_cast<std::uint8_t>((message.system_flags & ~seen_bit) | (owners & seen_bit));
    }
    static void begin_own(ModelMessage& message) {
        if ((message.system_flags & seen_bit) == 0) return;
        message.seen_by.insert(std::begin(others), std::end(others));
    }
    // A copy, by `who`.
    static ModelMessage copied(const ModelMessage& message, const ModelMailbox& from,
                               const ModelMailbox& to, AccountId who) {
        ModelMessage copy = message;
        if (!to.own_seen) {
            copy = seen_as(message, from, who);
            copy.seen_by.clear();
        } else if (!from.own_seen) {
            begin_own(copy);
        }
        return copy;
    }

    void turn_own_seen() {
        const unsigned box = pick(std::size(names));
        const bool on = pick(3) != 0;
        const auto done = insist<void>(
            [&](Done<void> answer) { mail_->set_own_seen(boxes_[box], on, std::move(answer)); });
        ASSERT_TRUE(done) << done.error().text;
        if (on == model_[box].own_seen) return;
        model_[box].own_seen = on;
        for (auto& [uid, message] : model_[box].messages) {
            message.seen_by.clear();
            if (on) begin_own(message);
        }
    }

    void flag() {
        const unsigned box = pick(std::size(names));
        const AccountId who = somebody();
        const UidSet uids = some(box);
        mail::FlagChange change;
        change.mode = static_cast<FlagMode>(pick(3));
        change.flags.system = static_cast<std::uint8_t>(pick(32));
        if (pick(2) == 0) change.flags.keywords = {"k" + std::to_string(pick(3))};
        // Once more does no harm: each mode ends in the same flags.
        const auto done = insist<mail::FlagResult>([&](Done<mail::FlagResult> answer) {
            mail_->change_flags({boxes_[box], who}, uids, change, std::move(answer));
        });
        ASSERT_TRUE(done) << done.error().text;
        for (const Uid uid : uids.to_vector()) {
            ModelMessage& message = model_[box].messages[uid];
            const std::uint8_t owners = message.system_flags;
            message = seen_as(message, model_[box], who);
            apply(message, change);
            keep_seen(message, model_[box], who, owners);
        }
        for (const auto& [uid, flags] : done->changed) {
            EXPECT_EQ(flags.system,
                      seen_as(model_[box].messages[uid], model_[box], who).system_flags);
            EXPECT_EQ(flags.keywords, model_[box].messages[uid].keywords);
        }
    }

    static void apply(ModelMessage& message, const mail::FlagChange& change) {
        auto& own = message.keywords;
        const auto& named = change.flags.keywords;
        if (change.mode == FlagMode::replace) {
            message.system_flags = change.flags.system;
            own = named;
        } else if (change.mode == FlagMode::add) {
            message.system_flags |= change.flags.system;
            own.insert(own.end(), named.begin(), named.end());
        } else {
            message.system_flags &= static_cast<std::uint8_t>(~change.flags.system);
            for (const auto& name : named)
                own.erase(std::remove(own.begin(), own.end(), name), own.end());
        }
        std::sort(own.begin(), own.end());
        own.erase(std::unique(own.begin(), own.end()), own.end());
    }

    void expunge() {
        const unsigned box = pick(std::size(names));
        const UidSet uids = some(box);
        const auto done = insist<UidSet>([&](Done<UidSet> answer) {
            mail_->expunge(boxes_[box], uids, true, std::move(answer));
        });
        ASSERT_TRUE(done) << done.error().text;
        for (const Uid uid : uids.to_vector()) model_[box].messages.erase(uid);
    }

    // Of a move that failed half-way a restart finishes the rest: only then is it known what became
    // of it, and the model follows what is there, message by message.
    void transfer() {
        const unsigned from = pick(std::size(names));
        const unsigned to = pick(std::size(names));
        const UidSet uids = some(from);
        if (from == to || uids.empty()) return;
        const bool move = pick(3) != 0;
        const AccountId who = somebody();
        const auto done = wait<mail::Copied>([&](Done<mail::Copied> answer) {
            move ? mail_->move({boxes_[from], who}, uids, boxes_[to], std::move(answer))
                 : mail_->copy({boxes_[from], who}, uids, boxes_[to], std::move(answer));
        });
        if (done) {
            EXPECT_EQ(done->from, uids.to_vector());
            for (std::size_t i = 0; i < done->from.size(); ++i) {
                const auto& source = model_[from].messages[done->from[i]];
                EXPECT_EQ(done->to[i],
                          model_[to].add(copied(source, model_[from], model_[to], who)));
                if (move) model_[from].messages.erase(done->from[i]);
            }
            return;
        }
        start();
        settle_transfer(from, to, move);
    }

    void settle_transfer(unsigned from, unsigned to, bool move) {
        auto source = read(from);
        auto target = read(to);
        std::size_t arrived = 0;
        for (const auto& [uid, message] : target.messages) {
            if (model_[to].messages.count(uid) == 0) ++arrived;
        }
        std::size_t left = 0;
        for (const auto& [uid, message] : model_[from].messages) {
            if (source.messages.count(uid) == 0) ++left;
        }
        if (move) {
            EXPECT_EQ(arrived, left) << "a message was lost or doubled by a move";
        } else {
            EXPECT_EQ(left, 0u);
        }
        for (const auto& [uid, message] : target.messages) {
            const auto known = model_[to].messages.find(uid);
            if (known != model_[to].messages.end()) {
                EXPECT_TRUE(known->second == message);
                continue;
            }
            const bool moved =
                std::any_of(model_[from].messages.begin(), model_[from].messages.end(),
                            [&](const auto& entry) { return entry.second.text == message.text; });
            EXPECT_TRUE(moved) << "a message from nowhere";
        }
        EXPECT_GE(target.uid_next, model_[to].uid_next);
        model_[from] = std::move(source);
        model_[to] = std::move(target);
    }

    ModelMailbox read(unsigned box) {
        faulty_->clear();
        ModelMailbox found;
        const auto state = mail_->state(boxes_[box]);
        EXPECT_TRUE(state);
        if (!state) return found;
        found.uid_next = state->uid_next;
        found.own_seen = state->own_seen;
        EXPECT_EQ(found.own_seen, model_[box].own_seen);
        const auto rows = mail_->rows(boxes_[box], state->uids, 1000, false);
        EXPECT_TRUE(rows);
        if (!rows) return found;
        EXPECT_EQ(rows->size(), state->uids.size());
        for (const auto& row : *rows) {
            const auto text = mail_->read(row.blob, 0, row.size);
            EXPECT_TRUE(text) << row.uid;
            found.messages[row.uid] = {text ? *text : "", row.flags.system, row.flags.keywords, {}};
            EXPECT_EQ(row.flags.has(SystemFlag::seen), !state->unseen.contains(row.uid));
        }
        for (const AccountId who : others) {
            const auto seen = mail_->with_flag({boxes_[box], who}, SystemFlag::seen);
            EXPECT_TRUE(seen);
            if (!seen) continue;
            if (!found.own_seen) {
                EXPECT_EQ(*seen, state->uids - state->unseen);
            }
            for (const Uid uid : seen->to_vector()) {
                if (found.own_seen) found.messages[uid].seen_by.insert(who);
            }
        }
        const auto status = mail_->status(boxes_[box]);
        EXPECT_EQ(status->messages, found.messages.size());
        EXPECT_EQ(status->bytes, found.bytes());
        return found;
    }

    void compare() {
        if (faulty_->crashed()) start();
        for (unsigned box = 0; box < std::size(names); ++box) {
            const ModelMailbox found = read(box);
            EXPECT_TRUE(found.messages == model_[box].messages) << names[box];
            EXPECT_GE(found.uid_next, model_[box].uid_next);
            model_[box].uid_next = found.uid_next;
        }
    }

    std::mt19937 random_;
    std::int64_t now_ms_ = 1'700'000'000'000;
    std::shared_ptr<kv::Store> memory_;
    std::unique_ptr<kv::FaultyStore> faulty_;
    std::unique_ptr<mail::MailStore> mail_;
    MailboxId boxes_[std::size(names)];
    ModelMailbox model_[std::size(names)];
    int count_ = 0;
};

TEST(Sim, SaysWhatThePlainModelSays) {
    const char* only = std::getenv("POSTERN_SIM_SEED");
    if (only != nullptr) return Session(static_cast<unsigned>(std::stoul(only))).run();
    const char* many = std::getenv("POSTERN_SIM_SEEDS");
    const unsigned count = many == nullptr ? 40 : static_cast<unsigned>(std::stoul(many));
    const unsigned first = std::random_device{}();
    for (unsigned i = 0; i < count && !HasFailure(); ++i) {
        Session(first + i).run();
        EXPECT_FALSE(HasFailure()) << "POSTERN_SIM_SEED=" << first + i;
    }
}

}  // namespace
}  // namespace postern::sim

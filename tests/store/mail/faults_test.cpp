// Each change with each call of the engine failing in turn, in each way: what was answered holds,
// and after a restart the account is as before the change or as after it.
#include "store/kv/faulty.h"
#include "tests/store/mail/fixture.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <set>

namespace postern::mail {
namespace {

constexpr AccountId account{7};
constexpr AccountId other_account{8};

// One account over one engine; what a test does with it is written as plain calls.
class World {
public:
    explicit World(kv::Store& store) {
        auto opened = MailStore::open(store, [] { return from_unix_ms(1'700'000'000'000); });
        if (opened) mail_ = *std::move(opened);
    }

    bool is_open() const { return mail_ != nullptr; }
    MailStore& mail() { return *mail_; }

    MailboxId id(const std::string& name) {
        const auto info = mail_->find(account, name);
        return info ? info->id : MailboxId{};
    }
    bool create_account(AccountId which) {
        return bool(wait<void>([&](Done<void> done) { mail_->create_account(which, done); }));
    }
    Result<Appended> append(const std::string& mailbox, const std::string& text,
                            OperationId operation) {
        NewMessage message;
        message.bytes = std::make_shared<const std::string>(text);
        message.summary = "summary of " + text;
        message.flags.set(SystemFlag::flagged);
        message.flags.keywords = {"$Label"};
        const MailboxId target = id(mailbox);
        return wait<Appended>([&](Done<Appended> done) {
            mail_->append(target, std::move(message), operation, std::move(done));
        });
    }
    bool create(const std::string& name) {
        return bool(wait<MailboxInfo>([&](Done<MailboxInfo> done) {
            mail_->create(account, name, SpecialUse::none, std::move(done));
        }));
    }

    // Names, texts and flags of the whole account, as text.
    std::string picture() {
        std::string out;
        const auto list = mail_->list(account);
        if (!list) return "unreadable: " + list.error().text;
        for (const MailboxInfo& info : *list) {
            out += info.name + (info.selectable ? "" : " (no select)") +
                   (info.subscribed ? " subscribed" : "") + "\n";
            if (info.selectable) out += messages(info.id);
        }
        return out;
    }

private:
    std::string messages(MailboxId mailbox) {
        std::string out;
        const auto state = mail_->state(mailbox);
        if (!state) return " unreadable: " + state.error().text + "\n";
        const auto rows = mail_->rows(mailbox, state->uids, 1000, true);
        if (!rows) return " unreadable: " + rows.error().text + "\n";
        if (rows->size() != state->uids.size()) out += " rows missing\n";
        std::uint64_t bytes = 0;
        for (const MessageRow& row : *rows) {
            const auto text = mail_->read(row.blob, 0, row.size);
            const std::string body = text ? *text : "unreadable: " + text.error().text;
            out += " " + body + (row.summary == "summary of " + body ? "" : " (no summary)");
            out += " " + std::to_string(row.flags.system);
            for (const std::string& keyword : row.flags.keywords) out += " " + keyword;
            out += state->recent.contains(row.uid) ? " recent\n" : "\n";
            bytes += row.size;
            if (row.uid >= state->uid_next) out += " uid over uid_next\n";
        }
        if (bytes != state->bytes) out += " sum of sizes is wrong\n";
        return out;
    }

    std::unique_ptr<MailStore> mail_;
};

bool prepare(World& world) {
    bool good = world.create_account(account) && world.create("Folder/Child");
    for (int i = 0; i < 3; ++i) {
        good = good && world.append("INBOX", "message " + std::to_string(i), kv::random_id());
    }
    return good && world.append("Folder", "in the folder", kv::random_id());
}

struct Scenario {
    std::string name;
    std::function<bool(World&)> run;  // whether it answered success
};

template <class T, class Start>
bool succeeds(Start start) {
    return bool(wait<T>(std::move(start)));
}

UidSet first_two() {
    return {1, 2};
}

Flags deleted_and_keyword() {
    Flags flags;
    flags.set(SystemFlag::deleted);
    flags.keywords = {"new"};
    return flags;
}

std::vector<Scenario> together_scenarios() {
    return {
        {"append_together",
         [](World& world) {
             std::vector<NewMessage> messages(3);
             for (std::size_t i = 0; i < messages.size(); ++i) {
                 const std::string text = "together " + std::to_string(i);
                 messages[i].bytes = std::make_shared<const std::string>(text);
                 messages[i].summary = "summary of " + text;
             }
             messages[1].flags = deleted_and_keyword();
             return succeeds<std::vector<Appended>>([&](Done<std::vector<Appended>> done) {
                 world.mail().append_together(world.id("INBOX"), messages, {}, done);
             });
         }},
        {"replace",
         [](World& world) {
             std::vector<NewMessage> messages(1);
             messages[0].bytes = std::make_shared<const std::string>("new");
             messages[0].summary = "summary of new";
             const MailboxId inbox = world.id("INBOX");
             return succeeds<std::vector<Appended>>([&](Done<std::vector<Appended>> done) {
                 world.mail().append_together(inbox, messages, {inbox, 2}, done);
             });
         }},
        {"append_in_steps",
         [](World& world) {
             std::vector<NewMessage> messages(2);  // with too many keywords for one batch
             for (std::size_t i = 0; i < messages.size(); ++i) {
                 const std::string text = "step " + std::to_string(i);
                 messages[i].bytes = std::make_shared<const std::string>(text);
                 messages[i].summary = "summary of " + text;
                 for (std::size_t k = 0; k < max_together_keywords; ++k) {
                     messages[i].flags.keywords.push_back("k" + std::to_string(k + i));
                 }
             }
             return succeeds<std::vector<Appended>>([&](Done<std::vector<Appended>> done) {
                 world.mail().append_together(world.id("INBOX"), messages, {}, done);
             });
         }},
        {"replace_elsewhere",
         [](World& world) {
             std::vector<NewMessage> messages(1);
             messages[0].bytes = std::make_shared<const std::string>("new");
             messages[0].summary = "summary of new";
             return succeeds<std::vector<Appended>>([&](Done<std::vector<Appended>> done) {
                 world.mail().append_together(world.id("Folder"), messages, {world.id("INBOX"), 2},
                                              done);
             });
         }},
    };
}

std::vector<Scenario> message_scenarios() {
    return {
        {"append",
         [](World& world) { return bool(world.append("INBOX", "new", kv::random_id())); }},
        {"append_again",
         [](World& world) {
             // As a deliverer does that was not told of the outcome.
             const OperationId operation = kv::random_id();
             const auto first = world.append("INBOX", "new", operation);
             const auto second = world.append("INBOX", "new", operation);
             if (first && second) {
                 EXPECT_EQ(first->uid, second->uid);
             }
             return bool(first) || bool(second);
         }},
        {"change_flags",
         [](World& world) {
             return succeeds<FlagResult>([&](Done<FlagResult> done) {
                 world.mail().change_flags(world.id("INBOX"), first_two(),
                                           {FlagMode::add, deleted_and_keyword(), {}}, done);
             });
         }},
        {"expunge",
         [](World& world) {
             return succeeds<UidSet>([&](Done<UidSet> done) {
                 world.mail().expunge(world.id("INBOX"), first_two(), true, done);
             });
         }},
        {"take_recent",
         [](World& world) {
             return succeeds<UidSet>(
                 [&](Done<UidSet> done) { world.mail().take_recent(world.id("INBOX"), done); });
         }},
        {"copy",
         [](World& world) {
             return succeeds<Copied>([&](Done<Copied> done) {
                 world.mail().copy(world.id("INBOX"), first_two(), world.id("Archive"), done);
             });
         }},
        {"move",
         [](World& world) {
             return succeeds<Copied>([&](Done<Copied> done) {
                 world.mail().move(world.id("INBOX"), first_two(), world.id("Archive"), done);
             });
         }},
        {"move_onto_itself",
         [](World& world) {
             return succeeds<Copied>([&](Done<Copied> done) {
                 world.mail().move(world.id("INBOX"), first_two(), world.id("INBOX"), done);
             });
         }},
    };
}

std::vector<Scenario> name_scenarios() {
    return {
        {"create", [](World& world) { return world.create("a/b/c"); }},
        {"create_account", [](World& world) { return world.create_account(other_account); }},
        {"remove",
         [](World& world) {
             return succeeds<void>(
                 [&](Done<void> done) { world.mail().remove(account, "Folder", done); });
         }},
        {"remove_leaf",
         [](World& world) {
             return succeeds<void>(
                 [&](Done<void> done) { world.mail().remove(account, "Folder/Child", done); });
         }},
        {"rename",
         [](World& world) {
             return succeeds<void>([&](Done<void> done) {
                 world.mail().rename(account, "Folder", "New/Deep", done);
             });
         }},
        {"subscribe",
         [](World& world) {
             return succeeds<void>(
                 [&](Done<void> done) { world.mail().subscribe(account, "Folder", true, done); });
         }},
        {"remove_account",
         [](World& world) {
             return succeeds<void>(
                 [&](Done<void> done) { world.mail().remove_account(account, done); });
         }},
    };
}

class Faults : public testing::TestWithParam<Scenario> {
protected:
    // Runs the scenario on a fresh account; the nth call of the engine goes wrong. False when the
    // scenario makes fewer calls.
    bool attempt(std::uint64_t nth, kv::Fault fault) {
        std::shared_ptr<kv::Store> engine = kv::make_memory_store();
        bool answered = false;
        bool happened = false;
        {
            kv::FaultyStore faulty(engine);
            World world(faulty);
            EXPECT_TRUE(world.is_open() && prepare(world));
            faulty.inject(nth, fault);
            const std::uint64_t before = faulty.calls();
            answered = GetParam().run(world);
            happened = faulty.calls() - before >= nth;
            faulty.clear();
        }
        World after(*engine);
        EXPECT_TRUE(after.is_open()) << "can not be opened after call " << nth;
        if (!after.is_open()) return happened;
        const std::string picture = after.picture();
        if (answered) {
            EXPECT_EQ(picture, after_) << "answered, but is not so, after call " << nth;
        } else if (picture != after_) {
            EXPECT_EQ(picture, before_) << "neither before nor after, after call " << nth;
        }
        return happened;
    }

    void SetUp() override {
        const std::shared_ptr<kv::Store> engine = kv::make_memory_store();
        {
            World world(*engine);
            ASSERT_TRUE(prepare(world));
            before_ = world.picture();
            ASSERT_TRUE(GetParam().run(world));
        }
        World world(*engine);
        after_ = world.picture();
        EXPECT_THAT(before_ + after_, testing::Not(testing::HasSubstr("unreadable")));
    }

    void try_all(kv::Fault fault) {
        std::uint64_t nth = 1;
        while (attempt(nth, fault)) ++nth;
        EXPECT_GT(nth, 1u);
    }

    std::string before_;
    std::string after_;
};

TEST_P(Faults, ACallFails) {
    try_all(kv::Fault::fail);
}
TEST_P(Faults, ACommitIsDoneButAnswersUnknown) {
    try_all(kv::Fault::unknown_done);
}
TEST_P(Faults, ACommitIsLostAndAnswersUnknown) {
    try_all(kv::Fault::unknown_lost);
}
TEST_P(Faults, TheProcessDiesBeforeACall) {
    try_all(kv::Fault::crash);
}
TEST_P(Faults, TheProcessDiesAfterACommit) {
    try_all(kv::Fault::crash_after);
}

// The client may append the same again at once, and must not see it twice then.
TEST(FaultsOfUndoing, AreOverBeforeTheClientHearsOfTheFailure) {
    const auto scenarios = together_scenarios();
    const auto found = std::find_if(scenarios.begin(), scenarios.end(), [](const Scenario& each) {
        return each.name == "append_in_steps";
    });
    ASSERT_TRUE(found != scenarios.end());
    constexpr std::uint64_t in_a_row = 3;
    std::uint64_t failed = 0;
    bool happened = true;
    for (std::uint64_t nth = 1; happened; ++nth) {
        kv::FaultyStore faulty(kv::make_memory_store());
        World world(faulty);
        ASSERT_TRUE(world.is_open() && prepare(world));
        const std::string before = world.picture();
        const std::uint64_t calls = faulty.calls();
        for (std::uint64_t i = 0; i < in_a_row; ++i) faulty.inject(nth + i, kv::Fault::fail);
        const bool answered = found->run(world);
        happened = faulty.calls() - calls >= nth;
        faulty.clear();
        if (answered) continue;
        ++failed;
        EXPECT_EQ(world.picture(), before) << "after call " << nth;
    }
    EXPECT_GT(failed, 0u);
}

const auto name_of = [](const auto& scenario) { return scenario.param.name; };
INSTANTIATE_TEST_SUITE_P(Together, Faults, testing::ValuesIn(together_scenarios()), name_of);
INSTANTIATE_TEST_SUITE_P(Messages, Faults, testing::ValuesIn(message_scenarios()), name_of);
INSTANTIATE_TEST_SUITE_P(Names, Faults, testing::ValuesIn(name_scenarios()), name_of);

}  // namespace
}  // namespace postern::mail

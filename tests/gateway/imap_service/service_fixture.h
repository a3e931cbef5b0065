// An IMAP service over a memory store, asked question by question without engine or socket.
#pragma once

#include "gateway/auth/password.h"
#include "gateway/imap_service/imap_service.h"
#include "gateway/limits/inflight_budget.h"
#include "store/directory/directory.h"
#include "tests/gateway/fake_session.h"
#include "tests/gateway/imap_service/mailbox_fixture.h"
#include "tests/gateway/temporary_folder.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace postern::imap_service {

using net::FakeSession;

inline config::Config quick_failures() {
    config::Config config;
    config.auth.failure_delay_ms = 1;
    return config;
}

class ServiceTest : public MailboxTest {
protected:
    // One connection.
    struct Connection {
        explicit Connection(const Backends& backends) : service(backends, session) {}
        FakeSession session;
        ImapService service;
    };

    void SetUp() override {
        MailboxTest::SetUp();
        ASSERT_TRUE(directory_.add_domain("example.org"));
        auto user = directory_.add_user("ann@example.org", *auth::hash_password("secret"));
        ASSERT_TRUE(user.has_value());
        account_ = user->id;
        ASSERT_TRUE(mail::wait<void>([&](auto done) { mail_->create_account(account_, done); }));
        learning::LearningOptions options;
        options.folder = folder_.path("filter");
        auto opened =
            learning::Learning::open(*kv_, filters::make_models(16 * 1024 * 1024), options);
        ASSERT_TRUE(opened.has_value());
        learning_ = std::move(*opened);
        sharing_.emplace(directory_, shares_, *mail_);
        backends_.emplace(
            Backends{config_, *mail_, authenticator_, *learning_, pool_, budget_, *sharing_});
        first_ = connect();
    }

    std::unique_ptr<Connection> connect(bool log_in = true) {
        auto connection = std::make_unique<Connection>(*backends_);
        if (log_in) {
            const imap::Authenticate login{"PLAIN", "", "ann@example.org", "secret"};
            EXPECT_TRUE(std::holds_alternative<imap::Done>(ask(*connection, login)));
        }
        return connection;
    }

    imap::Answer ask(Connection& connection, imap::Question question) {
        std::optional<imap::Answer> answer;
        io_.restart();
        boost::asio::co_spawn(io_, connection.service.answer(std::move(question)),
                              [&](std::exception_ptr failed, imap::Answer given) {
                                  EXPECT_FALSE(failed);
                                  answer = std::move(given);
                              });
        io_.run();
        return std::move(*answer);
    }
    // The answer, which must be of that kind.
    template <class Kind>
    Kind get(Connection& connection, imap::Question question) {
        auto answer = ask(connection, std::move(question));
        if (const auto* failure = std::get_if<imap::Failure>(&answer)) {
            ADD_FAILURE() << failure->code << " " << failure->text;
        }
        return std::holds_alternative<Kind>(answer) ? std::get<Kind>(answer) : Kind{};
    }
    std::string failure_code(Connection& connection, imap::Question question) {
        auto answer = ask(connection, std::move(question));
        const auto* failure = std::get_if<imap::Failure>(&answer);
        return failure != nullptr ? failure->code : "no failure";
    }

    boost::asio::io_context io_;
    TemporaryFolder folder_;
    config::Current config_{quick_failures()};
    directory::Directory directory_{*kv_};
    directory::Shares shares_{*kv_};
    std::optional<sharing::Sharing> sharing_;
    net::WorkPool pool_{2, 100};
    auth::Authenticator authenticator_{directory_, pool_, config_};
    limits::InflightBudget budget_{1000};
    std::unique_ptr<learning::Learning> learning_;
    std::optional<Backends> backends_;
    std::unique_ptr<Connection> first_;
};

}  // namespace postern::imap_service

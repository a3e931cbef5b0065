#include "gateway/imap_service/imap_service.h"

#include "gateway/imap_service/failure.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>

namespace postern::imap_service {

ImapService::~ImapService() {
    *gone_ = true;
}

net::Awaitable<imap::Answer> ImapService::answer(imap::Question question) {
    return std::visit([this](auto& each) { return on(std::move(each)); }, question);
}

imap::Failure ImapService::failure(const Error& error) {
    const bool ours = error.code == Errc::unavailable || error.code == Errc::corrupt ||
                      error.code == Errc::internal;
    if (ours) {
        session_.log(logging::Level::error, "imap request failed",
                     {{"user", user_}, {"reason", error.text}});
    }
    imap::Failure failure = to_failure(error);
    if (error.code == Errc::not_found && selected_) {
        const auto there = backends_.mail.status(selected_->place.box.id);
        failure.mailbox_gone = !there && there.error().code == Errc::not_found;
    }
    return failure;
}

namespace {

// A flag that one person sets is seen by the others in IDLE within 100 ms, and a burst of mail
// wakes a phone once for each such while.
constexpr std::chrono::milliseconds idle_gather{25};

}  // namespace

net::ConversationFactory make_factory(const Backends& backends) {
    return [&backends](net::Session& session) {
        const auto config = backends.config.get();
        imap::Config engine;
        engine.hostname = config->hostname;
        engine.tls_offered = true;
        engine.allow_plaintext_auth = config->auth.allow_plaintext;
        engine.more_mechanisms = backends.authenticator.mechanisms();
        engine.max_append_bytes = config->smtp.max_message_bytes;
        engine.message_limit = static_cast<std::uint32_t>(config->imap.message_limit);
        engine.withheld = config->imap.withheld;
        engine.compression_offered =
            std::find(engine.withheld.begin(), engine.withheld.end(), "COMPRESS=DEFLATE") ==
            engine.withheld.end();
        engine.idle_gather = idle_gather;
        return net::make_conversation<ImapProtocol>(
            engine, session, std::make_unique<ImapService>(backends, session));
    };
}

std::string refusal() {
    return "* BYE [UNAVAILABLE] Too many connections, try again later\r\n";
}

}  // namespace postern::imap_service

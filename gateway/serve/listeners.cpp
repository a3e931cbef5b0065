#include "gateway/log/log.h"
#include "gateway/serve/daemon.h"
#include "gateway/serve/serve.h"
#include "gateway/serve/web.h"
#include "protocols/wire/ip_address.h"

namespace postern::serve {

namespace {

// The names that IANA lists; "smtp" is not among them but what SMTP software says.
std::string alpn_of(const std::string& service) {
    for (const char* name : {"imap", "pop3", "lmtp"}) {
        if (service.starts_with(name)) return name;
    }
    return service == "https" ? "http/1.1" : "smtp";
}

}  // namespace

std::optional<Failure> Daemon::open_listeners() {
    const auto config = config_.get();
    server_ = std::make_unique<net::Server>(
        net::ServerOptions{static_cast<unsigned>(config->limits.threads),
                           std::chrono::seconds(config->limits.write_timeout_s)});
    server_->set_tls(tls_);
    authenticator_ = std::make_unique<auth::Authenticator>(*directory_, login_pool_, config_,
                                                           credentials_.get());
    authenticator_->set_tokens(tokens_);
    delivery_ = std::make_unique<delivery::Delivery>(delivery::Delivery::Backends{
        *mail_,
        *spool_,
        [this](std::string_view bytes, const mime::Message& parsed, filters::Connection connection,
               Time now) { return scanner_->scan(bytes, parsed, std::move(connection), now); },
        config_,
        [this](std::function<net::Awaitable<void>()> job) { server_->spawn(std::move(job)); },
        {[this](delivery::Outgoing mail) { return queue_mail(std::move(mail)); },
         [this](OperationId id) { return outbound_->withdraw(id); },
         [this](OperationId id) { outbound_->stands(id); }}});
    if (auto failure = open_outbound()) return failure;
    sharing_ = std::make_unique<sharing::Sharing>(*directory_, *shares_, *mail_);
    smtp_ = std::make_unique<smtp_service::Backends>(smtp_service::Backends{
        config_, *resolver_, *authenticator_, *delivery_, budget_, rates_, *outbound_,
        *recipient_check_, *learning_, *sharing_, search_pool_,
        [this](std::function<net::Awaitable<void>()> job) { server_->spawn(std::move(job)); }});
    imap_ = std::make_unique<imap_service::Backends>(
        imap_service::Backends{config_, *mail_, *authenticator_, *learning_, search_pool_, budget_,
                               *sharing_, search_index_.get()});
    pop3_ = std::make_unique<pop3_service::Backends>(
        pop3_service::Backends{config_, *mail_, *authenticator_, maildrop_locks_, *preferences_});

    const auto mx = smtp_service::make_factory(*smtp_, smtp::Role::mx);
    const auto submission = smtp_service::make_factory(*smtp_, smtp::Role::submission);
    const auto lmtp = smtp_service::make_factory(*smtp_, smtp::Role::lmtp);
    const auto imap = imap_service::make_factory(*imap_);
    const auto pop3 = pop3_service::make_factory(*pop3_);
    auto no_smtp = [this] { return smtp_service::refusal(config_.get()->hostname); };
    opened_ = config->listeners;
    auto& on = opened_;
    std::optional<Failure> failure = listen("smtp", on.smtp, false, mx, smtp_limits_, no_smtp);
    if (!failure) {
        failure = listen("submission", on.submission, false, submission, smtp_limits_, no_smtp);
    }
    if (!failure) {
        failure = listen("submissions", on.submissions, true, submission, smtp_limits_, no_smtp);
    }
    if (!failure) failure = listen("lmtp", on.lmtp, false, lmtp, smtp_limits_, no_smtp);
    if (!failure)
        failure = listen("imap", on.imap, false, imap, imap_limits_, imap_service::refusal);
    if (!failure)
        failure = listen("imaps", on.imaps, true, imap, imap_limits_, imap_service::refusal);
    if (!failure)
        failure = listen("pop3", on.pop3, false, pop3, pop3_limits_, pop3_service::refusal);
    if (!failure)
        failure = listen("pop3s", on.pop3s, true, pop3, pop3_limits_, pop3_service::refusal);
    if (!failure) failure = open_web();
    return failure;
}

std::optional<Failure> Daemon::open_web() {
    const auto is_ours = [this](const std::string& domain) {
        const auto known = directory_->has_domain(domain);
        return known && *known;
    };
    const auto pages = http::make_factory([this, is_ours](const http::Request& request) {
        const auto config = config_.get();
        return public_page(request, *config, autoconfig::offer_of(config->hostname, opened_),
                           is_ours);
    });
    const auto watch =
        http::make_factory([this](const http::Request& request) { return watch_page(request); });
    auto& on = opened_;
    auto failure = listen("http", on.http, false, pages, web_limits_, {});
    if (!failure) failure = listen("https", on.https, true, pages, web_limits_, {});
    if (!failure) failure = listen("metrics", on.metrics, false, watch, web_limits_, {});
    return failure;
}

std::optional<Failure> Daemon::listen(const std::string& service,
                                      std::vector<config::Endpoint>& endpoints, bool implicit_tls,
                                      const net::ConversationFactory& factory,
                                      const std::shared_ptr<net::ConnectionLimits>& limits,
                                      const std::function<std::string()>& refusal) {
    auto& opened = ports_[service];
    std::vector<config::Endpoint> actual;
    for (auto endpoint : endpoints) {
        auto port =
            server_->listen({service, endpoint, implicit_tls, factory, limits, refusal,
                             [this](const std::string& peer) {
                                 return wire::is_among(config_.get()->trusted.proxy_protocol, peer);
                             },
                             alpn_of(service)});
        if (!port && port.error().code == Errc::unsupported && endpoint.address == "::") {
            logging::warning("no IPv6 here", {{"service", service}});
            continue;
        }
        if (!port) return Failure{exit_unavailable, port.error().text};
        endpoint.port = *port;
        opened.push_back(to_string(endpoint));
        actual.push_back(endpoint);
        logging::info("listening", {{"service", service}, {"address", opened.back()}});
    }
    endpoints = std::move(actual);
    return std::nullopt;
}

}  // namespace postern::serve

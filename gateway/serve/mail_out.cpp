// The way out: the queue, its courier, and reports to senders.
#include "gateway/addresses/resolver.h"
#include "gateway/clock/wall_clock.h"
#include "gateway/log/log.h"
#include "gateway/outbound/tls_required.h"
#include "gateway/serve/daemon.h"
#include "gateway/serve/serve.h"
#include "protocols/mime/seven_bit.h"
#include "protocols/wire/text.h"

#include <filesystem>

namespace postern::serve {

std::optional<Failure> Daemon::open_outbound() {
    const auto config = config_.get();
    dns::Options options;
    options.servers = config->dns.servers;
    options.timeout = std::chrono::milliseconds(config->dns.timeout_ms);
    std::error_code ignored;
    if (std::filesystem::exists(config->dns.trust_anchor_file, ignored)) {
        options.trust_anchor_file = config->dns.trust_anchor_file;
    } else if (!config->dns.trust_anchor_file.empty()) {
        logging::warning("no DNSSEC, and so no DANE",
                         {{"missing", config->dns.trust_anchor_file},
                          {"hint", "install dns-root-data, or set dns.trust_anchor_file"}});
    }
    auto resolver = dns::Resolver::make(options);
    if (!resolver) return Failure{exit_bad_config, resolver.error().text};
    dns_ = std::move(*resolver);
    auto made = dkim::Signer::make(config->dkim.keys);
    if (!made) return Failure{exit_bad_config, made.error().text};
    set_signer(std::move(*made));
    policies_ = std::make_unique<outbound::StsPolicies>(config_, *dns_, queue_pool_,
                                                        config->data_dir + "/mta-sts");
    courier_ = std::make_unique<outbound::Courier>(config_, *dns_, dialer_, policies_.get());
    recipient_check_ = std::make_unique<outbound::RecipientCheck>(config_, *courier_);
    outbound_ = std::make_unique<outbound::Outbound>(outbound::Outbound::Backends{
        *queue_, config_, *courier_, queue_pool_,
        [this](std::function<net::Awaitable<void>()> job) { server_->spawn(std::move(job)); },
        [this](std::string to, std::string report, bool require_tls) {
            return deliver_report(std::move(to), std::move(report), require_tls);
        }});
    return std::nullopt;
}

std::shared_ptr<const dkim::Signer> Daemon::signer() const {
    std::lock_guard lock(signer_mutex_);
    return signer_;
}

void Daemon::set_signer(std::shared_ptr<const dkim::Signer> signer) {
    std::lock_guard lock(signer_mutex_);
    signer_ = std::move(signer);
}

net::Awaitable<Result<void>> Daemon::queue_mail(delivery::Outgoing mail) {
    queue::Message message;
    message.id = mail.id;
    message.reverse_path = std::move(mail.reverse_path);
    message.queued_at = wall_clock();
    message.account = std::move(mail.account);
    message.envelope_id = std::move(mail.envelope_id);
    message.headers_only = mail.headers_only;
    message.require_tls = mail.require_tls;
    message.tls_waived = !mail.require_tls && outbound::waives_tls_policies(mail.bytes);
    message.spam = mail.spam;
    message.held = message.notice_owed = !mail.hold_reason.empty();
    for (auto& each : mail.recipients) {
        queue::Recipient recipient;
        recipient.address = std::move(each.address);
        recipient.original = std::move(each.original);
        recipient.notify = each.notify;
        recipient.next_attempt = message.queued_at;
        recipient.reason = mail.hold_reason.substr(0, queue::max_reason_bytes);
        message.recipients.push_back(std::move(recipient));
    }
    if (!message.account.empty()) {
        mail.bytes = signer()->signed_message(
            std::move(mail.bytes), outbound::domain_of(message.reverse_path), message.queued_at);
    }
    // Who asked for it may not need it: then any server will do.
    message.smtputf8 = mail.smtputf8 && mime::has_8bit_header(mail.bytes);
    co_return co_await outbound_->add(std::move(message), std::move(mail.bytes));
}

net::Awaitable<bool> Daemon::deliver_report(std::string to, std::string report, bool require_tls) {
    // Of servers without SMTPUTF8 many still take a domain's A-labels.
    to = addresses::ascii_address(to);
    auto found = resolver_->resolve(to);
    if (!found) {
        logging::error("report not sent", {{"to", to}, {"reason", found.error().text}});
        co_return found.error().code == Errc::limit;
    }
    if (!found->found()) {
        logging::info("report dropped, its recipient does not exist", {{"to", to}});
        co_return true;
    }
    delivery::Arrival arrival;
    arrival.session = "report";
    arrival.client_address = "127.0.0.1";
    arrival.helo = config_.get()->hostname;
    arrival.esmtp = true;
    arrival.ours = true;
    arrival.require_tls = require_tls;
    arrival.smtputf8 = !wire::is_ascii(to);
    std::vector<delivery::LocalRecipient> local;
    for (auto& user : found->users) local.push_back({std::move(user.address), user.id, false});
    std::vector<delivery::RemoteRecipient> remote;
    for (auto& address : found->others) {
        remote.push_back({std::move(address), smtp::notify_never, ""});
    }
    const auto sent = co_await delivery_->accept(std::move(arrival), std::move(local),
                                                 std::move(remote), std::move(report));
    co_return sent.has_value();
}

}  // namespace postern::serve

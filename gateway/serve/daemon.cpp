#include "gateway/serve/daemon.h"

#include "gateway/clock/wall_clock.h"
#include "gateway/config/shipped.h"
#include "gateway/log/log.h"
#include "gateway/pop3_service/expiry.h"
#include "gateway/scan/compiled_file.h"
#include "gateway/scan/from_config.h"
#include "gateway/serve/certificates.h"
#include "gateway/serve/serve.h"
#include "store/care/train_dictionary.h"
#include "store/kv/upgrade_copy.h"

#include <sys/resource.h>

#include <algorithm>
#include <thread>

namespace postern::serve {

namespace {

// A login waits for one of these; half the cores, so that a flood of logins cannot take them all.
unsigned login_threads() {
    return std::max(1u, std::thread::hardware_concurrency() / 2);
}
constexpr std::size_t max_waiting_logins = 1000;
constexpr unsigned search_threads = 2;
constexpr std::size_t max_waiting_searches = 1000;
// They wait for the disk: commits of several are joined.
constexpr unsigned queue_threads = 8;
constexpr std::size_t max_waiting_queue_calls = 10'000;

// Of setpriority(2), on Linux for the calling thread alone.
constexpr int rules_niceness = 10;

constexpr std::chrono::hours expiry_interval{1};
// Not at once, so that a start is light.
constexpr std::chrono::hours first_training_after{1};
constexpr std::chrono::hours training_interval{7 * 24};

std::shared_ptr<net::ConnectionLimits> make_limits(const config::Connections& config) {
    return std::make_shared<net::ConnectionLimits>(config.max_connections,
                                                   config.max_connections_per_address);
}

Failure cannot_create(const Error& error) {
    return {exit_cant_create, error.text};
}

}  // namespace

Daemon::Daemon(const config::Config& config)
    : config_(config),
      login_pool_(login_threads(), max_waiting_logins),
      search_pool_(search_threads, max_waiting_searches),
      queue_pool_(queue_threads, max_waiting_queue_calls),
      care_pool_(1, 1),
      rules_pool_(1, 1),
      budget_(config.limits.max_inflight_bytes),
      smtp_limits_(make_limits(config.smtp)),
      imap_limits_(make_limits(config.imap)),
      pop3_limits_(make_limits(config.pop3)),
      web_limits_(make_limits(config.web)) {}

Daemon::~Daemon() = default;

std::optional<Failure> load_tls(const config::Config& config,
                                std::shared_ptr<const net::TlsContext>& tls) {
    auto files = chosen_certificate(config);
    if (files.certificate.empty()) {
        auto own = net::ensure_self_signed(config.tls_folder(), config.hostname);
        if (!own) return cannot_create(own.error());
        files = *own;
        logging::warning(
            files.made ? "self-signed certificate made" : "self-signed certificate in use",
            {{"certificate", files.certificate},
             {"hint", config.by_acme() ? "postern certificate renew"
                                       : "set tls.certificate and tls.key"}});
    }
    std::vector<net::CertificateFiles> more;
    for (const auto& [certificate, key] : config.tls.more) more.push_back({certificate, key});
    auto loaded = net::TlsContext::load(files.certificate, files.key, more);
    if (!loaded) return Failure{exit_bad_config, loaded.error().text};
    tls = *loaded;
    return std::nullopt;
}

Result<std::shared_ptr<const auth::TokenVerifier>> load_tokens(const config::Config& config) {
    if (config.auth.oauth.keys_file.empty()) {
        return std::shared_ptr<const auth::TokenVerifier>();
    }
    return auth::TokenVerifier::make(config.auth.oauth);
}

std::optional<Failure> Daemon::open() {
    const auto config = config_.get();
    auto lock = InstanceLock::take(*config);
    if (!lock) {
        const bool taken = lock.error().code == Errc::exists;
        return Failure{taken ? exit_unavailable : exit_cant_create, lock.error().text};
    }
    lock_ = std::move(*lock);
    if (auto failure = load_tls(*config, tls_)) return failure;
    auto tokens = load_tokens(*config);
    if (!tokens) return Failure{exit_bad_config, tokens.error().text};
    tokens_ = std::move(*tokens);
    if (auto failure = open_store()) return failure;
    if (auto failure = open_filter()) return failure;
    return open_listeners();
}

std::optional<Failure> Daemon::open_store() {
    kv::LmdbOptions options;
    options.folder = config_.get()->store_folder();
    auto store = kv::open_lmdb_store(options);
    if (!store) return cannot_create(store.error());
    store_ = std::move(*store);
    if (const auto copy = kv::copy_before_upgrade(options.folder); !copy.empty()) {
        logging::info("store: as it was before its upgrade", {{"folder", copy}});
    }
    auto mail = mail::MailStore::open(*store_, wall_clock);
    if (!mail) return cannot_create(mail.error());
    mail_ = std::move(*mail);
    search_index::Options indexing;
    indexing.folder = config_.get()->search_folder();
    indexing.warn = [](std::string_view text) { logging::warning("search", {{"text", text}}); };
    search_index_ = std::make_unique<search_index::SearchIndex>(*store_, *mail_, indexing);
    directory_ = std::make_unique<directory::Directory>(*store_);
    aliases_ = std::make_unique<directory::Aliases>(*store_);
    rewrites_ = std::make_unique<directory::Rewrites>(*store_);
    credentials_ = std::make_unique<directory::Credentials>(*store_);
    preferences_ = std::make_unique<directory::AccountPreferences>(*store_);
    if (config_.get()->outbound.srs) {
        auto secret = addresses::load_or_make_secret(config_.get()->srs_file());
        if (!secret) return cannot_create(secret.error());
        srs_ = std::make_unique<addresses::Srs>(std::move(*secret));
    }
    resolver_ = std::make_unique<addresses::Resolver>(*directory_, *aliases_, srs_.get(),
                                                      rewrites_.get());
    shares_ = std::make_unique<directory::Shares>(*store_);
    spool_ = std::make_unique<spool::Spool>(*store_);
    queue_ = std::make_unique<queue::Queue>(*store_);
    return std::nullopt;
}

std::optional<Failure> Daemon::open_filter() {
    const auto config = config_.get();
    learning::LearningOptions options;
    options.folder = config->filter_folder();
    if (config->filter.starter_model) options.starter = config::shipped_starter_model();
    options.warn = [](std::string_view text) { logging::warning("learning", {{"text", text}}); };
    options.has_user = [this](const std::string& address) {
        const auto found = directory_->find(address);
        return !found || found->has_value();
    };
    auto models =
        filters::make_models(config->filter.memory_bytes, config->filter.layer_memory_bytes);
    auto learning = learning::Learning::open(*store_, models, options);
    if (!learning) return cannot_create(learning.error());
    learning_ = std::move(*learning);

    const auto judgement = scan::settings_from(*config);
    if (!judgement) return Failure{exit_bad_config, judgement.error().text};
    auto compiled = std::make_unique<scan::CompiledFile>(
        config->filter_folder() + "/" + scan::compiled_file_name, [](std::string_view text) {
            logging::warning("rules", {{"text", text}});
        });
    auto scanner =
        scan::Scanner::make(judgement->rules, judgement->options, models, std::move(compiled));
    if (!scanner) return Failure{exit_bad_config, scanner.error().text};
    scanner_ = std::move(*scanner);
    return std::nullopt;
}

std::optional<Failure> Daemon::start() {
    add_control_commands();
    const auto config = config_.get();
    if (auto started = control_.start(config->control_socket()); !started) {
        return cannot_create(started.error());
    }
    if (auto written = write_ports(config->ports_file(), ports_); !written) {
        return cannot_create(written.error());
    }
    learning_->start();
    search_index_->start();
    train_at_ = std::chrono::steady_clock::now() + first_training_after;
    server_->start();
    if (auto started = outbound_->start(); !started) return cannot_create(started.error());
    prepare_rules();
    tend();
    return std::nullopt;
}

// Below whatever serves clients. What is refused, since it waits already, is done by what waits.
void Daemon::prepare_rules() {
    rules_pool_.post([this] {
        ::setpriority(PRIO_PROCESS, 0, rules_niceness);
        scanner_->prepare([this] { return !ending_; });
    });
}

void Daemon::tend() {
    server_->spawn([this] { return delivery_->deliver_pending(); });
    server_->spawn([this] { return delivery_->send_quota_warnings(); });
    const auto now = std::chrono::steady_clock::now();
    if (now - expired_at_.load() >= expiry_interval) {
        expired_at_ = now;
        server_->spawn(
            [this] { return pop3_service::remove_expired(*mail_, *preferences_, wall_clock()); });
    }
    if (now >= train_at_.load()) {
        train_at_ = now + training_interval;
        care_pool_.post([this] { train_dictionary(); });
    }
}

// That there is too little mail yet, or nothing to gain, is no news.
void Daemon::train_dictionary() {
    const auto report = care::train_dictionary(*store_, {}, care::unasked_training);
    if (!report) {
        if (report.error().code == Errc::unavailable) {
            logging::warning("no dictionary trained", {{"reason", report.error().text}});
        }
        return;
    }
    if (!report->kept) return;
    logging::info("dictionary trained", {{"dictionary", blob::name_of(report->id)},
                                         {"tested_bytes", std::to_string(report->tested_bytes)},
                                         {"before_bytes", std::to_string(report->before_bytes)},
                                         {"after_bytes", std::to_string(report->after_bytes)}});
}

Result<void> Daemon::reload() {
    std::lock_guard lock(reload_mutex_);
    const auto old = config_.get();
    auto fresh = old->file.empty() ? Result<config::Config>(*old) : config::load_config(old->file);
    if (!fresh) return fresh.error();
    if (fresh->data_dir != old->data_dir || fresh->listeners != old->listeners ||
        fresh->limits.threads != old->limits.threads) {
        logging::warning("data_dir, listeners and limits.threads change at a restart only");
    }
    fresh->data_dir = old->data_dir;
    fresh->listeners = old->listeners;
    fresh->limits.threads = old->limits.threads;

    std::shared_ptr<const net::TlsContext> tls;
    if (auto failure = load_tls(*fresh, tls)) return Error{Errc::invalid, failure->text};
    auto tokens = load_tokens(*fresh);
    if (!tokens) return tokens.error();
    const auto judgement = scan::settings_from(*fresh);
    if (!judgement) return judgement.error();
    auto signing = dkim::Signer::make(fresh->dkim.keys);
    if (!signing) return signing.error();
    const auto judging = scanner_->reload(judgement->rules, judgement->options);
    if (!judging) return judging.error();
    prepare_rules();

    authenticator_->set_tokens(std::move(*tokens));
    tls_ = tls;
    server_->set_tls(std::move(tls));
    set_signer(std::move(*signing));
    smtp_limits_->change(fresh->smtp.max_connections, fresh->smtp.max_connections_per_address);
    imap_limits_->change(fresh->imap.max_connections, fresh->imap.max_connections_per_address);
    pop3_limits_->change(fresh->pop3.max_connections, fresh->pop3.max_connections_per_address);
    web_limits_->change(fresh->web.max_connections, fresh->web.max_connections_per_address);
    budget_.change(fresh->limits.max_inflight_bytes);
    logging::configure({logging::level_of(fresh->log.level), fresh->log.format == "json"});
    config_.set(std::move(*fresh));
    learning_->wake();
    return {};
}

bool Daemon::shut_down() {
    ending_ = true;
    const std::chrono::seconds grace(config_.get()->limits.shutdown_grace_s);
    // What is under way to other servers ends at once; the queue keeps it.
    outbound_->stop();
    policies_->shut_down();
    dialer_.shut_down();
    dns_->shut_down();
    const bool ended = server_->shut_down(grace);
    search_index_->stop();
    control_.stop();
    if (auto stopped = learning_->stop(); !stopped) {
        logging::error("what was learned stays in the log only",
                       {{"reason", stopped.error().text}});
    }
    return ended;
}

}  // namespace postern::serve

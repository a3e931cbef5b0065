// All parts of a running gateway, in the order in which they depend on each other.
#pragma once

#include "gateway/addresses/resolver.h"
#include "gateway/auth/authenticator.h"
#include "gateway/config/current.h"
#include "gateway/control/control.h"
#include "gateway/delivery/delivery.h"
#include "gateway/dkim/signer.h"
#include "gateway/health/health.h"
#include "gateway/http/http.h"
#include "gateway/imap_service/imap_service.h"
#include "gateway/learning/learning.h"
#include "gateway/limits/inflight_budget.h"
#include "gateway/limits/rate_limiter.h"
#include "gateway/net/server.h"
#include "gateway/net/work_pool.h"
#include "gateway/outbound/outbound.h"
#include "gateway/pop3_service/pop3_service.h"
#include "gateway/scan/scanner.h"
#include "gateway/search_index/search_index.h"
#include "gateway/serve/run_folder.h"
#include "gateway/smtp_service/smtp_service.h"
#include "store/directory/directory.h"
#include "store/kv/kv.h"
#include "store/mail/mail_store.h"
#include "store/spool/spool.h"

#include <nlohmann/json_fwd.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>

namespace postern::serve {

struct Failure {
    int exit_code = 0;
    std::string text;
};

// Thread rule: made, started, reloaded and ended on the main thread; reload() and the control
// commands also on the control thread.
class Daemon {
public:
    explicit Daemon(const config::Config& config);
    ~Daemon();
    Daemon(const Daemon&) = delete;
    Daemon& operator=(const Daemon&) = delete;

    // Opens everything; nothing is served yet. nullopt: all is well.
    std::optional<Failure> open();
    // Serves. After it every listener is open and known in ports_file().
    std::optional<Failure> start();
    // Reads configuration, rules and certificate again. On an error all stay as they were.
    Result<void> reload();
    // Things to be done now and then, about once a minute.
    void tend();
    // False: something could not be ended, so that the process must not go on to destroy this.
    bool shut_down();

private:
    void train_dictionary();
    void prepare_rules();
    std::optional<Failure> open_store();
    std::optional<Failure> open_filter();
    std::optional<Failure> open_listeners();
    std::optional<Failure> open_outbound();
    std::shared_ptr<const dkim::Signer> signer() const;
    void set_signer(std::shared_ptr<const dkim::Signer> signer);
    net::Awaitable<bool> deliver_report(std::string to, std::string report, bool require_tls);
    net::Awaitable<Result<void>> queue_mail(delivery::Outgoing mail);
    std::optional<Failure> listen(const std::string& service,
                                  std::vector<config::Endpoint>& endpoints, bool implicit_tls,
                                  const net::ConversationFactory& factory,
                                  const std::shared_ptr<net::ConnectionLimits>& limits,
                                  const std::function<std::string()>& refusal);
    void add_control_commands();
    void status(nlohmann::json& reply) const;
    std::optional<Failure> open_web();
    std::vector<health::Finding> findings() const;
    http::Response watch_page(const http::Request& request) const;
    http::Response health_page() const;
    http::Response metrics_page() const;

    config::Current config_;
    const std::chrono::system_clock::time_point started_ = std::chrono::system_clock::now();
    std::unique_ptr<InstanceLock> lock_;
    std::shared_ptr<const net::TlsContext> tls_;
    std::shared_ptr<const auth::TokenVerifier> tokens_;

    std::unique_ptr<kv::Store> store_;
    std::unique_ptr<directory::Directory> directory_;
    std::unique_ptr<directory::Aliases> aliases_;
    std::unique_ptr<directory::Rewrites> rewrites_;
    std::unique_ptr<directory::Credentials> credentials_;
    std::unique_ptr<directory::AccountPreferences> preferences_;
    std::unique_ptr<addresses::Srs> srs_;
    std::unique_ptr<directory::Shares> shares_;
    std::unique_ptr<addresses::Resolver> resolver_;
    std::unique_ptr<mail::MailStore> mail_;
    std::unique_ptr<search_index::SearchIndex> search_index_;
    std::unique_ptr<spool::Spool> spool_;
    std::unique_ptr<queue::Queue> queue_;
    std::unique_ptr<learning::Learning> learning_;
    std::unique_ptr<scan::Scanner> scanner_;

    net::WorkPool login_pool_;
    net::WorkPool search_pool_;
    net::WorkPool queue_pool_;
    net::WorkPool care_pool_;
    std::atomic<bool> ending_{false};
    net::WorkPool rules_pool_;
    limits::InflightBudget budget_;
    limits::RateLimiter rates_;
    pop3_service::MaildropLocks maildrop_locks_;
    std::unique_ptr<auth::Authenticator> authenticator_;
    std::unique_ptr<delivery::Delivery> delivery_;
    std::unique_ptr<dns::Resolver> dns_;
    mutable std::mutex signer_mutex_;
    std::shared_ptr<const dkim::Signer> signer_;
    net::Dialer dialer_;
    std::unique_ptr<outbound::StsPolicies> policies_;
    std::unique_ptr<outbound::Courier> courier_;
    std::unique_ptr<outbound::RecipientCheck> recipient_check_;
    std::unique_ptr<outbound::Outbound> outbound_;
    std::unique_ptr<smtp_service::Backends> smtp_;
    std::unique_ptr<sharing::Sharing> sharing_;
    std::unique_ptr<imap_service::Backends> imap_;
    std::unique_ptr<pop3_service::Backends> pop3_;
    std::shared_ptr<net::ConnectionLimits> smtp_limits_;
    std::shared_ptr<net::ConnectionLimits> imap_limits_;
    std::shared_ptr<net::ConnectionLimits> pop3_limits_;
    std::shared_ptr<net::ConnectionLimits> web_limits_;

    std::atomic<std::chrono::steady_clock::time_point> expired_at_{};  // mail was removed last
    // When a dictionary may be trained next.
    std::atomic<std::chrono::steady_clock::time_point> train_at_{};

    Ports ports_;
    config::Listeners opened_;  // as configured, with the ports that the system chose
    std::unique_ptr<net::Server> server_;
    control::Server control_;
    std::mutex reload_mutex_;
};

// Loads the keys for tokens; nullptr where none are configured.
Result<std::shared_ptr<const auth::TokenVerifier>> load_tokens(const config::Config& config);

// Loads the certificate that the configuration names, or the self-signed one.
std::optional<Failure> load_tls(const config::Config& config,
                                std::shared_ptr<const net::TlsContext>& tls);

}  // namespace postern::serve

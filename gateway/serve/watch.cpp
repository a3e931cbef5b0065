// What the daemon tells those who watch over it: health and metrics.
#include "gateway/clock/wall_clock.h"
#include "gateway/metrics/exposition.h"
#include "gateway/serve/daemon.h"

#include <nlohmann/json.hpp>

namespace postern::serve {

namespace {

void add_sessions(metrics::Exposition& out, const net::ConnectionLimits& smtp,
                  const net::ConnectionLimits& imap, const net::ConnectionLimits& pop3) {
    const std::pair<const char*, const net::ConnectionLimits*> all[] = {
        {"smtp", &smtp}, {"imap", &imap}, {"pop3", &pop3}};
    out.gauge("postern_connections", "Open connections.");
    for (const auto& [name, each] : all) {
        out.sample(std::uint64_t{each->active()}, {{"protocol", name}});
    }
    out.counter("postern_connections_admitted_total", "Connections that were let in.");
    for (const auto& [name, each] : all) {
        out.sample(std::uint64_t{each->admitted()}, {{"protocol", name}});
    }
    out.counter("postern_connections_refused_total", "Connections over the limits.");
    for (const auto& [name, each] : all) {
        out.sample(std::uint64_t{each->refused()}, {{"protocol", name}});
    }
}

void add_messages(metrics::Exposition& out, const delivery::Counters& counters) {
    out.counter("postern_messages_accepted_total", "Messages taken, durable.");
    out.sample(counters.accepted.load());
    out.counter("postern_messages_spam_total", "Messages among them that were judged spam.");
    out.sample(counters.spam.load());
    out.counter("postern_copies_delivered_total", "Copies put into mailboxes.");
    out.sample(counters.delivered.load());
    out.counter("postern_messages_failed_total", "Messages refused for a failure of ours.");
    out.sample(counters.failed.load());
}

void add_outbound(metrics::Exposition& out, const outbound::Counters& counters,
                  std::uint64_t waiting) {
    out.gauge("postern_queue_messages", "Messages that wait for other servers.");
    out.sample(waiting);
    out.counter("postern_outbound_recipients_total", "Outcomes of mail to other servers.");
    out.sample(counters.delivered.load(), {{"outcome", "delivered"}});
    out.sample(counters.deferred.load(), {{"outcome", "deferred"}});
    out.sample(counters.bounced.load(), {{"outcome", "bounced"}});
}

}  // namespace

std::vector<health::Finding> Daemon::findings() const {
    const auto config = config_.get();
    const auto model = learning_->models()->stats();
    const auto learned = learning_->status();
    std::vector<health::Finding> all;
    // Any small read shows that the store answers.
    const auto reads = directory_->has_domain(config->hostname);
    if (!reads) {
        all.push_back({"store", health::Level::bad, reads.error().text,
                       "postern store check says what is damaged"});
    }
    all.push_back(health::judge_disk(health::disk_of(config->data_dir), config->data_dir));
    const auto tls = server_->tls();
    all.push_back(health::judge_certificate({tls->expires(), tls->self_signed(), config->by_acme(),
                                             tls->names(config->hostname), config->hostname},
                                            wall_clock()));
    all.push_back(health::check_clock());
    all.push_back(health::judge_learning(learned.applied, learned.logged, model.ham, model.spam));
    return all;
}

http::Response Daemon::health_page() const {
    const auto all = findings();
    const auto level = health::worst(all);
    nlohmann::json body{{"status", health::to_string(level)}, {"checks", nlohmann::json::array()}};
    for (const auto& each : all) {
        body["checks"].push_back(
            {{"area", each.area}, {"level", health::to_string(each.level)}, {"text", each.text}});
    }
    return {level == health::Level::bad ? 503u : 200u, "application/json", body.dump() + "\n"};
}

http::Response Daemon::metrics_page() const {
    const auto config = config_.get();
    const auto model = learning_->models()->stats();
    const auto learned = learning_->status();
    const auto disk = health::disk_of(config->data_dir);
    metrics::Exposition out;
    out.gauge("postern_info", "Always 1; the version is its label.");
    out.sample(std::uint64_t{1}, {{"version", POSTERN_VERSION}});
    out.gauge("postern_start_time_seconds", "When the daemon started, in Unix time.");
    out.sample(std::chrono::duration<double>(started_.time_since_epoch()).count());
    add_sessions(out, *smtp_limits_, *imap_limits_, *pop3_limits_);
    add_messages(out, delivery_->counters());
    out.gauge("postern_inflight_bytes", "Bytes of messages received and not yet stored.");
    out.sample(budget_.used());
    add_outbound(out, outbound_->counters(), outbound_->waiting());
    out.gauge("postern_filter_trained_messages", "Messages that the filter learned from.");
    out.sample(std::uint64_t{model.ham}, {{"class", "ham"}});
    out.sample(std::uint64_t{model.spam}, {{"class", "spam"}});
    out.gauge("postern_filter_lessons_behind", "Lessons logged and not yet learned.");
    out.sample(learned.logged > learned.applied ? learned.logged - learned.applied
                                                : std::uint64_t{0});
    out.gauge("postern_filter_model_bytes", "Memory of the learned model.");
    out.sample(std::uint64_t{model.bytes});
    out.gauge("postern_disk_free_bytes", "Free below data_dir.");
    out.sample(disk.free_bytes);
    out.gauge("postern_disk_size_bytes", "Size of the file system of data_dir.");
    out.sample(disk.total_bytes);
    out.gauge("postern_certificate_expires_seconds", "When the first certificate ends, Unix time.");
    out.sample(static_cast<double>(to_unix_ms(server_->tls()->expires())) / 1000);
    out.gauge("postern_check", "0 good, 1 warning, 2 bad, of each thing that /health looks at.");
    for (const auto& each : findings()) {
        const bool bad = each.level == health::Level::bad;
        out.sample(std::uint64_t{bad                                    ? 2u
                                 : each.level == health::Level::warning ? 1u
                                                                        : 0u},
                   {{"area", each.area}});
    }
    return {200, metrics::content_type, out.text()};
}

http::Response Daemon::watch_page(const http::Request& request) const {
    if (request.path == "/metrics") return metrics_page();
    if (request.path == "/health") return health_page();
    return {404, "text/plain", "here are /metrics and /health\n"};
}

}  // namespace postern::serve

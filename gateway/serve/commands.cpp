#include "gateway/log/log.h"
#include "gateway/serve/daemon.h"

#include <nlohmann/json.hpp>
#include <unistd.h>

namespace postern::serve {

using nlohmann::json;

namespace {

json counts_of(const net::ConnectionLimits& limits) {
    return {{"connections", limits.active()},
            {"admitted", limits.admitted()},
            {"refused", limits.refused()}};
}

}  // namespace

void Daemon::add_control_commands() {
    control_.on("status", [this](const json&, json& reply) -> Result<void> {
        status(reply);
        return {};
    });
    control_.on("reload", [this](const json&, json&) -> Result<void> {
        auto outcome = reload();
        if (outcome)
            logging::info("reloaded", {{"by", "control"}});
        else
            logging::error("not reloaded", {{"reason", outcome.error().text}});
        return outcome;
    });
    control_.on("tend", [this](const json&, json&) -> Result<void> {
        tend();
        return {};
    });
    // The command line changed the queue.
    control_.on("queue-wake", [this](const json&, json&) -> Result<void> {
        outbound_->look_again();
        return {};
    });
    // Another process (the command line) wrote to the learn log.
    control_.on("learn-wake", [this](const json&, json&) -> Result<void> {
        learning_->wake();
        return {};
    });
}

void Daemon::status(json& reply) const {
    const auto config = config_.get();
    const auto uptime = std::chrono::system_clock::now() - started_;
    const auto& messages = delivery_->counters();
    const auto model = learning_->models()->stats();
    const auto learned = learning_->status();
    reply["version"] = POSTERN_VERSION;
    reply["pid"] = ::getpid();
    reply["hostname"] = config->hostname;
    reply["data_dir"] = config->data_dir;
    reply["uptime_s"] = std::chrono::duration_cast<std::chrono::seconds>(uptime).count();
    reply["listeners"] = ports_;
    reply["sessions"] = {{"smtp", counts_of(*smtp_limits_)},
                         {"imap", counts_of(*imap_limits_)},
                         {"pop3", counts_of(*pop3_limits_)}};
    reply["messages"] = {{"accepted", messages.accepted.load()},
                         {"spam", messages.spam.load()},
                         {"delivered", messages.delivered.load()},
                         {"failed", messages.failed.load()},
                         {"inflight_bytes", budget_.used()}};
    const auto& out = outbound_->counters();
    reply["outbound"] = {{"waiting", outbound_->waiting()},
                         {"queued", out.queued.load()},
                         {"delivered", out.delivered.load()},
                         {"deferred", out.deferred.load()},
                         {"bounced", out.bounced.load()}};
    const auto index = search_index_->status();
    reply["search_index"] = {{"waiting", index.waiting},
                             {"added", index.added},
                             {"removed", index.removed},
                             {"busy", index.busy}};
    reply["filter"] = {{"trained_ham", model.ham},        {"trained_spam", model.spam},
                       {"features", model.features},      {"bytes", model.bytes},
                       {"jobs_applied", learned.applied}, {"jobs_logged", learned.logged}};
}

}  // namespace postern::serve

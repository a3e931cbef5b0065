#include "appliance/cli/daemon.h"

#include "gateway/control/control.h"
#include "gateway/serve/run_folder.h"

#include <nlohmann/json.hpp>

#include <utility>

namespace postern::cli {

namespace {

class Hold final : public InstanceHold {
public:
    explicit Hold(std::unique_ptr<serve::InstanceLock> lock) : lock_(std::move(lock)) {}

private:
    std::unique_ptr<serve::InstanceLock> lock_;
};

}  // namespace

Result<std::unique_ptr<InstanceHold>> hold_instance(const config::Config& config) {
    auto lock = serve::InstanceLock::take(config);
    if (lock) return std::make_unique<Hold>(std::move(*lock));
    if (lock.error().code == Errc::exists) return std::unique_ptr<InstanceHold>();
    return lock.error();
}

void wake_learning(const config::Config& config) {
    nlohmann::json reply;
    // A daemon that cannot be reached finds the jobs in the log by itself.
    (void)control::request(config.control_socket(), {{"command", "learn-wake"}}, reply);
}

void wake_queue(const config::Config& config) {
    nlohmann::json reply;
    // Nobody listens: the next start reads the queue anyway.
    (void)control::request(config.control_socket(), {{"command", "queue-wake"}}, reply);
}

Result<void> reload_daemon(const config::Config& config) {
    nlohmann::json reply;
    return control::request(config.control_socket(), {{"command", "reload"}}, reply);
}

std::optional<std::string> daemon_status(const config::Config& config) {
    nlohmann::json reply;
    if (!control::request(config.control_socket(), {{"command", "status"}}, reply)) {
        return std::nullopt;
    }
    return reply.dump();
}

}  // namespace postern::cli

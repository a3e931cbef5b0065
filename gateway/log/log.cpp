#include "gateway/log/log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>

namespace postern::logging {

namespace {

std::atomic<Level> least_level{Level::info};
std::atomic<bool> as_json{false};
std::atomic<bool> redirected{false};
std::mutex redirect_mutex;
std::function<void(std::string_view)> redirect_sink;

spdlog::logger& logger() {
    static const auto instance = [] {
        auto made = std::make_unique<spdlog::logger>(
            "postern", std::make_shared<spdlog::sinks::stderr_sink_mt>());
        made->set_pattern("%v");
        made->set_level(spdlog::level::trace);
        made->flush_on(spdlog::level::trace);
        return made;
    }();
    return *instance;
}

}  // namespace

Level level_of(std::string_view name) {
    if (name == "debug") return Level::debug;
    if (name == "warning") return Level::warning;
    if (name == "error") return Level::error;
    return Level::info;
}

void configure(const Options& options) {
    least_level = options.level;
    as_json = options.json;
}

bool enabled(Level level) {
    return level >= least_level.load(std::memory_order_relaxed);
}

void write(Level level, std::string_view event, std::span<const Field> fields) {
    if (!enabled(level)) return;
    const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
                         std::chrono::system_clock::now().time_since_epoch())
                         .count();
    const auto line =
        format_line(level, event, fields, now, as_json.load(std::memory_order_relaxed));
    if (redirected.load(std::memory_order_acquire)) {
        std::lock_guard lock(redirect_mutex);
        if (redirect_sink) return redirect_sink(line);
    }
    logger().log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
}

void redirect(std::function<void(std::string_view line)> sink) {
    std::lock_guard lock(redirect_mutex);
    redirected.store(static_cast<bool>(sink), std::memory_order_release);
    redirect_sink = std::move(sink);
}

}  // namespace postern::logging

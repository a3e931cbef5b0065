#include "gateway/serve/serve.h"

#include "filters/patterns/processor.h"
#include "gateway/log/log.h"
#include "gateway/serve/daemon.h"

#include <signal.h>

#include <cstdio>
#include <cstdlib>

namespace postern::serve {

namespace {

constexpr time_t tend_interval_s = 60;

sigset_t awaited_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, number);
    return set;
}

void reload(Daemon& daemon) {
    notify_manager("RELOADING=1");
    auto outcome = daemon.reload();
    if (outcome)
        logging::info("reloaded", {{"by", "SIGHUP"}});
    else
        logging::error("not reloaded", {{"reason", outcome.error().text}});
    notify_manager("READY=1");
}

// Returns at SIGTERM or SIGINT.
void run_until_told(Daemon& daemon, const sigset_t& signals) {
    for (;;) {
        const timespec interval{tend_interval_s, 0};
        const int signal = ::sigtimedwait(&signals, nullptr, &interval);
        if (signal == SIGHUP)
            reload(daemon);
        else if (signal == SIGTERM || signal == SIGINT)
            return;
        else
            daemon.tend();
    }
}

// For whoever waits: the service manager, and a script that reads our standard output.
void announce_ready() {
    notify_manager("READY=1");
    std::puts("ready");
    std::fflush(stdout);
}

int refuse(const Failure& failure) {
    logging::error("cannot start", {{"reason", failure.text}});
    return failure.exit_code;
}

}  // namespace

int serve(const config::Config& config) {
    logging::configure({logging::level_of(config.log.level), config.log.format == "json"});
    // Blocked before any thread is made, so that only this one ever sees them.
    const auto signals = awaited_signals();
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();

    if (auto fit = filters::check_processor(); !fit) {
        return refuse({exit_bad_config, fit.error().text});
    }
    auto daemon = std::make_unique<Daemon>(config);
    if (auto failure = daemon->open()) return refuse(*failure);
    if (auto failure = daemon->start()) return refuse(*failure);
    logging::info("postern is ready",
                  {{"hostname", config.hostname}, {"data_dir", config.data_dir}});
    announce_ready();

    run_until_told(*daemon, signals);
    logging::info("ending");
    notify_manager("STOPPING=1");
    if (!daemon->shut_down()) {
        // A session still waits for something; what is durable is durable, the rest must not be
        // touched.
        logging::error("ended out of order");
        std::_Exit(exit_software);
    }
    daemon.reset();
    logging::info("ended");
    return exit_ok;
}

}  // namespace postern::serve

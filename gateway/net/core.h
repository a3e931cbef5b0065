// One thread with its event loop, its sessions and its read buffer. Inner header of gateway/net.
#pragma once

#include "gateway/net/tls.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <set>
#include <thread>

namespace postern::net {

class Connection;

inline constexpr std::size_t read_buffer_bytes = 64 * 1024;

// What all connections of a server share. Any thread.
class Shared {
public:
    std::chrono::milliseconds write_timeout{120'000};
    std::chrono::milliseconds handshake_timeout{30'000};
    std::atomic<bool> stopping{false};

    std::shared_ptr<const TlsContext> tls() const;
    void set_tls(std::shared_ptr<const TlsContext> context);

    // Counts connections and jobs that are not yet destroyed.
    void begin();
    void end();
    std::size_t active() const;
    // False: some are left after `time`.
    bool wait_until_none(std::chrono::milliseconds time);

private:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::size_t active_ = 0;
    std::shared_ptr<const TlsContext> tls_;
};

struct Core {
    std::set<Connection*> connections;  // on the core's thread only; outlives the loop
    boost::asio::io_context context{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{
        context.get_executor()};
    // A read is fed to the engine before anything else happens on the core, so one buffer serves
    // all.
    std::array<char, read_buffer_bytes> read_buffer;
    std::thread thread;
};

}  // namespace postern::net

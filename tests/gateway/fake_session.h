// A connection that is none: for services and conversations without a socket.
#pragma once

#include "gateway/net/session.h"

#include <atomic>
#include <memory>
#include <string>
#include <vector>

namespace postern::net {

class FakeWaker final : public Waker {
public:
    void wake() override { ++wakes; }
    std::atomic<int> wakes{0};
};

class FakeSession final : public Session {
public:
    const std::string& id() const override { return id_; }
    const std::string& peer_address() const override { return address_; }
    bool tls() const override { return true; }
    std::string tls_protocol() const override { return "TLSv1.3"; }
    std::string tls_cipher() const override { return "test"; }
    std::shared_ptr<Waker> waker() override { return waker_; }
    Awaitable<void> pause(std::chrono::milliseconds) override { co_return; }
    void log(logging::Level, std::string_view event, logging::Fields) override {
        events.emplace_back(event);
    }

    std::vector<std::string> events;
    std::shared_ptr<FakeWaker> waker_ = std::make_shared<FakeWaker>();

private:
    std::string id_ = "0123456789ab";
    std::string address_ = "192.0.2.1";
};

}  // namespace postern::net

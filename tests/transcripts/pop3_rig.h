// The POP3 engine with a maildrop in memory, in the world of README.md.
#pragma once

#include "protocols/pop3/engine.h"
#include "tests/transcripts/engine_rig.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::transcripts {

struct Pop3Types {
    using Engine = pop3::Engine;
    using Config = pop3::Config;
    using Effect = pop3::Effect;
    using Send = pop3::Send;
    using StartTls = pop3::StartTls;
    using Close = pop3::Close;
    using Log = pop3::Log;
};

class Pop3Rig : public EngineRig<Pop3Types> {
public:
    // maildrop: alice's; the others have none.
    Pop3Rig(pop3::Config config, bool implicit_tls, std::vector<std::string> maildrop);
    static std::unique_ptr<Pop3Rig> from(const Settings& settings);

    bool failure_shown(std::string_view output) const override;
    std::string probe() const override;

    pop3::Engine& engine() { return engine_; }
    const std::vector<std::size_t>& committed() const { return committed_; }
    // How far each ReadMessage reached: (index, end offset).
    const std::vector<std::pair<std::size_t, std::uint64_t>>& reads() const { return reads_; }
    // ReadMessage gives no more than so many bytes at a time.
    void limit_reads(std::size_t max_bytes) { max_read_bytes_ = max_bytes; }

protected:
    void handle(pop3::Effect& effect) override;

private:
    pop3::LoginAnswer log_in(const pop3::Authenticate& asked) const;
    pop3::MessageBytes read(const pop3::ReadMessage& asked);

    std::vector<std::string> maildrop_;
    std::vector<std::size_t> committed_;
    std::vector<std::pair<std::size_t, std::uint64_t>> reads_;
    std::size_t max_read_bytes_ = SIZE_MAX;
};

}  // namespace postern::transcripts

// The SMTP engine with a backend that lives in memory and knows the world of README.md.
#pragma once

#include "protocols/smtp/engine.h"
#include "tests/transcripts/engine_rig.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace postern::transcripts {

struct SmtpTypes {
    using Engine = smtp::Engine;
    using Config = smtp::Config;
    using Effect = smtp::Effect;
    using Send = smtp::Send;
    using StartTls = smtp::StartTls;
    using Close = smtp::Close;
    using Log = smtp::Log;
};

class SmtpRig : public EngineRig<SmtpTypes> {
public:
    struct Accepted {
        smtp::AcceptMessage envelope;
        std::string body;
    };

    SmtpRig(smtp::Config config, bool implicit_tls);
    static std::unique_ptr<SmtpRig> from(const Settings& settings);

    bool failure_shown(std::string_view output) const override;
    std::string probe() const override;

    smtp::Engine& engine() { return engine_; }
    const std::vector<Accepted>& accepted() const { return accepted_; }
    std::size_t discarded() const { return discarded_; }
    // What came of a body that is neither accepted nor discarded yet.
    const std::string& unfinished_body() const { return body_; }

protected:
    void handle(smtp::Effect& effect) override;

private:
    smtp::Reply check_recipient(const std::string& forward_path) const;
    std::vector<smtp::Reply> accept(smtp::AcceptMessage& envelope);
    smtp::AuthAnswer authenticate(const smtp::Authenticate& asked);
    smtp::AuthAnswer continue_auth(const smtp::ContinueAuth& asked);

    bool lmtp_;
    bool authenticated_ = false;
    std::string body_;
    std::vector<Accepted> accepted_;
    std::size_t discarded_ = 0;
};

}  // namespace postern::transcripts

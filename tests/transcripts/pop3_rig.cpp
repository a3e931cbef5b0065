#include "tests/transcripts/pop3_rig.h"

#include "tests/transcripts/world.h"

#include <algorithm>
#include <utility>

namespace postern::transcripts {
namespace {

pop3::Config config_of(const Settings& settings) {
    pop3::Config config;
    config.hostname = world_host;
    config.tls_offered = settings.get("tls", "starttls") == "starttls";
    config.allow_plaintext_auth = settings.is("plaintext-auth");
    return config;
}

}  // namespace

Pop3Rig::Pop3Rig(pop3::Config config, bool implicit_tls, std::vector<std::string> maildrop)
    : EngineRig(std::move(config), implicit_tls), maildrop_(std::move(maildrop)) {}

std::unique_ptr<Pop3Rig> Pop3Rig::from(const Settings& settings) {
    const std::string mailbox = settings.get("mailbox", "");
    return std::make_unique<Pop3Rig>(
        config_of(settings), settings.get("tls", "") == "implicit",
        mailbox.empty() ? std::vector<std::string>{} : mailbox_messages(mailbox));
}

bool Pop3Rig::failure_shown(std::string_view output) const {
    return output.find("-ERR [SYS/TEMP]") != std::string_view::npos;
}

// Ends an AUTH exchange that the transcript may have left open.
std::string Pop3Rig::probe() const {
    return "*\r\nCAPA\r\n";
}

void Pop3Rig::handle(pop3::Effect& effect) {
    const bool fails = count_question();
    if (const auto* asked = std::get_if<pop3::Authenticate>(&effect)) {
        engine_.answer(fails ? pop3::LoginAnswer{false, "SYS/TEMP", "Failing on purpose", {}, {}}
                             : log_in(*asked));
    } else if (const auto* reading = std::get_if<pop3::ReadMessage>(&effect)) {
        engine_.answer(fails ? pop3::MessageBytes{} : read(*reading));
    } else if (auto* deletions = std::get_if<pop3::CommitDeletions>(&effect)) {
        if (!fails) committed_ = std::move(deletions->indexes);
        engine_.answer(pop3::Outcome{!fails, ""});
    }
}

pop3::LoginAnswer Pop3Rig::log_in(const pop3::Authenticate& asked) const {
    const bool self = asked.authorization_id.empty() || asked.authorization_id == asked.user;
    if (!self || !is_world_user(asked.user) || asked.password != world_password) {
        return {false, "AUTH", "Wrong user name or password", {}, {}};
    }
    pop3::LoginAnswer answer{true, "", "", {}, {}};
    if (asked.user != world_users[0]) return answer;
    for (std::size_t i = 0; i < maildrop_.size(); ++i) {
        answer.maildrop.push_back({maildrop_[i].size(), "uid-" + std::to_string(i + 1)});
    }
    return answer;
}

pop3::MessageBytes Pop3Rig::read(const pop3::ReadMessage& asked) {
    const std::size_t length = std::min<std::uint64_t>(asked.length, max_read_bytes_);
    std::string bytes = maildrop_.at(asked.index).substr(asked.offset, length);
    reads_.emplace_back(asked.index, asked.offset + bytes.size());
    return {true, std::move(bytes)};
}

}  // namespace postern::transcripts

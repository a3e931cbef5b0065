// The cheapest SMTP server there can be: says yes, forgets everything.
//
//   smtp_sink [--append FILE]
//
// With FILE each message costs what the disk asks at least: a durable 4 kB append before its reply,
// those that came at once together. Prints its port; ends with its stdin.
#include "tests/bench/load/bare_server.h"
#include "tests/bench/load/group_log.h"
#include "tests/bench/load/options.h"

#include <memory>

namespace postern::bench {
namespace {

constexpr std::string_view end_of_data = "\r\n.\r\n";

class SmtpSink {
public:
    struct Peer {
        bool in_data = false;
        std::string in;
    };

    explicit SmtpSink(const Options& options) {
        const std::string file = options.text("--append", "");
        if (!file.empty()) log_ = std::make_shared<GroupLog>(file);
    }

    static std::string_view greeting() { return "220 sink\r\n"; }

    // What to answer to the input so far; consumes it.
    std::string take(Peer& peer, std::string_view bytes, bool& quit) {
        peer.in += bytes;
        std::string out;
        for (;;) {
            if (peer.in_data) {
                const auto end = peer.in.find(end_of_data);
                if (end == std::string::npos) {
                    // Only the tail can still become part of the mark.
                    if (peer.in.size() > end_of_data.size()) peer.in.erase(0, peer.in.size() - 4);
                    return out;
                }
                peer.in.erase(0, end + end_of_data.size());
                peer.in_data = false;
                ++messages_;
                out += "250 ok\r\n";
                continue;
            }
            const auto end = peer.in.find('\n');
            if (end == std::string::npos) return out;
            const char verb = peer.in[0];
            peer.in.erase(0, end + 1);
            peer.in_data = verb == 'D';
            quit = verb == 'Q';
            out += peer.in_data ? "354 go\r\n" : quit ? "221 bye\r\n" : "250 ok\r\n";
        }
    }

    void before_answers() {
        if (log_ && messages_ > 0) log_->append(messages_);
        messages_ = 0;
    }

private:
    std::shared_ptr<GroupLog> log_;
    std::uint64_t messages_ = 0;  // whose replies wait
};

}  // namespace
}  // namespace postern::bench

int main(int count, char** words) {
    using namespace postern::bench;
    serve_bare(SmtpSink(Options(count, words)));
}

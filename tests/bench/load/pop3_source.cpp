// The cheapest POP3 server there can be: any login, and RETR always of the same message of 4 kB,
// from memory. Prints its port; ends with its stdin.
#include "tests/bench/load/bare_server.h"

namespace postern::bench {
namespace {

constexpr std::size_t line_bytes = 64;
constexpr std::size_t message_lines = 64;

class Pop3Source {
public:
    struct Peer {
        std::string line;
    };

    Pop3Source() {
        message_ = "+OK\r\n";
        for (std::size_t i = 0; i < message_lines; ++i) {
            message_ += std::string(line_bytes - 2, 'x') + "\r\n";
        }
        message_ += ".\r\n";
    }

    static std::string_view greeting() { return "+OK source\r\n"; }

    std::string take(Peer& peer, std::string_view bytes, bool& quit) {
        std::string out;
        for (std::size_t lf; (lf = bytes.find('\n')) != std::string_view::npos;) {
            peer.line += bytes.substr(0, lf);
            bytes.remove_prefix(lf + 1);
            if (peer.line.starts_with("RETR")) {
                out += message_;
            } else {
                quit |= peer.line.starts_with("QUIT");
                out += peer.line.starts_with("STAT") ? "+OK 100 409600\r\n" : "+OK\r\n";
            }
            peer.line.clear();
        }
        peer.line += bytes;
        return out;
    }

    void before_answers() {}

private:
    std::string message_;
};

}  // namespace
}  // namespace postern::bench

int main() {
    postern::bench::serve_bare(postern::bench::Pop3Source());
}

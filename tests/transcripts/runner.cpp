#include "tests/transcripts/runner.h"

#include "protocols/wire/text.h"

#include <charconv>
#include <random>
#include <regex>
#include <span>

namespace postern::transcripts {
namespace {

using Kind = Step::Kind;
constexpr unsigned random_plays = 8;
constexpr std::size_t max_random_piece_bytes = 40;
constexpr std::size_t shown_bytes = 300;

// Steps that are played together: the client's bytes first, then what the server has to say.
struct Block {
    std::string client;
    std::vector<const Step*> server;
    const Step* last = nullptr;  // TLS, EOF, ...; nullptr: none
};

std::vector<Block> cut_into_blocks(const Transcript& transcript, bool lockstep) {
    std::vector<Block> blocks(1);
    for (const Step& step : transcript.steps) {
        if (step.kind == Kind::client) {
            if (lockstep && !blocks.back().server.empty()) blocks.emplace_back();
            blocks.back().client += step.text;
        } else if (step.is_server()) {
            blocks.back().server.push_back(&step);
        } else {
            blocks.back().last = &step;
            blocks.emplace_back();
        }
    }
    return blocks;
}

class Pieces {
public:
    explicit Pieces(Cut cut) : cut_(cut), random_(cut.seed) {}
    std::size_t next_bytes(std::size_t left) {
        switch (cut_.kind) {
            case Cut::Kind::bytes:
                return 1;
            case Cut::Kind::random:
                return std::min<std::size_t>(left, 1 + random_() % max_random_piece_bytes);
            default:
                return left;
        }
    }

private:
    Cut cut_;
    std::mt19937 random_;
};

std::string feed_in_pieces(EngineUnderTest& engine, std::string_view bytes, Pieces& pieces) {
    std::string output = engine.drain();
    while (!bytes.empty()) {
        const std::size_t piece_bytes = pieces.next_bytes(bytes.size());
        engine.feed(bytes.substr(0, piece_bytes));
        bytes.remove_prefix(piece_bytes);
        output += engine.drain();
    }
    return output;
}

bool matches(const Step& step, std::string_view line) {
    if (step.kind == Kind::server_line) return step.text == line;
    return std::regex_match(line.begin(), line.end(), std::regex(step.text));
}

std::string_view take_line(std::string_view& output) {
    const std::size_t crlf = output.find("\r\n");
    const std::size_t size = crlf == std::string_view::npos ? output.size() : crlf;
    const std::string_view line = output.substr(0, size);
    output.remove_prefix(std::min(size + 2, output.size()));
    return line;
}

std::string mismatch(const Step& step, const std::string& what) {
    return "line " + std::to_string(step.line_number) + " [" +
           wire::printable(step.text, shown_bytes) + "]: " + what;
}

// Takes the lines that the steps want off the front of output.
std::string match_output(std::span<const Step* const> steps, std::string_view& output) {
    bool any = false;
    for (const Step* step : steps) {
        if (step->kind == Kind::server_any) {
            any = true;
            continue;
        }
        while (true) {
            if (output.empty()) return mismatch(*step, "the server said nothing more");
            const bool whole_line = output.find("\r\n") != std::string_view::npos;
            const std::string_view line = take_line(output);
            if (!whole_line)
                return mismatch(*step, "unfinished line " + wire::printable(line, shown_bytes));
            if (matches(*step, line)) break;
            if (!any)
                return mismatch(*step, "the server said " + wire::printable(line, shown_bytes));
        }
        any = false;
    }
    if (any) output = {};
    return {};
}

std::string do_last_step(EngineUnderTest& engine, const Step& step) {
    switch (step.kind) {
        case Kind::tls:
            if (!engine.wants_tls()) return mismatch(step, "the engine does not start TLS");
            engine.tls_started();
            return {};
        case Kind::eof:
            engine.peer_closed();
            return {};
        case Kind::closed:
            return engine.closed() ? "" : mismatch(step, "the engine did not close");
        case Kind::time: {
            const auto ms = wire::parse_number(step.text);
            if (!ms) return mismatch(step, "not a number of milliseconds");
            engine.pass_time(std::chrono::milliseconds(*ms));
            return {};
        }
        case Kind::event:
            return engine.event(step.text) ? "" : mismatch(step, "unknown event");
        default:
            return mismatch(step, "cannot be played");
    }
}

const char* to_string(Cut::Kind kind) {
    switch (kind) {
        case Cut::Kind::lockstep:
            return "line by line";
        case Cut::Kind::whole:
            return "whole";
        case Cut::Kind::bytes:
            return "byte by byte";
        case Cut::Kind::random:
            return "cut at random";
    }
    return "";
}

// Plays with one question failing; says what was wrong about it.
std::string play_failure(const Transcript& transcript, const EngineFactory& factory,
                         std::size_t number) {
    const auto engine = factory(transcript.settings);
    engine->fail_question(number);
    Pieces pieces({});
    bool shown = false;
    auto note = [&, asked = engine->questions_asked()](const std::string& output) mutable {
        const bool failed_now = asked <= number && engine->questions_asked() > number;
        asked = engine->questions_asked();
        if (failed_now) shown = engine->closed() || engine->failure_shown(output);
    };
    for (const Block& block : cut_into_blocks(transcript, true)) {
        note(feed_in_pieces(*engine, block.client, pieces));
        if (block.last && block.last->kind != Kind::closed) do_last_step(*engine, *block.last);
    }
    note(engine->drain());
    const std::string which = "with question " + std::to_string(number) + " failing: ";
    if (!shown) return which + "the client was not told";
    if (engine->closed()) return {};
    if (engine->wants_tls()) engine->tls_started();
    engine->feed(engine->probe());
    if (engine->drain().empty() && !engine->closed()) return which + "the session is dead";
    return {};
}

}  // namespace

std::string play(const Transcript& transcript, const EngineFactory& factory, Cut cut) {
    const auto engine = factory(transcript.settings);
    const std::string how =
        std::string(to_string(cut.kind)) + ", seed " + std::to_string(cut.seed) + ": ";
    Pieces pieces(cut);
    std::string output;
    for (const Block& block : cut_into_blocks(transcript, cut.kind == Cut::Kind::lockstep)) {
        output += feed_in_pieces(*engine, block.client, pieces);
        std::string_view rest = output;
        const std::string wrong = match_output(block.server, rest);
        if (!wrong.empty()) return how + wrong;
        if (!rest.empty()) return how + "more than expected: " + wire::printable(rest, shown_bytes);
        output.clear();
        if (!block.last) continue;
        const std::string failed = do_last_step(*engine, *block.last);
        if (!failed.empty()) return how + failed;
    }
    return {};
}

std::string play_failures(const Transcript& transcript, const EngineFactory& factory) {
    const auto engine = factory(transcript.settings);
    Pieces pieces({});
    for (const Block& block : cut_into_blocks(transcript, true)) {
        feed_in_pieces(*engine, block.client, pieces);
        if (block.last) do_last_step(*engine, *block.last);
    }
    engine->drain();
    for (std::size_t number = 0; number < engine->questions_asked(); ++number) {
        std::string wrong = play_failure(transcript, factory, number);
        if (!wrong.empty()) return wrong;
    }
    return {};
}

std::string play_all_ways(const Transcript& transcript, const EngineFactory& factory) {
    std::vector<Cut> cuts = {{Cut::Kind::lockstep, 0}};
    if (!transcript.settings.is("lockstep")) {
        cuts.push_back({Cut::Kind::whole, 0});
        cuts.push_back({Cut::Kind::bytes, 0});
        for (unsigned seed = 1; seed <= random_plays; ++seed)
            cuts.push_back({Cut::Kind::random, seed});
    }
    for (const Cut cut : cuts) {
        std::string wrong = play(transcript, factory, cut);
        if (!wrong.empty()) return wrong;
    }
    return play_failures(transcript, factory);
}

}  // namespace postern::transcripts

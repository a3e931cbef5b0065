// Plays a transcript against a sans-I/O engine, in every way of cutting the client's bytes and with
// every question failing in turn.
#pragma once

#include "tests/transcripts/transcript.h"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace postern::transcripts {

// An engine together with a backend that answers its questions from the world of README.md.
// EngineRig (engine_rig.h) does all of it but the questions.
class EngineUnderTest {
public:
    virtual ~EngineUnderTest() = default;

    virtual void feed(std::string_view bytes) = 0;
    // Does the engine's effects until it has no more, or wants TLS; returns the bytes for the
    // client.
    virtual std::string drain() = 0;
    virtual bool wants_tls() const = 0;
    virtual void tls_started() = 0;
    virtual bool closed() const = 0;
    virtual void peer_closed() = 0;
    virtual void pass_time(std::chrono::milliseconds time) = 0;  // and tick
    // An EVENT line. False: this backend does not know it.
    virtual bool event(std::string_view what) = 0;

    virtual std::size_t questions_asked() const = 0;
    // The question of this number (from 0) is answered as if the backend had failed.
    virtual void fail_question(std::size_t number) = 0;
    // output: what drain() returned when the failing question came up. Was the client told?
    virtual bool failure_shown(std::string_view output) const = 0;
    // Bytes that a sane session answers with something, wherever a transcript may have left it.
    virtual std::string probe() const = 0;
};

using EngineFactory = std::function<std::unique_ptr<EngineUnderTest>(const Settings&)>;

// How the client's bytes reach the engine.
struct Cut {
    enum class Kind {
        lockstep,  // a client that waits for each answer
        whole,     // everything up to TLS, EOF, TIME or EVENT at once, however the server answers
        bytes,     // the same in single bytes
        random,    // the same in random pieces
    };
    Kind kind = Kind::lockstep;
    unsigned seed = 0;
};

// Empty when all went as written, otherwise what went wrong, for a person.
std::string play(const Transcript& transcript, const EngineFactory& factory, Cut cut);
// Plays it once for each question, with that question failing. The engine has to say so, and the
// session has to answer afterwards or be closed.
std::string play_failures(const Transcript& transcript, const EngineFactory& factory);
// All of the above.
std::string play_all_ways(const Transcript& transcript, const EngineFactory& factory);

}  // namespace postern::transcripts

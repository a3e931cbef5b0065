#include "protocols/imap/session.h"

namespace postern::imap {
namespace {

Rejection rejection_of(const Failure& failure) {
    // RFC 3501 section 6.3.11: tells the client that CREATE and another try would help.
    return {false, failure.code == "NONEXISTENT" ? "TRYCREATE" : failure.code, failure.text};
}

}  // namespace

// The running command is an APPEND up to its message literal; it is not taken before all is well.
void Session::begin_append(AppendCommand command) {
    if (!authenticated_) return refuse_literal({true, "", "Log in first"});
    if (const auto* rejection = std::get_if<Rejection>(&command.what)) {
        return refuse_literal(*rejection);
    }
    const std::uint64_t size = framer_.literal().size;
    if (size > config_.max_append_bytes) {
        return refuse_literal(
            {false, "TOOBIG",
             "A message has at most " + std::to_string(config_.max_append_bytes) + " octets"});
    }
    if (size == 0) return refuse_literal({false, "CANNOT", "The message is empty"});
    auto append = std::get<command::Append>(std::move(command.what));
    Question check = CheckAppend{append.name, size};
    ask_either<Done>(
        std::move(check),
        [this, append = std::move(append)](Done) {
            upload_ = Upload{append, false};
            mode_ = Mode::append;
            if (framer_.literal().synchronizing) send("+ Go on with the message\r\n");
            framer_.stream_literal();
        },
        [this](const Failure& failure) { refuse_literal(rejection_of(failure)); });
}

bool Session::step_append() {
    if (!framer_.streaming()) {
        const Framer::Event event = framer_.next(true);
        if (event == Framer::Event::need_more) return false;
        end_append(event);
        return true;
    }
    auto chunk = framer_.chunk(append_chunk_bytes);
    if (!chunk) return false;
    if (chunk->empty()) return true;
    upload_->has_nul = upload_->has_nul || chunk->find('\0') != std::string::npos;
    effect(AppendChunk{std::move(*chunk)});
    return true;
}

void Session::end_append(Framer::Event event) {
    mode_ = Mode::command;
    Upload upload = std::move(*upload_);
    upload_.reset();
    const bool whole = event == Framer::Event::command && framer_.text().empty();
    if (!whole || upload.has_nul) effect(DiscardAppend{});
    if (event == Framer::Event::literal) {
        return refuse_literal({true, "", "APPEND takes one message"});
    }
    if (!whole) return bad("The line must end after the message");
    if (upload.has_nul) return no("CANNOT", "A message cannot hold NUL");
    Question question = AppendMessage{std::move(upload.append.name), std::move(upload.append.flags),
                                      upload.append.internal_date};
    ask_either<AppendDone>(
        std::move(question),
        [this](AppendDone done) {
            ok("APPEND completed",
               "APPENDUID " + std::to_string(done.uid_validity) + ' ' + std::to_string(done.uid));
        },
        [this](const Failure& failure) { reject(rejection_of(failure)); });
}

}  // namespace postern::imap

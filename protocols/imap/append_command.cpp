// APPEND with its extensions: more than one message (RFC 3502), CATENATE (RFC 4469), literal8
// (RFC 3516), UTF8 (RFC 9755); and REPLACE (RFC 8508).
#include "protocols/imap/message_limit.h"
#include "protocols/imap/response.h"
#include "protocols/imap/section.h"
#include "protocols/imap/session.h"
#include "protocols/mime/summary.h"

#include <algorithm>
#include <memory>

namespace postern::imap {
namespace {

Rejection rejection_of(const Failure& failure) {
    // RFC 3501 section 6.3.11: tells the client that CREATE and another try would help.
    return {false, failure.code == "NONEXISTENT" ? "TRYCREATE" : failure.code, failure.text};
}

Rejection too_big(std::uint64_t limit) {
    return {false, "TOOBIG", "A message has at most " + std::to_string(limit) + " octets"};
}

constexpr const char* nul_text = "A literal cannot hold NUL, a literal8 can";
constexpr const char* too_many_text = "There are too many messages";
constexpr const char* utf8_end_text = "A parenthesis was expected behind the UTF8 literal";
constexpr const char* line_end_text = "The line must end after the message";

}  // namespace

// The running command is an APPEND up to its first literal, or up to its list of parts.
void Session::begin_append(AppendCommand command, bool with_literal) {
    const auto refuse = [&](const Rejection& rejection) {
        if (with_literal) return refuse_literal(rejection);
        reject(rejection);
    };
    if (!authenticated_) return refuse({true, "", "Log in first"});
    if (const auto* rejection = std::get_if<Rejection>(&command.what)) return refuse(*rejection);
    auto append = std::get<command::Append>(std::move(command.what));
    Upload upload;
    if (append.replaces) {
        if (!view_) return refuse({true, "", "Select a mailbox first"});
        if (enabled_.uid_only && !append.uid) {
            return refuse({true, "UIDREQUIRED", "Sequence numbers are not used in this session"});
        }
        if (view_->read_only()) return refuse({false, "READ-ONLY", "The mailbox is read-only"});
        const auto uids = resolve(*append.replaces, append.uid);
        // A UID that is gone is nobody's mistake.
        if (!uids || uids->size() != 1) {
            return refuse({!append.uid, "", "There is no such message"});
        }
        upload.replaces = uids->min();
        may_expunge_ = true;
        uid_command_ = append.uid;
    }
    const std::uint64_t size = with_literal && !append.catenate ? framer_.literal().size : 1;
    if (size > config_.max_append_bytes) return refuse(too_big(config_.max_append_bytes));
    if (size == 0) return refuse({false, "CANNOT", "The message is empty"});
    upload.append = std::move(append);
    upload_ = std::move(upload);
    Question check = CheckAppend{upload_->append.name, size, upload_->replaces != 0};
    const auto begin = [this, with_literal, rest = std::move(command.rest)](Done) {
        mode_ = Mode::append;
        if (upload_->append.catenate) return next_part(rest, true, with_literal);
        take_message_literal();
    };
    ask_either<Done>(std::move(check), begin, [this, with_literal](const Failure& failure) {
        upload_.reset();
        if (with_literal) return refuse_literal(rejection_of(failure));
        reject(rejection_of(failure));
    });
}

void Session::take_message_literal() {
    if (framer_.literal().synchronizing) send("+ Go on with the message\r\n");
    framer_.stream_literal();
}

bool Session::step_append() {
    if (!framer_.streaming()) {
        const Framer::Event event = framer_.next(true);
        if (event == Framer::Event::need_more) return false;
        literal_over(event);
        return true;
    }
    auto chunk = framer_.chunk(append_chunk_bytes);
    if (!chunk) return false;
    if (chunk->empty()) return true;
    upload_->bytes += chunk->size();
    upload_->all_bytes += chunk->size();
    if (!upload_->append.literal8 && chunk->find('\0') != std::string::npos) {
        upload_->has_nul = true;
    }
    effect(AppendChunk{std::move(*chunk)});
    return true;
}

// A literal was read whole; text() is what followed it, up to the line's end or another literal.
void Session::literal_over(Framer::Event event) {
    if (event == Framer::Event::too_long || event == Framer::Event::bare_lf) {
        return abandon_append({true, "", line_end_text}, false);
    }
    const bool more = event == Framer::Event::literal;
    std::string rest(framer_.text());
    if (upload_->append.utf8) {
        if (!rest.starts_with(')')) return abandon_append({true, "", utf8_end_text}, more);
        rest.erase(0, 1);
    }
    if (upload_->append.catenate) return next_part(std::move(rest), false, more);
    message_over(rest, more);
}

// The message is whole; `rest` is what stands after it, with `more` up to another literal.
void Session::message_over(std::string_view rest, bool more) {
    Upload& upload = *upload_;
    if (rest.empty() && !more) return end_append();
    AppendCommand next = parse_append_next(rest);
    if (const auto* rejection = std::get_if<Rejection>(&next.what)) {
        const bool is_next = !rest.empty() && rest.front() == ' ';
        return abandon_append(is_next ? *rejection : Rejection{true, "", line_end_text, false},
                              more);
    }
    auto append = std::get<command::Append>(std::move(next.what));
    if (upload.replaces != 0) return abandon_append({true, "", "REPLACE takes one message"}, more);
    if (++upload.messages >= config_.message_limit) {
        return abandon_append({false, message_limit_code(*this), too_many_text}, more);
    }
    if (upload.messages >= max_append_messages) {
        return abandon_append({false, "LIMIT", too_many_text}, more);
    }
    if (upload.has_nul) {
        return abandon_append({false, "UNKNOWN-CTE", nul_text}, more);
    }
    const std::uint64_t size = append.catenate || !more ? 1 : framer_.literal().size;
    if (size == 0 || upload.bytes == 0) {
        return abandon_append({false, "CANNOT", "The message is empty"}, more);
    }
    if (size > config_.max_append_bytes - std::min(upload.all_bytes, config_.max_append_bytes)) {
        return abandon_append({false, "TOOBIG", "The messages are too large together"}, more);
    }
    effect(AppendNext{std::move(upload.append.flags), upload.append.internal_date});
    append.name = std::move(upload.append.name);
    upload.append = std::move(append);
    upload.bytes = 0;
    upload.parts = 0;
    if (!upload.append.catenate) return take_message_literal();
    next_part(std::move(next.rest), true, more);
}

void Session::end_append() {
    mode_ = Mode::command;
    Upload upload = std::move(*upload_);
    upload_.reset();
    if (upload.has_nul) {
        effect(DiscardAppend{});
        return no("UNKNOWN-CTE", nul_text);
    }
    if (upload.bytes == 0) {
        effect(DiscardAppend{});
        return no("CANNOT", "The message is empty");
    }
    const bool here = view_ && view_->name() == upload.append.name;
    Question question = AppendMessage{std::move(upload.append.name), std::move(upload.append.flags),
                                      upload.append.internal_date, upload.replaces};
    ask_either<AppendDone>(
        std::move(question),
        [this, replaces = upload.replaces, here](const AppendDone& done) {
            UidSet uids;
            for (const Uid uid : done.uids) uids.add(uid);
            if (here && notified_.selected) notified_.own |= uids;
            const std::string code =
                "APPENDUID " + std::to_string(done.uid_validity) + ' ' + uids.to_string();
            if (replaces == 0) return ok("APPEND completed", code);
            send("* OK [" + code + "] Replaced\r\n");
            ok("REPLACE completed");
        },
        [this](const Failure& failure) { reject(rejection_of(failure)); });
}

// literal_waits: another literal was announced and is not taken yet.
void Session::abandon_append(const Rejection& rejection, bool literal_waits) {
    mode_ = Mode::command;
    upload_.reset();
    effect(DiscardAppend{});
    if (literal_waits) return refuse_literal(rejection);
    reject(rejection);
}

// --- CATENATE ---

void Session::next_part(std::string rest, bool first, bool literal_waits) {
    using Kind = CatenateStep::Kind;
    const CatenateStep step = parse_catenate_step(rest, first);
    if (step.kind == Kind::end) return message_over(step.rest, literal_waits);
    if (step.kind == Kind::bad) {
        return abandon_append({true, "", "TEXT and a literal, or URL and a string were expected"},
                              literal_waits);
    }
    if (++upload_->parts > max_catenate_parts) {
        return abandon_append({false, "LIMIT", "There are too many parts"}, literal_waits);
    }
    if (step.kind == Kind::url) {
        return take_url(step.url, std::string(step.rest), literal_waits);
    }
    if (!literal_waits) return abandon_append({true, "", "A literal was expected"}, false);
    const std::uint64_t room =
        config_.max_append_bytes - std::min(upload_->all_bytes, config_.max_append_bytes);
    if (framer_.literal().size > room) {
        return abandon_append(too_big(config_.max_append_bytes), true);
    }
    upload_->append.literal8 = step.literal8;
    upload_->append.utf8 = step.utf8;
    take_message_literal();
}

void Session::take_url(const std::string& text, std::string rest, bool literal_waits) {
    const auto url = parse_message_url(text);
    const std::string code = "BADURL " + format_string(text);
    if (!url) {
        return abandon_append({false, code, "The URL cannot be used here"}, literal_waits);
    }
    Question question = FindMessage{url->mailbox, url->uid_validity, url->uid};
    ask_either<RowPage>(
        std::move(question),
        [this, url = *url, code, rest = std::move(rest), literal_waits](const RowPage& page) {
            copy_url(url, page, code, rest, literal_waits);
        },
        [this, code, literal_waits](const Failure& failure) {
            const bool gone = failure.code == "NONEXISTENT";
            abandon_append({false, gone ? code : failure.code, failure.text}, literal_waits);
        });
}

void Session::copy_url(const MessageUrl& url, const RowPage& page, const std::string& code,
                       const std::string& rest, bool literal_waits) {
    const Rejection nothing{false, code, "There is no such part"};
    if (page.rows.empty()) return abandon_append(nothing, literal_waits);
    const MessageRow& row = page.rows.front();
    const auto summary = mime::decode_summary(row.summary);
    if (needs_summary(url.section) && !summary) return abandon_append(nothing, literal_waits);
    const auto section = find_section(url.section, summary ? &*summary : nullptr, row.size);
    if (!section || picks_fields(url.section)) return abandon_append(nothing, literal_waits);
    const mime::Range range = cut_partial(*section, url.section.partial);
    const std::uint64_t used = std::min(upload_->all_bytes, config_.max_append_bytes);
    if (range.size() > config_.max_append_bytes - used) {
        return abandon_append(too_big(config_.max_append_bytes), literal_waits);
    }
    copy_range(row.blob, range, rest, literal_waits);
}

void Session::copy_range(const std::string& blob, mime::Range range, std::string rest,
                         bool literal_waits) {
    if (range.size() == 0) return next_part(std::move(rest), false, literal_waits);
    const std::uint64_t length = std::min<std::uint64_t>(range.size(), append_chunk_bytes);
    ask_either<BlobBytes>(
        ReadBlob{blob, range.begin, length},
        [this, blob, range, rest, literal_waits](BlobBytes answer) {
            if (answer.bytes.empty()) {
                return abandon_append({false, "SERVERBUG", "The message is shorter than it was"},
                                      literal_waits);
            }
            const mime::Range left{range.begin + answer.bytes.size(), range.end};
            upload_->bytes += answer.bytes.size();
            upload_->all_bytes += answer.bytes.size();
            effect(AppendChunk{std::move(answer.bytes)});
            later([this, blob, left, rest, literal_waits] {
                copy_range(blob, left, rest, literal_waits);
            });
        },
        [this, literal_waits](const Failure& failure) {
            abandon_append(rejection_of(failure), literal_waits);
        });
}

}  // namespace postern::imap

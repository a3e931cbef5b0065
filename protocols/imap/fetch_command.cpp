#include "protocols/imap/fetch_format.h"
#include "protocols/imap/message_limit.h"
#include "protocols/imap/pages.h"
#include "protocols/imap/response.h"
#include "protocols/imap/section.h"
#include "protocols/imap/session.h"
#include "protocols/imap/sync.h"
#include "protocols/mime/decode.h"
#include "protocols/mime/message.h"
#include "protocols/mime/summary_view.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

namespace postern::imap {
namespace {

// A piece of encoded text decodes to no more than this.
constexpr std::size_t max_decoded_piece_bytes = 2 * append_chunk_bytes;

// One FETCH: pages of rows, and of each row first what must be read, then the answer.
class FetchRun : public std::enable_shared_from_this<FetchRun> {
public:
    // Called when all was told; the failure: of some message.
    using End = std::function<void(const std::optional<Failure>& failure, bool some_expunged)>;

    FetchRun(Session& session, command::Fetch command, UidSet uids, End end)
        : session_(session),
          command_(std::move(command)),
          pages_(std::move(uids)),
          end_(std::move(end)) {
        using Kind = FetchItem::Kind;
        const auto any = [this](auto test) {
            return std::any_of(command_.items.begin(), command_.items.end(), test);
        };
        with_summary_ = any(needs_summary);
        with_object_ids_ = any([](const FetchItem& item) {
            return item.kind == Kind::email_id || item.kind == Kind::thread_id;
        });
        only_envelope_ = !any([](const FetchItem& item) {
            return needs_summary(item) && item.kind != Kind::envelope;
        });
        const bool reads = any([](const FetchItem& item) {
            return (item.kind == Kind::section || item.kind == Kind::binary) && !item.peek;
        });
        sets_seen_ = reads && session_.view()->may('s');
        only_uids_ = !command_.changed_since &&
                     std::all_of(command_.items.begin(), command_.items.end(),
                                 [](const FetchItem& item) { return item.kind == Kind::uid; });
    }

    void next_page();

private:
    void tell_uids(const UidSet& page);
    void mark_seen();
    void seen_marked(const FlagsStored& stored);
    void next_row();
    void with_summary(const MessageRow& row);
    void read_for_summary(const std::shared_ptr<std::string>& bytes);
    void summary_ready(std::shared_ptr<const mime::Summary> summary, bool whole = true);
    void read_next_header();
    void decode_next_part();
    void measure(const std::shared_ptr<FetchedMessage::Decoded>& part,
                 const std::shared_ptr<mime::ContentDecoder>& decoder, std::uint64_t offset);
    void answer_row();
    void send_pieces();
    void send_decoded(const SendDecoded& piece,
                      const std::shared_ptr<mime::ContentDecoder>& decoder, std::uint64_t offset,
                      std::uint64_t decoded);
    void skip_row(const Failure& failure);
    void finish() { end_(failure_, some_expunged_); }

    template <class Then>
    void read(std::uint64_t offset, std::uint64_t length, Then then) {
        Question question = ReadBlob{row().blob, offset, length};
        session_.ask_either<BlobBytes>(
            std::move(question),
            [self = shared_from_this(), then](BlobBytes blob) { then(*self, std::move(blob)); },
            [self = shared_from_this()](const Failure& failure) { self->skip_row(failure); });
    }
    const MessageRow& row() const { return rows_[index_]; }

    Session& session_;
    command::Fetch command_;
    Pages pages_;
    End end_;
    bool with_summary_ = false;
    bool with_object_ids_ = false;
    bool only_envelope_ = false;  // of the summary
    bool sets_seen_ = false;
    bool only_uids_ = false;  // which the view knows, also of messages that others expunged
    bool some_expunged_ = false;
    std::optional<Failure> failure_;

    std::vector<MessageRow> rows_;
    UidSet newly_seen_;
    std::size_t index_ = 0;
    std::shared_ptr<const mime::Summary> summary_;
    std::vector<FetchedMessage::Header> headers_;
    std::vector<FetchedMessage::Decoded> decoded_;
    std::string blob_;  // of the row that is being answered
    std::vector<FetchPiece> pieces_;
    std::size_t piece_ = 0;
};

void FetchRun::next_page() {
    UidSet page = pages_.next(fetch_page_rows);
    if (page.empty()) return finish();
    if (only_uids_) return tell_uids(page);
    const std::size_t wanted = page.size();
    Question question =
        FetchRows{std::move(page), fetch_page_rows, with_summary_, with_object_ids_};
    session_.ask_either<RowPage>(
        std::move(question),
        [self = shared_from_this(), wanted](RowPage answer) {
            self->some_expunged_ |= answer.rows.size() < wanted;
            self->rows_ = std::move(answer.rows);
            self->index_ = 0;
            self->mark_seen();
        },
        [self = shared_from_this()](const Failure& failure) {
            self->failure_ = failure;
            self->finish();
        });
}

void FetchRun::tell_uids(const UidSet& page) {
    rows_.clear();
    page.for_each([this](Uid uid) {
        rows_.emplace_back().uid = uid;
        return true;
    });
    index_ = 0;
    next_row();
}

void FetchRun::mark_seen() {
    newly_seen_.clear();
    StoreFlags question;
    for (const MessageRow& row : rows_) {
        if (sets_seen_ && !row.flags.has(SystemFlag::seen)) question.uids.add(row.uid);
    }
    if (question.uids.empty()) return next_row();
    question.mode = FlagMode::add;
    question.with_modseq = session_.view()->style().modseq;
    question.flags.set(SystemFlag::seen);
    session_.ask_either<FlagsStored>(
        std::move(question),
        [self = shared_from_this()](const FlagsStored& stored) { self->seen_marked(stored); },
        // A full disk must not keep anybody from reading.
        [self = shared_from_this()](const Failure& failure) {
            self->session_.log("cannot set \\Seen: " + failure.text);
            self->next_row();
        });
}

void FetchRun::seen_marked(const FlagsStored& stored) {
    for (const FlagNews& news : stored.changed) {
        const auto row = std::lower_bound(
            rows_.begin(), rows_.end(), news.uid,
            [](const MessageRow& candidate, Uid wanted) { return candidate.uid < wanted; });
        if (row == rows_.end() || row->uid != news.uid) continue;
        row->flags = news.flags;
        row->modseq = news.modseq;
        newly_seen_.add(news.uid);
        session_.view()->told_flags(news.uid, news.flags);
    }
    next_row();
}

void FetchRun::next_row() {
    if (index_ == rows_.size()) return next_page();
    headers_.clear();
    decoded_.clear();
    if (!with_summary_) return read_next_header();
    with_summary(row());
}

void FetchRun::with_summary(const MessageRow& row) {
    const auto& cached = session_.cached_summary;
    if (cached.summary && cached.blob == row.blob) return summary_ready(cached.summary);
    if (!row.summary.empty()) {
        const auto use = only_envelope_ ? mime::SummaryUse::envelope : mime::SummaryUse::all;
        auto decoded = mime::decode_summary_for(use, row.summary);
        if (decoded) {
            return summary_ready(std::make_shared<const mime::Summary>(std::move(*decoded)),
                                 !only_envelope_);
        }
    }
    read_for_summary(std::make_shared<std::string>());
}

void FetchRun::read_for_summary(const std::shared_ptr<std::string>& bytes) {
    const std::uint64_t end = std::min<std::uint64_t>(row().size, max_summarized_bytes);
    const std::uint64_t length = std::min<std::uint64_t>(end - bytes->size(), read_chunk_bytes);
    read(bytes->size(), length, [bytes, length, end](FetchRun& self, const BlobBytes& blob) {
        *bytes += blob.bytes;
        if (blob.bytes.size() == length && bytes->size() < end) {
            return self.read_for_summary(bytes);
        }
        auto summary =
            std::make_shared<mime::Summary>(mime::summarize(mime::parse(*bytes), *bytes));
        // What lies behind the bytes that were read is told as the message's text.
        if (bytes->size() < self.row().size && !summary->parts.empty()) {
            mime::PartOffsets& root = summary->parts.front();
            root.body.end = root.text.end = self.row().size;
        }
        self.summary_ready(std::move(summary));
    });
}

void FetchRun::summary_ready(std::shared_ptr<const mime::Summary> summary, bool whole) {
    summary_ = std::move(summary);
    if (whole) session_.cached_summary = {row().blob, summary_};
    read_next_header();
}

void FetchRun::read_next_header() {
    for (const FetchItem& item : command_.items) {
        if (!picks_fields(item)) continue;
        const auto range = find_section(item, summary_.get(), row().size);
        if (!range || range->size() == 0) continue;
        const bool have =
            std::any_of(headers_.begin(), headers_.end(),
                        [&](const FetchedMessage::Header& h) { return h.range == *range; });
        if (have) continue;
        const std::uint64_t length = std::min<std::uint64_t>(range->size(), read_chunk_bytes);
        return read(range->begin, length, [range](FetchRun& self, BlobBytes blob) {
            self.headers_.push_back({*range, std::move(blob.bytes)});
            self.read_next_header();
        });
    }
    decode_next_part();
}

// The size of a literal comes before it: what is decoded is measured first, in bounded pieces.
void FetchRun::decode_next_part() {
    for (const FetchItem& item : command_.items) {
        if (!is_decoded(item)) continue;
        const auto range = find_section(item, summary_.get(), row().size);
        if (!range) continue;
        const auto encoding = encoding_of(item, summary_.get());
        if (encoding == mime::Encoding::unknown) {
            return skip_row({"UNKNOWN-CTE", "The part's transfer encoding is not known"});
        }
        const bool have =
            std::any_of(decoded_.begin(), decoded_.end(), [&](const FetchedMessage::Decoded& each) {
                return each.range == *range && each.encoding == encoding;
            });
        if (have) continue;
        auto part = std::make_shared<FetchedMessage::Decoded>();
        part->range = *range;
        part->encoding = encoding;
        return measure(part, std::make_shared<mime::ContentDecoder>(encoding), range->begin);
    }
    answer_row();
}

void FetchRun::measure(const std::shared_ptr<FetchedMessage::Decoded>& part,
                       const std::shared_ptr<mime::ContentDecoder>& decoder, std::uint64_t offset) {
    std::string out;
    const auto count = [&] {
        part->size += out.size();
        part->has_nul = part->has_nul || out.find('\0') != std::string::npos;
    };
    if (offset == part->range.end) {
        decoder->finish(out, max_decoded_piece_bytes);
        count();
        decoded_.push_back(*part);
        return decode_next_part();
    }
    const std::uint64_t length =
        std::min<std::uint64_t>(part->range.end - offset, append_chunk_bytes);
    read(offset, length, [part, decoder, offset](FetchRun& self, const BlobBytes& blob) {
        if (blob.bytes.empty()) return self.skip_row({"SERVERBUG", "The message is too short"});
        std::string piece;
        decoder->feed(blob.bytes, piece, max_decoded_piece_bytes);
        part->size += piece.size();
        part->has_nul = part->has_nul || piece.find('\0') != std::string::npos;
        self.measure(part, decoder, offset + blob.bytes.size());
    });
}

void FetchRun::answer_row() {
    const MailboxView& view = *session_.view();
    FetchedMessage message;
    message.row = std::move(rows_[index_++]);
    blob_ = message.row.blob;
    message.head = view.fetch_head(message.row.uid, command_.uid);
    message.recent = view.is_recent(message.row.uid);
    message.with_flags = newly_seen_.contains(message.row.uid);
    message.with_modseq =
        command_.changed_since.has_value() || (message.with_flags && view.style().modseq);
    message.summary = summary_.get();
    message.headers = std::move(headers_);
    message.decoded = std::move(decoded_);
    pieces_ = format_fetch(message, command_.items);
    piece_ = 0;
    send_pieces();
}

void FetchRun::send_pieces() {
    while (piece_ < pieces_.size()) {
        FetchPiece& piece = pieces_[piece_++];
        if (auto* decoded = std::get_if<SendDecoded>(&piece)) {
            return send_decoded(*decoded, std::make_shared<mime::ContentDecoder>(decoded->encoding),
                                decoded->range.begin, 0);
        }
        if (auto* text = std::get_if<Send>(&piece)) session_.effect(std::move(*text));
        if (auto* blob = std::get_if<SendBlob>(&piece)) session_.effect(std::move(*blob));
    }
    // Calls stand in each other up to the page's end, no deeper.
    if (session_.joins_output() && index_ < rows_.size()) return next_row();
    session_.later([self = shared_from_this()] { self->next_row(); });
}

// Decodes once more, and sends what lies in the piece. `decoded` bytes came out so far.
void FetchRun::send_decoded(const SendDecoded& piece,
                            const std::shared_ptr<mime::ContentDecoder>& decoder,
                            std::uint64_t offset, std::uint64_t decoded) {
    const std::uint64_t end = piece.origin + piece.length;
    const auto send = [this, piece, end](std::string_view out, std::uint64_t before) {
        const std::uint64_t from = std::max(before, piece.origin);
        const std::uint64_t to = std::min(before + out.size(), end);
        if (from < to) session_.send(out.substr(from - before, to - from));
    };
    if (offset == piece.range.end) {
        std::string out;
        decoder->finish(out, max_decoded_piece_bytes);
        send(out, decoded);
        return send_pieces();
    }
    if (decoded >= end) return send_pieces();
    const std::uint64_t length =
        std::min<std::uint64_t>(piece.range.end - offset, append_chunk_bytes);
    session_.ask_either<BlobBytes>(
        ReadBlob{blob_, offset, length},
        [self = shared_from_this(), piece, decoder, offset, decoded, send](const BlobBytes& blob) {
            // The literal's size was told: nothing but closing keeps the client in step.
            if (blob.bytes.empty()) return self->session_.bye("A message cannot be read");
            std::string out;
            decoder->feed(blob.bytes, out, max_decoded_piece_bytes);
            send(out, decoded);
            self->session_.later([self, piece, decoder, next = offset + blob.bytes.size(),
                                  decoded = decoded + out.size()] {
                self->send_decoded(piece, decoder, next, decoded);
            });
        },
        [self = shared_from_this()](const Failure& failure) {
            self->session_.bye(format_text("A message cannot be read: " + failure.text));
        });
}

// The other messages are still worth having; the tagged answer will say NO.
void FetchRun::skip_row(const Failure& failure) {
    if (!failure_) failure_ = failure;
    ++index_;
    session_.later([self = shared_from_this()] { self->next_row(); });
}

}  // namespace

namespace {

UidSet cut_to_partial(const UidSet& uids, const PartialRange& partial) {
    const auto [first, last] = positions_of(partial, uids.size());
    if (first > last) return {};
    return uids.slice(uids.at(static_cast<UidSet::Value>(first)),
                      uids.at(static_cast<UidSet::Value>(last)));
}

void start(Session& session, command::Fetch command, UidSet uids) {
    if (command.partial) uids = cut_to_partial(uids, *command.partial);
    const std::string limit = cut_to_message_limit(session, uids);
    if (command.partial && !limit.empty()) {
        return session.no(message_limit_code(session), too_many_messages_text);
    }
    const auto end = [&session, limit](const std::optional<Failure>& failure, bool some_expunged) {
        if (failure) return session.fail(*failure);
        // RFC 2180 section 4.1.3: tells the client that a NOOP would explain the gaps.
        ok_within_limit(session, "FETCH completed", some_expunged ? "EXPUNGEISSUED" : "", limit);
    };
    std::make_shared<FetchRun>(session, std::move(command), std::move(uids), end)->next_page();
}

}  // namespace

void fetch_news(Session& session, const UidSet& uids, const std::vector<FetchItem>& items,
                std::function<void()> done) {
    command::Fetch command;
    command.items = items;
    const auto end = [&session, done = std::move(done)](const std::optional<Failure>& failure,
                                                        bool) {
        if (failure) session.log("cannot tell of new messages: " + failure->text);
        done();
    };
    std::make_shared<FetchRun>(session, std::move(command), uids, end)->next_page();
}

void run(Session& session, command::Fetch command) {
    if (command.vanished && !session.enabled().qresync) {
        return session.bad("Enable QRESYNC first");
    }
    const bool modseq =
        std::any_of(command.items.begin(), command.items.end(),
                    [](const FetchItem& item) { return item.kind == FetchItem::Kind::mod_seq; });
    if (modseq || command.changed_since) session.enable_condstore();
    auto uids = session.resolve(command.set, command.uid);
    if (!uids) return session.bad("No message has that sequence number");
    if (!command.changed_since) return start(session, std::move(command), std::move(*uids));
    Question question = GetHistory{*command.changed_since};
    session.ask<History>(std::move(question), [&session, command = std::move(command),
                                               uids = std::move(*uids)](const History& history) {
        if (command.vanished) {
            send_vanished_earlier(session, history.vanished & named_uids(command.set));
        }
        start(session, command, uids & history.changed);
    });
}

}  // namespace postern::imap

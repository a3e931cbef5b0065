#include "protocols/imap/fetch_format.h"
#include "protocols/imap/pages.h"
#include "protocols/imap/section.h"
#include "protocols/imap/session.h"
#include "protocols/mime/message.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

namespace postern::imap {
namespace {

// One FETCH: pages of rows, and of each row first what must be read, then the answer.
class FetchRun : public std::enable_shared_from_this<FetchRun> {
public:
    FetchRun(Session& session, command::Fetch command, UidSet uids)
        : session_(session), command_(std::move(command)), pages_(std::move(uids)) {
        with_summary_ = std::any_of(command_.items.begin(), command_.items.end(), needs_summary);
        const bool reads =
            std::any_of(command_.items.begin(), command_.items.end(), [](const FetchItem& item) {
                return item.kind == FetchItem::Kind::section && !item.peek;
            });
        sets_seen_ = reads && !session_.view()->read_only();
    }

    void next_page();

private:
    void mark_seen();
    void seen_marked(const FlagsStored& stored);
    void next_row();
    void with_summary(const MessageRow& row);
    void read_for_summary(const std::shared_ptr<std::string>& bytes);
    void summary_ready(std::shared_ptr<const mime::Summary> summary);
    void read_next_header();
    void answer_row();
    void skip_row(const Failure& failure);
    void finish();

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
    bool with_summary_ = false;
    bool sets_seen_ = false;
    bool some_expunged_ = false;
    std::optional<Failure> failure_;

    std::vector<MessageRow> rows_;
    UidSet newly_seen_;
    std::size_t index_ = 0;
    std::shared_ptr<const mime::Summary> summary_;
    std::vector<FetchedMessage::Header> headers_;
};

void FetchRun::next_page() {
    UidSet page = pages_.next(fetch_page_rows);
    if (page.empty()) return finish();
    const std::size_t wanted = page.size();
    Question question = FetchRows{std::move(page), fetch_page_rows, with_summary_};
    session_.ask<RowPage>(std::move(question), [self = shared_from_this(), wanted](RowPage answer) {
        self->some_expunged_ |= answer.rows.size() < wanted;
        self->rows_ = std::move(answer.rows);
        self->index_ = 0;
        self->mark_seen();
    });
}

void FetchRun::mark_seen() {
    newly_seen_.clear();
    StoreFlags question;
    for (const MessageRow& row : rows_) {
        if (sets_seen_ && !row.flags.has(SystemFlag::seen)) question.uids.add(row.uid);
    }
    if (question.uids.empty()) return next_row();
    question.mode = FlagMode::add;
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
    for (const auto& [uid, flags] : stored.changed) {
        const auto row = std::lower_bound(
            rows_.begin(), rows_.end(), uid,
            [](const MessageRow& candidate, Uid wanted) { return candidate.uid < wanted; });
        if (row == rows_.end() || row->uid != uid) continue;
        row->flags = flags;
        newly_seen_.add(uid);
        session_.view()->told_flags(uid, flags);
    }
    next_row();
}

void FetchRun::next_row() {
    if (index_ == rows_.size()) return next_page();
    headers_.clear();
    if (!with_summary_) return answer_row();
    with_summary(row());
}

void FetchRun::with_summary(const MessageRow& row) {
    const auto& cached = session_.cached_summary;
    if (cached.summary && cached.blob == row.blob) return summary_ready(cached.summary);
    if (!row.summary.empty()) {
        auto decoded = mime::decode_summary(row.summary);
        if (decoded) {
            return summary_ready(std::make_shared<const mime::Summary>(std::move(*decoded)));
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

void FetchRun::summary_ready(std::shared_ptr<const mime::Summary> summary) {
    summary_ = std::move(summary);
    session_.cached_summary = {row().blob, summary_};
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
    answer_row();
}

void FetchRun::answer_row() {
    const MailboxView& view = *session_.view();
    FetchedMessage message;
    message.row = std::move(rows_[index_++]);
    message.sequence = view.sequence_of(message.row.uid);
    message.recent = view.recent().contains(message.row.uid);
    message.with_uid = command_.uid;
    message.with_flags = newly_seen_.contains(message.row.uid);
    message.summary = summary_.get();
    message.headers = std::move(headers_);
    for (Effect& effect : format_fetch(message, command_.items)) {
        session_.effect(std::move(effect));
    }
    session_.later([self = shared_from_this()] { self->next_row(); });
}

// The other messages are still worth having; the tagged answer will say NO.
void FetchRun::skip_row(const Failure& failure) {
    if (!failure_) failure_ = failure;
    ++index_;
    session_.later([self = shared_from_this()] { self->next_row(); });
}

void FetchRun::finish() {
    if (failure_) return session_.fail(*failure_);
    // RFC 2180 section 4.1.3: tells the client that a NOOP would explain the gaps.
    session_.ok("FETCH completed", some_expunged_ ? "EXPUNGEISSUED" : "");
}

}  // namespace

void run(Session& session, command::Fetch command) {
    auto uids = session.view()->resolve(command.set, command.uid);
    if (!uids) return session.bad("No message has that sequence number");
    std::make_shared<FetchRun>(session, std::move(command), std::move(*uids))->next_page();
}

}  // namespace postern::imap

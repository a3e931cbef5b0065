#include "gateway/mailsource/mail_source.h"

#include "gateway/mailsource/files.h"
#include "gateway/mailsource/line_reader.h"

#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

namespace postern::mailsource {

namespace {

// Collects lines to one message, up to the limit.
class Builder {
public:
    explicit Builder(std::uint64_t max_bytes) : max_bytes_(max_bytes) {}

    void add(const LinePiece& piece, bool unquote) {
        auto text = piece.text;
        if (unquote && piece.begins && is_quoted_from(text)) text.remove_prefix(1);
        append(text);
        if (piece.ends) append("\r\n");
    }
    Item finish(std::string name, bool in_mbox) {
        // The empty line before the next From_ line belongs to the mbox.
        if (in_mbox && bytes_.ends_with("\r\n\r\n")) bytes_.resize(bytes_.size() - 2);
        Item item{std::move(name), {}, {}};
        if (too_large_) {
            item.problem = "larger than " + std::to_string(max_bytes_) + " bytes";
        } else if (bytes_.empty()) {
            item.problem = "empty";
        } else {
            item.bytes = std::move(bytes_);
        }
        bytes_ = {};
        too_large_ = false;
        return item;
    }

private:
    static bool is_quoted_from(std::string_view line) {
        const auto from = line.find_first_not_of('>');
        return from != 0 && from != std::string_view::npos &&
               line.substr(from).starts_with("From ");
    }
    void append(std::string_view text) {
        too_large_ = too_large_ || text.size() > max_bytes_ - bytes_.size();
        if (!too_large_) bytes_.append(text);
    }

    std::uint64_t max_bytes_;
    std::string bytes_;
    bool too_large_ = false;
};

Item damaged(const std::string& name, std::string problem) {
    return {name, {}, std::move(problem)};
}

Item read_whole(const std::string& path, LineReader& reader, LinePiece piece,
                const Options& options) {
    Builder builder(options.max_message_bytes);
    do {
        builder.add(piece, false);
    } while (reader.next(piece));
    if (reader.failed()) return damaged(path, std::strerror(errno));
    return builder.finish(path, false);
}

}  // namespace

struct MailSource::State {
    std::vector<File> files;
    Options options;
    std::size_t next_file = 0;
    LineReader reader;
    bool in_mbox = false;
    std::string from_line;       // of the message that comes next
    std::string next_from_line;  // of the one after it
    std::uint64_t mbox_number = 0;
    Progress progress;
    std::uint64_t finished_bytes = 0;

    const File& current() const { return files[next_file - 1]; }

    std::optional<Item> next() {
        if (in_mbox) return next_of_mbox();
        if (next_file == files.size()) return std::nullopt;
        if (next_file > 0) finished_bytes += current().size;
        const auto& file = files[next_file++];
        if (!file.problem.empty()) return damaged(file.path, file.problem);
        if (!reader.open(file.path)) return damaged(file.path, std::strerror(errno));
        LinePiece first;
        if (!reader.next(first)) {
            return damaged(file.path, reader.failed() ? std::strerror(errno) : "empty");
        }
        if (file.maildir || !is_from_line(first.text)) {
            return read_whole(file.path, reader, first, options);
        }
        in_mbox = true;
        mbox_number = 0;
        from_line = first.text;
        return next_of_mbox();
    }

    // The reader stands after a From_ line.
    Item next_of_mbox() {
        ++mbox_number;
        Builder builder(options.max_message_bytes);
        bool line_before_empty = false;
        LinePiece piece;
        for (;;) {
            if (!reader.next(piece)) {
                in_mbox = false;
                break;
            }
            if (piece.begins && line_before_empty && is_from_line(piece.text)) {
                next_from_line = piece.text;
                break;
            }
            builder.add(piece, true);
            line_before_empty = piece.begins && piece.ends && piece.text.empty();
        }
        if (reader.failed()) return damaged(current().path, std::strerror(errno));
        Item item = builder.finish(current().path + "#" + std::to_string(mbox_number), true);
        item.from_line = std::exchange(from_line, std::move(next_from_line));
        next_from_line.clear();
        return item;
    }
};

MailSource::MailSource(std::unique_ptr<State> state) : state_(std::move(state)) {}
MailSource::MailSource(MailSource&&) noexcept = default;
MailSource& MailSource::operator=(MailSource&&) noexcept = default;
MailSource::~MailSource() = default;

Result<MailSource> MailSource::open(std::span<const std::string> paths, const Options& options) {
    auto state = std::make_unique<State>();
    state->options = options;
    for (const auto& path : paths) {
        if (auto listed = list_files(path, state->files); !listed) return listed.error();
    }
    for (const auto& file : state->files) state->progress.total_bytes += file.size;
    return MailSource(std::move(state));
}

std::optional<Item> MailSource::next() {
    auto item = state_->next();
    if (item && item->problem.empty()) ++state_->progress.messages;
    return item;
}

Progress MailSource::progress() const {
    auto progress = state_->progress;
    progress.done_bytes = state_->in_mbox ? state_->finished_bytes + state_->reader.read_bytes()
                          : state_->next_file == 0
                              ? 0
                              : state_->finished_bytes + state_->current().size;
    return progress;
}

Item read_message(const std::string& path, const Options& options) {
    LineReader reader;
    if (!reader.open(path)) return damaged(path, std::strerror(errno));
    LinePiece piece;
    if (!reader.next(piece)) {
        return damaged(path, reader.failed() ? std::strerror(errno) : "empty");
    }
    if (!is_from_line(piece.text)) return read_whole(path, reader, piece, options);
    if (!reader.next(piece)) return damaged(path, "empty");
    return read_whole(path, reader, piece, options);
}

}  // namespace postern::mailsource

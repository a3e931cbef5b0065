#include "appliance/cli/dump_import.h"

#include "appliance/cli/terminal.h"
#include "filters/features/features.h"
#include "gateway/crypto/crypto.h"
#include "gateway/mailsource/line_reader.h"
#include "gateway/mailsource/mail_source.h"
#include "protocols/mime/message.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace postern::cli {

namespace {

// The words of the text of all that mail.
Result<void> read_words(const std::vector<std::string>& paths, filters::WordBook& book) {
    auto source = mailsource::MailSource::open(paths, {});
    if (!source) return source.error();
    ProgressBar bar("reading words");
    while (auto item = source->next()) {
        if (!item->problem.empty()) continue;
        const auto parsed = mime::parse(item->bytes);
        const auto features = filters::extract(filters::ScanInput{item->bytes, parsed, {}, Time{}},
                                               filters::Names::kept);
        for (std::size_t i = 0; i < features.vector.tokens; ++i) {
            const std::string name = features.names.of(i);
            if (name.find(':') == std::string::npos) book.add(name);
        }
        const auto progress = source->progress();
        bar.update(progress.done_bytes, progress.total_bytes, progress.messages);
    }
    return {};
}

Result<DumpReport> add_dump(const std::string& file, filters::DumpKind kind,
                            const filters::WordBook& words, filters::Models& models) {
    mailsource::LineReader lines;
    if (!lines.open(file)) {
        return Error{Errc::unavailable, file + ": " + std::strerror(errno)};
    }
    filters::DumpReader reader(kind, &words);
    std::string line;
    std::error_code ignored;
    const auto size = std::filesystem::file_size(file, ignored);
    ProgressBar bar("reading " + std::filesystem::path(file).filename().string());
    mailsource::LinePiece piece;
    while (lines.next(piece)) {
        if (piece.begins) line.clear();
        if (line.size() <= filters::max_dump_line_bytes) line += piece.text;
        if (!piece.ends) continue;
        reader.add_line(line);
        bar.update(lines.read_bytes(), size, reader.taken());
    }
    if (lines.failed()) return Error{Errc::unavailable, file + ": " + std::strerror(errno)};
    const auto counts = reader.finish();
    if (!counts) return Error{counts.error().code, file + ": " + counts.error().text};
    const bool added = models.add_counts(*counts);
    return DumpReport{file, kind, reader.taken(), reader.left_out(), reader.damaged(), !added};
}

}  // namespace

std::optional<filters::DumpKind> dump_kind_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string head(filters::dump_head_bytes, '\0');
    file.read(head.data(), static_cast<std::streamsize>(head.size()));
    head.resize(static_cast<std::size_t>(file.gcount()));
    return filters::kind_of_dump(head);
}

Result<std::vector<DumpReport>> add_dumps(const DumpFiles& dumps,
                                          const std::vector<std::string>& words,
                                          filters::Models& models) {
    filters::WordBook book(crypto::sha1);
    if (!words.empty()) {
        if (auto read = read_words(words, book); !read) return read.error();
    }
    std::vector<DumpReport> reports;
    for (const auto& [file, kind] : dumps) {
        auto report = add_dump(file, kind, book, models);
        if (!report) return report.error();
        reports.push_back(std::move(*report));
    }
    return reports;
}

}  // namespace postern::cli

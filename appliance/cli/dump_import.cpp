#include "appliance/cli/dump_import.h"

#include "appliance/cli/terminal.h"
#include "filters/dumps/rdb.h"
#include "filters/dumps/rspamd.h"
#include "filters/features/features.h"
#include "gateway/crypto/crypto.h"
#include "gateway/mailsource/line_reader.h"
#include "gateway/mailsource/mail_source.h"
#include "protocols/mime/message.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>

namespace postern::cli {

namespace {

std::string head_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string head(filters::dump_head_bytes, '\0');
    file.read(head.data(), static_cast<std::streamsize>(head.size()));
    head.resize(static_cast<std::size_t>(file.gcount()));
    return head;
}

// The features, with their names, of all that mail.
Result<void> for_each_features(const std::vector<std::string>& paths,
                               const std::function<void(const filters::Features&)>& visit) {
    auto source = mailsource::MailSource::open(paths, {});
    if (!source) return source.error();
    ProgressBar bar("reading words");
    while (auto item = source->next()) {
        if (!item->problem.empty()) continue;
        const auto parsed = mime::parse(item->bytes);
        visit(filters::extract(filters::ScanInput{item->bytes, parsed, {}, Time{}},
                               filters::Names::kept));
        const auto progress = source->progress();
        bar.update(progress.done_bytes, progress.total_bytes, progress.messages);
    }
    return {};
}

void add_words(const filters::Features& features, filters::WordBook& book) {
    for (std::size_t i = 0; i < features.vector.tokens; ++i) {
        const std::string name = features.names.of(i);
        if (name.find(':') == std::string::npos) book.add(name);
    }
}

Result<void> for_each_line(const std::string& file,
                           const std::function<void(std::string_view line)>& visit) {
    mailsource::LineReader lines;
    if (!lines.open(file)) {
        return Error{Errc::unavailable, file + ": " + std::strerror(errno)};
    }
    std::string line;
    std::error_code ignored;
    const auto size = std::filesystem::file_size(file, ignored);
    ProgressBar bar("reading " + std::filesystem::path(file).filename().string());
    std::uint64_t count = 0;
    bool unvisited = false;
    mailsource::LinePiece piece;
    while (lines.next(piece)) {
        if (piece.begins) line.clear();
        if (line.size() <= filters::max_dump_line_bytes) line += piece.text;
        unvisited = !piece.ends;
        if (unvisited) continue;
        visit(line);
        bar.update(lines.read_bytes(), size, ++count);
    }
    if (unvisited) visit(line);  // the last one without an end
    if (lines.failed()) return Error{Errc::unavailable, file + ": " + std::strerror(errno)};
    return {};
}

// How much was too long to be of any use.
Result<std::uint64_t> read_redis(const std::string& file, filters::RspamdStatistics& statistics) {
    std::ifstream input(file, std::ios::binary);
    std::error_code ignored;
    const auto size = std::filesystem::file_size(file, ignored);
    ProgressBar bar("reading " + std::filesystem::path(file).filename().string());
    std::uint64_t done = 0;
    filters::RdbReader reader(
        [&](char* to, std::size_t most) {
            input.read(to, static_cast<std::streamsize>(most));
            done += static_cast<std::uint64_t>(input.gcount());
            bar.update(done, size, statistics.tokens());
            return static_cast<std::size_t>(input.gcount());
        },
        [&](std::string_view key, std::string_view field, std::string_view value) {
            statistics.add_field(key, field, value);
        });
    errno = 0;
    auto read = reader.run();
    if (input.bad()) {
        return Error{Errc::unavailable, file + ": cannot be read: " + std::strerror(errno)};
    }
    if (!read) return Error{read.error().code, file + ": " + read.error().text};
    return reader.passed_over();
}

Result<DumpReport> add_counts(const Result<filters::Counts>& counts, DumpReport report,
                              filters::Models& models) {
    if (!counts) return Error{counts.error().code, report.file + ": " + counts.error().text};
    report.known = !models.add_counts(*counts);
    return report;
}

Result<DumpReport> add_rspamd(const std::string& file, const std::vector<std::string>& words,
                              filters::Models& models) {
    filters::RspamdStatistics statistics;
    std::uint64_t too_long = 0;
    if (filters::is_rdb(head_of(file))) {
        const auto read = read_redis(file, statistics);
        if (!read) return read.error();
        too_long = *read;
    } else if (const auto read =
                   for_each_line(file, [&](std::string_view line) { statistics.add_line(line); });
               !read) {
        return read.error();
    }
    statistics.start_recognising();
    if (!words.empty()) {
        const auto known = for_each_features(
            words, [&](const filters::Features& features) { statistics.recognise(features); });
        if (!known) return known.error();
    }
    const DumpReport report{
        file,
        filters::DumpKind::rspamd,
        statistics.recognised(),
        statistics.tokens() - statistics.recognised() + statistics.beyond_limit() + too_long,
        statistics.damaged(),
        false};
    return add_counts(statistics.finish(), report, models);
}

Result<DumpReport> add_dump(const std::string& file, filters::DumpKind kind,
                            const filters::WordBook& words, filters::Models& models) {
    filters::DumpReader reader(kind, &words);
    const auto read = for_each_line(file, [&](std::string_view line) { reader.add_line(line); });
    if (!read) return read.error();
    const DumpReport report{file, kind, reader.taken(), reader.left_out(), reader.damaged(), false};
    return add_counts(reader.finish(), report, models);
}

}  // namespace

std::optional<filters::DumpKind> dump_kind_of(const std::string& path) {
    return filters::kind_of_dump(head_of(path));
}

Result<std::vector<DumpReport>> add_dumps(const DumpFiles& dumps,
                                          const std::vector<std::string>& words,
                                          filters::Models& models) {
    filters::WordBook book(crypto::sha1);
    const bool hashed_words = std::any_of(dumps.begin(), dumps.end(), [](const auto& dump) {
        return dump.second == filters::DumpKind::spamassassin;
    });
    if (hashed_words && !words.empty()) {
        const auto read = for_each_features(
            words, [&](const filters::Features& features) { add_words(features, book); });
        if (!read) return read.error();
    }
    std::vector<DumpReport> reports;
    for (const auto& [file, kind] : dumps) {
        auto report = kind == filters::DumpKind::rspamd ? add_rspamd(file, words, models)
                                                        : add_dump(file, kind, book, models);
        if (!report) return report.error();
        reports.push_back(std::move(*report));
    }
    return reports;
}

}  // namespace postern::cli

#include "gateway/mailsource/index.h"

#include "gateway/mailsource/line_reader.h"

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace postern::mailsource {

namespace {

Error bad_line(const std::string& path, std::size_t line) {
    return {Errc::invalid,
            path + ":" + std::to_string(line) + ": expected \"spam PATH\" or \"ham PATH\""};
}

bool parse_line(std::string_view line, const std::filesystem::path& folder, IndexEntry& entry) {
    const auto space = line.find_first_of(" \t");
    if (space == std::string_view::npos) return false;
    const auto label = line.substr(0, space);
    if (label != "spam" && label != "ham") return false;
    const auto path = line.find_first_not_of(" \t", space);
    if (path == std::string_view::npos) return false;
    entry.spam = label == "spam";
    entry.path = (folder / std::string(line.substr(path))).string();
    return true;
}

}  // namespace

Result<std::vector<IndexEntry>> read_index(const std::string& path) {
    LineReader reader;
    if (!reader.open(path)) {
        return Error{errno == ENOENT ? Errc::not_found : Errc::unavailable,
                     path + ": " + std::strerror(errno)};
    }
    const auto folder = std::filesystem::path(path).parent_path();
    std::vector<IndexEntry> entries;
    LinePiece piece;
    for (std::size_t line = 1; reader.next(piece); ++line) {
        if (reader.read_bytes() > max_index_bytes) return Error{Errc::limit, path + ": too large"};
        if (piece.text.empty() || piece.text.front() == '#') continue;
        if (!piece.begins) return bad_line(path, line);
        IndexEntry entry;
        if (!parse_line(piece.text, folder, entry)) return bad_line(path, line);
        entries.push_back(std::move(entry));
    }
    if (reader.failed()) return Error{Errc::unavailable, path + ": " + std::strerror(errno)};
    return entries;
}

}  // namespace postern::mailsource

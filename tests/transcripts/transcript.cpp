#include "tests/transcripts/transcript.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>

namespace postern::transcripts {
namespace {

constexpr std::size_t max_repeats = 20'000'000;

Error bad(const std::string& name, int line_number, const std::string& what) {
    return Error{Errc::invalid, name + ":" + std::to_string(line_number) + ": " + what};
}

std::optional<std::string> unescape(std::string_view text);

// text follows "\{"; takes "TEXT*N}" off its front.
std::optional<std::string> take_repeat(std::string_view& text) {
    const std::size_t close = text.find('}');
    if (close == std::string_view::npos) return std::nullopt;
    const std::string_view inside = text.substr(0, close);
    const std::size_t star = inside.rfind('*');
    if (star == std::string_view::npos) return std::nullopt;
    std::size_t count = 0;
    const auto digits = inside.substr(star + 1);
    const auto end = digits.data() + digits.size();
    if (std::from_chars(digits.data(), end, count).ptr != end || digits.empty())
        return std::nullopt;
    const auto piece = unescape(inside.substr(0, star));
    if (!piece || count * piece->size() > max_repeats) return std::nullopt;

    text.remove_prefix(close + 1);
    std::string out;
    out.reserve(count * piece->size());
    for (std::size_t i = 0; i < count; ++i) out += *piece;
    return out;
}

// text follows "\"; takes one escape off its front.
std::optional<std::string> take_escape(std::string_view& text) {
    if (text.empty()) return std::nullopt;
    const char kind = text.front();
    text.remove_prefix(1);
    switch (kind) {
        case 'r':
            return "\r";
        case 'n':
            return "\n";
        case 't':
            return "\t";
        case '\\':
            return "\\";
        case '{':
            return take_repeat(text);
        case 'x': {
            unsigned value = 0;
            const auto digits = text.substr(0, 2);
            const auto end = digits.data() + digits.size();
            if (digits.size() != 2 || std::from_chars(digits.data(), end, value, 16).ptr != end) {
                return std::nullopt;
            }
            text.remove_prefix(2);
            return std::string(1, static_cast<char>(value));
        }
        default:
            return std::nullopt;
    }
}

std::optional<std::string> unescape(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const std::size_t backslash = std::min(text.find('\\'), text.size());
        out += text.substr(0, backslash);
        text.remove_prefix(backslash);
        if (text.empty()) break;
        text.remove_prefix(1);
        const auto piece = take_escape(text);
        if (!piece) return std::nullopt;
        out += *piece;
    }
    return out;
}

void read_config(std::string_view text, Settings& settings) {
    std::istringstream words{std::string(text)};
    for (std::string word; words >> word;) {
        const std::size_t equals = word.find('=');
        const bool flag = equals == std::string::npos;
        settings.values[word.substr(0, equals)] = flag ? "yes" : word.substr(equals + 1);
    }
}

struct Mark {
    std::string_view prefix;
    Step::Kind kind;
    bool unescaped;
    bool adds_crlf;
};
constexpr Mark marks[] = {
    {"C:", Step::Kind::client, true, true},       {"C-", Step::Kind::client, true, false},
    {"S:", Step::Kind::server_line, true, false}, {"S~", Step::Kind::server_pattern, false, false},
    {"S*", Step::Kind::server_any, false, false}, {"TLS", Step::Kind::tls, false, false},
    {"EOF", Step::Kind::eof, false, false},       {"CLOSED", Step::Kind::closed, false, false},
    {"TIME", Step::Kind::time, false, false},     {"EVENT", Step::Kind::event, false, false},
};

std::optional<Step> read_step(std::string_view line, int line_number) {
    for (const Mark& mark : marks) {
        if (!line.starts_with(mark.prefix)) continue;
        std::string_view rest = line.substr(mark.prefix.size());
        if (!rest.empty() && rest.front() != ' ') return std::nullopt;
        if (!rest.empty()) rest.remove_prefix(1);
        auto text = mark.unescaped ? unescape(rest) : std::string(rest);
        if (!text) return std::nullopt;
        if (mark.adds_crlf) *text += "\r\n";
        return Step{mark.kind, std::move(*text), line_number};
    }
    return std::nullopt;
}

std::string slurp(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::filesystem::path> files_of(const std::filesystem::path& folder,
                                            const std::string& extension) {
    std::vector<std::filesystem::path> files;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
        if (entry.path().extension() == extension) files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return files;
}

const std::filesystem::path root = std::filesystem::path(POSTERN_SOURCE_DIR) / "tests/transcripts";

}  // namespace

std::string Settings::get(const std::string& key, const std::string& otherwise) const {
    const auto found = values.find(key);
    return found == values.end() ? otherwise : found->second;
}

Result<Transcript> parse_transcript(std::string name, std::string_view text) {
    Transcript transcript;
    transcript.name = std::move(name);
    for (int line_number = 1; !text.empty(); ++line_number) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.empty() || line.front() == '#') continue;
        if (line.starts_with("config:")) {
            read_config(line.substr(7), transcript.settings);
            continue;
        }
        auto step = read_step(line, line_number);
        if (!step) return bad(transcript.name, line_number, "not a transcript line");
        transcript.steps.push_back(std::move(*step));
    }
    return transcript;
}

Result<Transcript> read_transcript(const std::string& path) {
    const std::string text = slurp(path);
    if (text.empty()) return Error{Errc::not_found, "cannot read " + path};
    return parse_transcript(std::filesystem::path(path).filename().string(), text);
}

std::vector<std::string> transcript_files(const std::string& folder) {
    std::vector<std::string> paths;
    for (const auto& path : files_of(root / folder, ".txt")) paths.push_back(path.string());
    return paths;
}

std::vector<std::string> mailbox_messages(const std::string& name) {
    std::vector<std::string> messages;
    for (const auto& path : files_of(root / "mailboxes" / name, ".eml")) {
        messages.push_back(slurp(path));
    }
    return messages;
}

}  // namespace postern::transcripts

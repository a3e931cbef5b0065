#include "appliance/cli/uidl_source.h"

#include "store/mail/types.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

namespace postern::cli {

namespace {

std::optional<std::uint32_t> number_of(std::string_view text) {
    std::uint32_t value = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::string_view take_line(std::string_view& text) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return line;
}

// The words up to the one that begins with ':', which reaches to the end of the line.
std::vector<std::string_view> words_of(std::string_view line) {
    std::vector<std::string_view> words;
    while (!line.empty()) {
        const auto end = line.front() == ':' ? line.size() : std::min(line.find(' '), line.size());
        if (end > 0) words.push_back(line.substr(0, end));
        line.remove_prefix(std::min(end + 1, line.size()));
    }
    return words;
}

std::string without_flags(std::string_view file) {
    return std::string(file.substr(0, file.find(':')));
}

// As Courier writes those that have no number: what might disturb a client becomes "+" and the
// code in hexadecimal.
std::string courier_name(std::string_view file) {
    std::string out;
    for (const char c : file) {
        const bool plain = c > 0x20 && c < 0x7f && c != '\'' && c != '"' && c != '+';
        char code[4];
        std::snprintf(code, sizeof code, "+%02X", static_cast<unsigned char>(c));
        out += plain ? std::string(1, c) : std::string(code);
    }
    return out;
}

// "UID:UIDVALIDITY", from the third version on with ":" and whether the header is UTF-8 behind it.
std::string courier_id(std::string_view file, std::string_view numbers) {
    const auto colon = std::min(numbers.find(':'), numbers.size());
    const auto uid = numbers.substr(0, colon);
    numbers.remove_prefix(std::min(colon + 1, numbers.size()));
    const auto validity = numbers.substr(0, numbers.find(':'));
    if (!number_of(uid) || !number_of(validity)) return "";
    if (uid == "0") return courier_name(file);
    return "UID" + std::string(uid) + (validity == "0" ? "" : "-" + std::string(validity));
}

std::string hexadecimal(std::uint32_t uid, std::uint32_t validity) {
    char text[17];
    std::snprintf(text, sizeof text, "%08x%08x", uid, validity);
    return text;
}

bool is_allowed(std::string_view uidl) {
    return uidl.size() <= mail::max_uidl_bytes &&
           std::all_of(uidl.begin(), uidl.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

}  // namespace

const std::vector<std::string>& UidlSource::kinds() {
    static const std::vector<std::string> all{"courier", "dovecot", "file-name", "x-uidl"};
    return all;
}

std::map<std::string, std::string> read_dovecot_uidlist(std::string_view text) {
    std::map<std::string, std::string> list;
    std::optional<std::uint32_t> validity;
    bool first = true;
    while (!text.empty()) {
        const auto words = words_of(take_line(text));
        if (std::exchange(first, false)) {
            if (words.empty() || words[0] != "3") return list;
            for (const auto word : words) {
                if (word.front() == 'V') validity = number_of(word.substr(1));
            }
            continue;
        }
        if (words.size() < 2 || words.back().front() != ':') continue;
        const auto uid = number_of(words[0]);
        std::string uidl = uid && validity ? hexadecimal(*uid, *validity) : "";
        for (const auto word : words) {
            if (word.front() == 'P') uidl = word.substr(1);
        }
        if (!uidl.empty()) list[without_flags(words.back().substr(1))] = std::move(uidl);
    }
    return list;
}

std::map<std::string, std::string> read_courier_list(std::string_view text) {
    std::map<std::string, std::string> list;
    const auto head = take_line(text);
    if (!head.starts_with("/2 ") && !head.starts_with("/3 ")) return list;
    while (!text.empty()) {
        auto line = take_line(text);
        const auto numbers_at = line.rfind(' ');
        const auto size_at = numbers_at == std::string_view::npos || numbers_at == 0
                                 ? std::string_view::npos
                                 : line.rfind(' ', numbers_at - 1);
        if (size_at == std::string_view::npos) continue;
        const auto file = without_flags(line.substr(0, size_at));
        auto uidl = courier_id(file, line.substr(numbers_at + 1));
        if (!uidl.empty()) list[file] = std::move(uidl);
    }
    return list;
}

const std::map<std::string, std::string>& UidlSource::list_of(const std::string& maildir) {
    const auto known = lists_.find(maildir);
    if (known != lists_.end()) return known->second;
    const bool courier = kind_ == "courier";
    std::ifstream in(maildir + (courier ? "/courierpop3dsizelist" : "/dovecot-uidlist"),
                     std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return lists_[maildir] =
               courier ? read_courier_list(text.str()) : read_dovecot_uidlist(text.str());
}

std::string UidlSource::uidl_of(const mailsource::Item& item, const mime::Part& root) {
    const std::filesystem::path path(item.name);
    const std::string file = without_flags(path.filename().string());
    std::string uidl;
    if (kind_ == "file-name") {
        uidl = file;
    } else if (kind_ == "dovecot" || kind_ == "courier") {
        const auto& list = list_of(path.parent_path().parent_path().string());
        const auto found = list.find(file);
        if (found != list.end()) uidl = found->second;
    } else if (kind_ == "x-uidl") {
        uidl = mime::header_text(root, item.bytes, "X-UIDL");
    }
    return is_allowed(uidl) ? uidl : "";
}

}  // namespace postern::cli

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

constexpr std::string_view flags_mark = ":2,";

std::optional<std::uint32_t> number_of(std::string_view text) {
    std::uint32_t value = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
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
    return std::string(file.substr(0, file.find(flags_mark)));
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
    static const std::vector<std::string> all{"dovecot", "file-name", "x-uidl"};
    return all;
}

std::map<std::string, std::string> read_dovecot_uidlist(std::string_view text) {
    std::map<std::string, std::string> list;
    std::optional<std::uint32_t> validity;
    bool first = true;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        const auto words = words_of(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
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

const std::map<std::string, std::string>& UidlSource::dovecot_list(const std::string& maildir) {
    const auto known = lists_.find(maildir);
    if (known != lists_.end()) return known->second;
    std::ifstream in(maildir + "/dovecot-uidlist", std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return lists_[maildir] = read_dovecot_uidlist(text.str());
}

std::string UidlSource::uidl_of(const mailsource::Item& item, const mime::Part& root) {
    const std::filesystem::path path(item.name);
    const std::string file = without_flags(path.filename().string());
    std::string uidl;
    if (kind_ == "file-name") {
        uidl = file;
    } else if (kind_ == "dovecot") {
        const auto& list = dovecot_list(path.parent_path().parent_path().string());
        const auto found = list.find(file);
        if (found != list.end()) uidl = found->second;
    } else if (kind_ == "x-uidl") {
        uidl = mime::header_text(root, item.bytes, "X-UIDL");
    }
    return is_allowed(uidl) ? uidl : "";
}

}  // namespace postern::cli

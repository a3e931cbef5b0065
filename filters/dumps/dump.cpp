#include "filters/dumps/dump.h"

#include "filters/dumps/rdb.h"
#include "filters/features/features.h"
#include "filters/features/words.h"
#include "protocols/base/hash.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <span>

namespace postern::filters {

namespace {

char upper(char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

bool take_number(std::string_view text, std::uint64_t& value) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size() && value <= max_dump_count;
}

// The last field of a text that ends with `separator` + field; takes it away.
bool take_last(std::string_view& text, char separator, std::string_view& field) {
    const auto at = text.rfind(separator);
    if (at == std::string_view::npos) return false;
    field = text.substr(at + 1);
    text = text.substr(0, at);
    return true;
}

struct Section {
    std::string_view prefix;  // of the other filter's tokens
    std::string_view kind;    // of ours
    bool content;
};

const Section* section_of(std::string_view token, std::string_view& word,
                          std::span<const Section> sections) {
    for (const Section& each : sections) {
        if (!token.starts_with(each.prefix)) continue;
        word = token.substr(each.prefix.size());
        return &each;
    }
    return nullptr;
}

constexpr std::array<Section, 4> bogofilter_sections{{
    {"subj:", "subject", true},
    {"from:", "from", false},
    {"to:", "to", false},
    {"rcvd:", "received", false},
}};
constexpr std::array<std::string_view, 4> bogofilter_unlike{"head:", "rtrn:", "mime:", "ip:"};

constexpr std::array<Section, 4> spamprobe_sections{{
    {"Hsubject_", "subject", true},
    {"Hfrom_", "from", false},
    {"Hto_", "to", false},
    {"U_", "url", true},
}};

// "TERM" with its escapes resolved; false: not quoted.
bool unquote(std::string_view text, std::string& out) {
    if (text.size() < 2 || text.front() != '"' || text.back() != '"') return false;
    text = text.substr(1, text.size() - 2);
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\' || i + 1 >= text.size()) {
            out += text[i];
            continue;
        }
        const auto octal = [&](std::size_t at) {
            return at < text.size() && text[at] >= '0' && text[at] <= '7';
        };
        if (octal(i + 1) && octal(i + 2) && octal(i + 3)) {
            out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                                     (text[i + 3] - '0'));
            i += 3;
        } else {
            out += text[++i];
        }
    }
    return true;
}

// One of our words, whole; empty when it is none or several.
std::string single_word(std::string_view text) {
    const std::string folded = fold_words(text);
    std::string found;
    std::size_t count = 0;
    for_each_word(folded, [&](std::string_view word) {
        if (++count == 1) found = word;
        return count < 2;
    });
    return count == 1 && found.size() == folded.size() ? found : std::string();
}

}  // namespace

const char* to_string(DumpKind kind) {
    switch (kind) {
        case DumpKind::bogofilter:
            return "bogofilter";
        case DumpKind::spamprobe:
            return "spamprobe";
        case DumpKind::spamassassin:
            return "SpamAssassin";
        case DumpKind::rspamd:
            return "rspamd";
    }
    return "";
}

void WordBook::add(std::string_view word) {
    if (word.empty() || word.size() > max_plain_word_bytes || words_.size() >= most_words_) return;
    const auto [place, is_new] = words_.emplace(word);
    if (!is_new) return;
    std::string spelling(word);
    add_spelling(spelling, *place);
    spelling[0] = upper(spelling[0]);
    add_spelling(spelling, *place);
    for (char& c : spelling) c = upper(c);
    add_spelling(spelling, *place);
}

void WordBook::add_spelling(std::string_view spelling, const std::string& word) {
    const std::string digest = sha1_(spelling);
    std::uint64_t key = 0;
    for (const char c : digest.substr(digest.size() - 5)) {
        key = key << 8 | static_cast<unsigned char>(c);
    }
    by_hash_.emplace(key, &word);
}

const std::string* WordBook::find(std::string_view hex) const {
    std::uint64_t key = 0;
    const auto [end, error] = std::from_chars(hex.data(), hex.data() + hex.size(), key, 16);
    if (hex.size() != 10 || error != std::errc() || end != hex.data() + hex.size()) return nullptr;
    const auto found = by_hash_.find(key);
    return found == by_hash_.end() ? nullptr : found->second;
}

std::optional<DumpKind> kind_of_dump(std::string_view head) {
    const std::string_view line = head.substr(0, head.find('\n'));
    if (line.starts_with("v\t") && line.find("db_version") != std::string_view::npos) {
        return DumpKind::spamassassin;
    }
    if (line.starts_with("\"BAYES_") || line.starts_with("\"RS") ||
        line.starts_with("{\"pattern\": \"RS") || is_rdb(head)) {
        return DumpKind::rspamd;
    }
    std::string_view rest = line;
    std::string_view date;
    std::string_view ham;
    std::string_view spam;
    std::uint64_t number = 0;
    if (take_last(rest, ' ', date) && take_last(rest, ' ', ham) && take_last(rest, ' ', spam) &&
        date.size() == 8 && take_number(date, number) && take_number(ham, number) &&
        take_number(spam, number)) {
        return DumpKind::bogofilter;
    }
    const auto quote = line.find(",\"");
    if (quote != std::string_view::npos && line.back() == '"' &&
        std::count(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(quote), ',') == 2 &&
        take_number(line.substr(0, line.find(',')), number)) {
        return DumpKind::spamprobe;
    }
    return std::nullopt;
}

void DumpReader::add_line(std::string_view line) {
    if (line.empty()) return;
    identity_ = hash64(line.substr(0, max_dump_line_bytes), identity_ + 1);
    if (line.size() > max_dump_line_bytes) {
        ++damaged_;
    } else if (kind_ == DumpKind::bogofilter) {
        add_bogofilter(line);
    } else if (kind_ == DumpKind::spamprobe) {
        add_spamprobe(line);
    } else if (kind_ == DumpKind::spamassassin) {
        add_spamassassin(line);
    } else {
        ++left_out_;
    }
}

void DumpReader::add_bogofilter(std::string_view line) {
    std::string_view date;
    std::string_view ham;
    std::string_view spam;
    Entry counts;
    if (!take_last(line, ' ', date) || !take_last(line, ' ', ham) || !take_last(line, ' ', spam) ||
        !take_number(ham, counts.ham) || !take_number(spam, counts.spam) || line.empty()) {
        ++damaged_;
        return;
    }
    if (line == ".MSG_COUNT") {
        messages_ = counts;
        return;
    }
    const bool unlike = line.front() == '.' ||
                        std::any_of(bogofilter_unlike.begin(), bogofilter_unlike.end(),
                                    [&](std::string_view each) { return line.starts_with(each); });
    std::string_view word = line;
    const Section* section = section_of(line, word, bogofilter_sections);
    const bool done =
        !unlike && (section == nullptr ? add_token("", word, true, counts)
                                       : add_token(section->kind, word, section->content, counts));
    ++(done ? taken_ : left_out_);
}

void DumpReader::add_spamprobe(std::string_view line) {
    std::array<std::string_view, 3> fields;
    for (std::string_view& field : fields) {
        const auto comma = line.find(',');
        if (comma == std::string_view::npos) {
            ++damaged_;
            return;
        }
        field = line.substr(0, comma);
        line.remove_prefix(comma + 1);
    }
    Entry counts;
    std::string term;
    if (!take_number(fields[0], counts.ham) || !take_number(fields[1], counts.spam) ||
        !unquote(line, term) || term.empty()) {
        ++damaged_;
        return;
    }
    largest_.ham = std::max(largest_.ham, counts.ham);
    sum_.ham += counts.ham;
    sum_.spam += counts.spam;
    std::string_view word = term;
    const Section* section = section_of(term, word, spamprobe_sections);
    if (section == nullptr && term.front() == 'H' && term.find('_') != std::string::npos) {
        ++left_out_;
        return;
    }
    const std::string_view kind = section == nullptr ? std::string_view() : section->kind;
    const bool content = section == nullptr || section->content;
    const auto blank = word.find(' ');
    if (blank == std::string_view::npos) {
        ++(add_token(kind, word, content, counts) ? taken_ : left_out_);
        return;
    }
    const std::string first = single_word(word.substr(0, blank));
    const std::string second = single_word(word.substr(blank + 1));
    if (first.empty() || second.empty()) {
        ++left_out_;
        return;
    }
    const auto feature = neighbours_feature(kind, first, second, content);
    ++(add_feature(feature, counts) ? taken_ : left_out_);
}

// "v TAB number TAB what", "t TAB spam TAB ham TAB time TAB hash"; "s" lines name single messages.
void DumpReader::add_spamassassin(std::string_view line) {
    const bool variable = line.starts_with("v\t");
    if (!variable && !line.starts_with("t\t")) {
        ++(line.starts_with("s\t") ? left_out_ : damaged_);
        return;
    }
    std::array<std::string_view, 5> fields;
    std::size_t count = 0;
    for (std::string_view rest = line; count < fields.size(); ++count) {
        const auto tab = rest.find('\t');
        fields[count] = rest.substr(0, tab);
        if (tab == std::string_view::npos) {
            ++count;
            break;
        }
        rest.remove_prefix(tab + 1);
    }
    Entry counts;
    if (variable) {
        std::uint64_t number = 0;
        if (count < 3 || !take_number(fields[1], number)) {
            ++damaged_;
        } else if (fields[2].starts_with("num_spam")) {
            messages_.spam = number;
        } else if (fields[2].starts_with("num_nonspam")) {
            messages_.ham = number;
        }
        return;
    }
    if (count < 5 || !take_number(fields[1], counts.spam) || !take_number(fields[2], counts.ham)) {
        ++damaged_;
        return;
    }
    const std::string* word = words_ == nullptr ? nullptr : words_->find(fields[4]);
    const bool done = word != nullptr && add_token("", *word, true, counts);
    ++(done ? taken_ : left_out_);
}

bool DumpReader::add_token(std::string_view kind, std::string_view word, bool content,
                           Entry counts) {
    const std::string folded = single_word(word);
    if (folded.empty() || folded.size() > max_plain_word_bytes) return false;
    return add_feature(word_feature(kind, folded, content), counts);
}

bool DumpReader::add_feature(std::uint64_t hash, Entry counts) {
    const auto found = features_.find(hash);
    if (found == features_.end() && features_.size() >= most_features_) return false;
    Entry& entry = features_[hash];  // spellings that are one word to us add up
    entry.ham += counts.ham;
    entry.spam += counts.spam;
    return true;
}

Result<Counts> DumpReader::finish() const {
    if (kind_ == DumpKind::spamassassin && (words_ == nullptr || words_->size() == 0)) {
        return Error{Errc::unsupported,
                     "SpamAssassin keeps hashes in place of words; give mail of this site with "
                     "--words, labelled or not, to know the words again"};
    }
    // Occurrences, not messages: what counts is how often among all of its class.
    Entry messages = messages_;
    if (kind_ == DumpKind::spamprobe && sum_.ham > 0) {
        const double ratio = static_cast<double>(sum_.spam) / static_cast<double>(sum_.ham);
        messages.ham = largest_.ham;
        messages.spam = static_cast<std::uint64_t>(
            std::min(static_cast<double>(max_dump_count),
                     std::ceil(static_cast<double>(largest_.ham) * ratio)));
    }
    if (messages.ham == 0 || messages.spam == 0) {
        return Error{Errc::invalid, std::string("no ham or no spam is counted in this dump of ") +
                                        to_string(kind_)};
    }
    if (damaged_ > taken_ + left_out_) {
        return Error{Errc::invalid, "more lines are damaged than whole"};
    }
    Counts counts;
    counts.ham = messages.ham;
    counts.spam = messages.spam;
    counts.identity = identity_ == 0 ? 1 : identity_;
    counts.features.reserve(features_.size());
    for (const auto& [hash, entry] : features_) {
        counts.features.push_back(
            {hash, static_cast<std::uint32_t>(std::min(entry.ham, messages.ham)),
             static_cast<std::uint32_t>(std::min(entry.spam, messages.spam))});
    }
    std::sort(counts.features.begin(), counts.features.end(),
              [](const auto& a, const auto& b) { return a.hash < b.hash; });
    return counts;
}

}  // namespace postern::filters

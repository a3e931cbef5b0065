// What another filter learned, from the text that its own tool writes, as counts of our features.
//
//   bogofilter     bogoutil -d wordlist.db: "TOKEN SPAM HAM DATE"; .MSG_COUNT holds the messages
//   spamprobe      spamprobe export: GOOD,SPAM,FLAGS,"TERM" with octal escapes; counts of
//                  occurrences; terms of two words are neighbours
//   SpamAssassin   sa-learn --backup: the last five bytes of each token's SHA-1, so that only those
//                  words can be taken that are known from elsewhere (see WordBook)
//   rspamd         rspamadm statistics_dump, or a dump of its Redis: see filters/dumps/rspamd.h
//
// Words of the subject, the text, the links and the addresses are taken; what has no likeness among
// our features is counted as left out. Pure; memory is bounded by max_dump_features.
#pragma once

#include "filters/models/models.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace postern::filters {

enum class DumpKind : std::uint8_t { bogofilter, spamprobe, spamassassin, rspamd };
const char* to_string(DumpKind kind);

inline constexpr std::uint64_t max_dump_count = 1'000'000'000;  // of one feature, or of messages
inline constexpr std::size_t max_dump_features = 2'000'000;     // what comes later is left out
inline constexpr std::size_t max_dump_line_bytes = 4096;        // a longer one is damaged
inline constexpr std::size_t dump_head_bytes = 4096;            // enough for kind_of_dump

// By the beginning of the file; nullopt: no dump. Any dump of Redis counts as rspamd's.
std::optional<DumpKind> kind_of_dump(std::string_view head);

// Words that the site's mail holds, by the hash that SpamAssassin keeps of each, as they are spelt
// in small letters, with a capital, and in capitals.
class WordBook {
public:
    using Sha1 = std::function<std::string(std::string_view)>;  // 20 bytes
    static constexpr std::size_t max_words = 1'000'000;         // later ones are left out
    explicit WordBook(Sha1 sha1, std::size_t most_words = max_words)
        : sha1_(std::move(sha1)), most_words_(most_words) {}

    void add(std::string_view word);  // folded
    // nullptr: none of that hash (10 hexadecimal digits).
    const std::string* find(std::string_view hex) const;
    std::size_t size() const { return words_.size(); }

private:
    void add_spelling(std::string_view spelling, const std::string& word);

    Sha1 sha1_;
    const std::size_t most_words_;
    std::unordered_set<std::string> words_;
    std::unordered_map<std::uint64_t, const std::string*> by_hash_;
};

class DumpReader {
public:
    // kind: any but rspamd. words: for SpamAssassin; must outlive this.
    explicit DumpReader(DumpKind kind, const WordBook* words = nullptr,
                        std::size_t most_features = max_dump_features)
        : kind_(kind), words_(words), most_features_(most_features) {}

    void add_line(std::string_view line);  // without its end
    // Lines so far, by what became of them.
    std::uint64_t taken() const { return taken_; }
    std::uint64_t left_out() const { return left_out_; }
    std::uint64_t damaged() const { return damaged_; }

    // Identity is of the lines, so that the same dump is known again. Errors: unsupported
    // (SpamAssassin without words), invalid (no message counts, or hardly a line that can be read).
    Result<Counts> finish() const;

private:
    struct Entry {
        std::uint64_t ham = 0;
        std::uint64_t spam = 0;
    };
    void add_bogofilter(std::string_view line);
    void add_spamprobe(std::string_view line);
    void add_spamassassin(std::string_view line);
    bool add_token(std::string_view kind, std::string_view word, bool content, Entry counts);
    bool add_feature(std::uint64_t hash, Entry counts);

    DumpKind kind_;
    const WordBook* words_;
    const std::size_t most_features_;
    std::unordered_map<std::uint64_t, Entry> features_;
    Entry messages_;  // as told, or as it follows
    Entry largest_;
    Entry sum_;
    std::uint64_t taken_ = 0;
    std::uint64_t left_out_ = 0;
    std::uint64_t damaged_ = 0;
    std::uint64_t identity_ = 0;
};

}  // namespace postern::filters

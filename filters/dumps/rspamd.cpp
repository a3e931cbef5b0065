#include "filters/dumps/rspamd.h"

#include "protocols/base/hash.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>

namespace postern::filters {

namespace {

constexpr std::uint64_t word_seed = 0xDEADBABE;
constexpr std::array<std::uint64_t, 4> multipliers{3, 5, 11, 23};
constexpr std::size_t max_guessed_words = 100'000;  // then they are guessed anew
constexpr std::size_t most_letters_off = 4;
constexpr std::size_t least_stem_letters = 2;
constexpr std::size_t bits_a_token = 16;
constexpr std::size_t least_bits = 1024;
// An occurrence of a word is in four pairs with words before it and in four with words after it.
constexpr std::uint64_t pairs_of_word = 8;

bool take_whole(std::string_view text, std::uint64_t& value) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size();
}

// "RS_123" and "RSann@example.org_123".
bool token_of_key(std::string_view key, std::uint64_t& number) {
    const auto at = key.rfind('_');
    return key.starts_with("RS") && at != std::string_view::npos &&
           take_whole(key.substr(at + 1), number);
}

// Marks at the end are no part of a word to rspamd.
std::string_view bare(std::string_view word) {
    while (!word.empty() && (word.back() == '!' || word.back() == '%')) word.remove_suffix(1);
    return word;
}

}  // namespace

void RspamdStatistics::add_token(std::uint64_t number, bool spam, std::uint64_t count) {
    count = std::min(count, max_dump_count);
    if (tokens_.empty() || tokens_.back().number != number) {
        if (tokens_.size() >= max_tokens_) {
            ++beyond_limit_;
            return;
        }
        tokens_.push_back({number, 0, 0});
    }
    auto& sum = spam ? tokens_.back().spam : tokens_.back().ham;
    sum = static_cast<std::uint32_t>(std::min<std::uint64_t>(sum + count, max_dump_count));
}

void RspamdStatistics::add_field(std::string_view key, std::string_view field,
                                 std::string_view value) {
    std::uint64_t number = 0;
    std::uint64_t count = 0;
    const bool old_spam = key.starts_with("BAYES_SPAM");
    const bool old_ham = key.starts_with("BAYES_HAM");
    if (!old_spam && !old_ham && !key.starts_with("RS")) return;
    const bool is_token = token_of_key(key, number);
    const bool counts_messages = !is_token && (field.starts_with("learns"));
    const bool old_token = (old_spam || old_ham) && take_whole(field, number);
    if (!counts_messages && !old_token && !(is_token && (field == "S" || field == "H"))) return;
    if (!take_whole(value, count)) {
        ++damaged_;
        return;
    }
    identity_ += hash64(value, hash64(field, hash64(key)));  // in any order
    if (!counts_messages) {
        add_token(number, old_token ? old_spam : field == "S", count);
    } else if (field == "learns_spam" || (field == "learns" && old_spam)) {
        messages_.spam = std::min(messages_.spam + count, max_dump_count);
    } else if (field == "learns_ham" || (field == "learns" && old_ham)) {
        messages_.ham = std::min(messages_.ham + count, max_dump_count);
    }
}

// "KEY": {"FIELD":"VALUE",...}, or first {"pattern": "KEY", "meta": {...}, "elts": {
void RspamdStatistics::add_line(std::string_view line) {
    if (line.size() > max_dump_line_bytes) {
        ++damaged_;
        return;
    }
    std::vector<std::string_view> quoted;
    while (true) {
        const auto begin = line.find('"');
        const auto end = begin == std::string_view::npos ? begin : line.find('"', begin + 1);
        if (end == std::string_view::npos) break;
        quoted.push_back(line.substr(begin + 1, end - begin - 1));
        line.remove_prefix(end + 1);
    }
    if (quoted.empty()) return;
    const bool with_pattern = quoted[0] == "pattern" && quoted.size() > 2;
    const std::string_view key = with_pattern ? quoted[1] : quoted[0];
    for (std::size_t i = with_pattern ? 3 : 1; i + 1 < quoted.size(); i += 2) {
        if (quoted[i] != "elts") add_field(key, quoted[i], quoted[i + 1]);
    }
}

void RspamdStatistics::start_recognising() {
    std::sort(tokens_.begin(), tokens_.end(),
              [](const Token& a, const Token& b) { return a.number < b.number; });
    std::size_t kept = 0;
    for (const Token& token : tokens_) {
        if (kept > 0 && tokens_[kept - 1].number == token.number) {
            const auto add = [](std::uint32_t& sum, std::uint32_t more) {
                sum = static_cast<std::uint32_t>(
                    std::min<std::uint64_t>(std::uint64_t{sum} + more, max_dump_count));
            };
            add(tokens_[kept - 1].ham, token.ham);
            add(tokens_[kept - 1].spam, token.spam);
        } else {
            tokens_[kept++] = token;
        }
    }
    tokens_.resize(kept);
    found_.assign(kept, false);
    held_.assign(std::bit_ceil(std::max(kept * bits_a_token, least_bits)) / 64, 0);
    for (const Token& token : tokens_) {
        const std::uint64_t bit = token.number & (held_.size() * 64 - 1);
        held_[bit / 64] |= std::uint64_t{1} << bit % 64;
    }
}

// The word, up to four letters less, and -i for -y (happy, happi).
const RspamdStatistics::Guesses& RspamdStatistics::guesses_of(std::string_view word) {
    if (guesses_.size() >= max_guessed_words) guesses_.clear();
    Guesses& guesses = guesses_[std::string(word)];
    if (!guesses.empty()) return guesses;
    std::string_view stem = bare(word);
    if (stem.ends_with('y')) {
        guesses.push_back(xxh64(std::string(stem.substr(0, stem.size() - 1)) + 'i', word_seed));
    }
    guesses.push_back(xxh64(stem, word_seed));
    for (std::size_t off = 1; off <= most_letters_off; ++off) {
        if (stem.size() <= least_stem_letters) break;
        stem.remove_suffix(1);
        guesses.push_back(xxh64(stem, word_seed));
    }
    return guesses;
}

void RspamdStatistics::recognise_pair(std::string_view first, std::string_view second, bool subject,
                                      std::uint64_t feature) {
    const std::uint64_t mask = held_.size() * 64 - 1;
    const Guesses older = guesses_of(first);
    for (const std::uint64_t newer : guesses_of(second)) {
        for (const std::uint64_t old : older) {
            for (const std::uint64_t multiplier : multipliers) {
                const std::uint64_t number = newer + multiplier * old;
                if ((held_[(number & mask) / 64] >> number % 64 & 1) == 0) continue;
                const auto at = std::lower_bound(
                    tokens_.begin(), tokens_.end(), number,
                    [](const Token& token, std::uint64_t value) { return token.number < value; });
                if (at == tokens_.end() || at->number != number) continue;
                const auto index = static_cast<std::size_t>(at - tokens_.begin());
                if (found_[index]) continue;
                const Sums counts{at->ham, at->spam};
                if (!credit(pairs_, feature, counts)) continue;
                found_[index] = true;
                ++recognised_;
                const std::string_view kind = subject ? "subject" : "";
                credit(words_, word_feature(kind, first, true), counts);
                credit(words_, word_feature(kind, second, true), counts);
            }
        }
    }
}

bool RspamdStatistics::credit(Table& table, std::uint64_t feature, const Sums& counts) const {
    const auto found = table.find(feature);
    if (found == table.end() && table.size() >= max_features_) return false;
    Sums& sums = found == table.end() ? table[feature] : found->second;
    sums.ham += counts.ham;
    sums.spam += counts.spam;
    return true;
}

void RspamdStatistics::recognise(const Features& features) {
    const FeatureVector& vector = features.vector;
    for (std::size_t i = vector.tokens; i < vector.hashes.size(); ++i) {
        const std::string name = features.names.of(i);
        std::string_view first = name;
        const bool subject = first.starts_with("subject:");
        if (subject) first.remove_prefix(first.find(':') + 1);
        const auto blank = first.find(' ');
        if (blank == std::string_view::npos || first.find(':') != std::string_view::npos) continue;
        const std::string_view second = first.substr(first.rfind(' ') + 1);
        recognise_pair(first.substr(0, blank), second, subject, vector.hashes[i]);
    }
}

Result<Counts> RspamdStatistics::finish() const {
    if (messages_.ham == 0 || messages_.spam == 0) {
        return Error{Errc::invalid,
                     "no ham or no spam is counted in rspamd's statistics of this dump"};
    }
    if (recognised_ == 0) {
        return Error{Errc::unsupported,
                     "rspamd keeps hashes of pairs of words; give mail of this site with --words, "
                     "labelled or not, to know them again, or better import the mail that rspamd "
                     "was trained with"};
    }
    Counts counts;
    counts.ham = messages_.ham;
    counts.spam = messages_.spam;
    counts.identity = identity_ == 0 ? 1 : identity_;
    const auto add = [&](const Table& table, std::uint64_t divisor) {
        const auto rounded = [&](std::uint64_t sum, std::uint64_t most) {
            return static_cast<std::uint32_t>(std::min((sum + divisor / 2) / divisor, most));
        };
        for (const auto& [hash, sums] : table) {
            const CountedFeature feature{hash, rounded(sums.ham, messages_.ham),
                                         rounded(sums.spam, messages_.spam)};
            if (feature.ham + feature.spam > 0) counts.features.push_back(feature);
        }
    };
    add(pairs_, 1);
    add(words_, pairs_of_word);
    std::sort(counts.features.begin(), counts.features.end(),
              [](const auto& a, const auto& b) { return a.hash < b.hash; });
    return counts;
}

}  // namespace postern::filters

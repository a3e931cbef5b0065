// SpamAssassin's ReplaceTags: "<V>" in a pattern stands for all that is made to look like a V.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace postern::filters {

// Tags may stand for at most so much in one pattern.
inline constexpr std::size_t max_replaced_bytes = 64 * 1024;

class ReplaceTags {
public:
    // "replace_tag NAME TEXT" and replace_inter, replace_pre, replace_post; any other key is
    // answered false.
    bool set(std::string_view key, std::string_view name, std::string_view text);

    // With its tags replaced: <inter NAME> puts a text between neighbouring tags, <pre NAME> and
    // <post NAME> before and behind each. Tags that nobody set stay. Empty: it grew too large.
    std::string apply(std::string_view pattern) const;

private:
    using Texts = std::map<std::string, std::string, std::less<>>;
    static std::string take_word(std::string& pattern, std::string_view word, const Texts& texts);

    Texts tags_;
    Texts between_;
    Texts before_;
    Texts behind_;
};

}  // namespace postern::filters

#include "filters/translate/replace_tags.h"

namespace postern::filters {

bool ReplaceTags::set(std::string_view key, std::string_view name, std::string_view text) {
    Texts* texts = key == "replace_tag"     ? &tags_
                   : key == "replace_inter" ? &between_
                   : key == "replace_pre"   ? &before_
                   : key == "replace_post"  ? &behind_
                                            : nullptr;
    if (texts == nullptr) return false;
    (*texts)[std::string(name)] = text;
    return true;
}

// Takes "<inter W1>" out of the pattern and answers what W1 stands for.
std::string ReplaceTags::take_word(std::string& pattern, std::string_view word,
                                   const Texts& texts) {
    const std::string begin = '<' + std::string(word) + ' ';
    const std::size_t at = pattern.find(begin);
    if (at == std::string::npos) return {};
    const std::size_t end = pattern.find('>', at);
    if (end == std::string::npos) return {};
    const auto found = texts.find(pattern.substr(at + begin.size(), end - at - begin.size()));
    pattern.erase(at, end + 1 - at);
    return found == texts.end() ? std::string() : found->second;
}

std::string ReplaceTags::apply(std::string_view pattern) const {
    std::string text(pattern);
    const std::string between = take_word(text, "inter", between_);
    const std::string before = take_word(text, "pre", before_);
    const std::string behind = take_word(text, "post", behind_);
    std::string out;
    bool after_tag = false;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = text[at] == '<' ? text.find('>', at) : std::string::npos;
        const auto tag =
            end == std::string::npos ? tags_.end() : tags_.find(text.substr(at + 1, end - at - 1));
        if (tag == tags_.end()) {
            out += text[at++];
            after_tag = false;
            continue;
        }
        if (after_tag) out += between;
        out += before + tag->second + behind;
        after_tag = true;
        at = end + 1;
        if (out.size() > max_replaced_bytes) return {};
    }
    return out;
}

}  // namespace postern::filters

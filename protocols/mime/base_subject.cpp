#include "protocols/mime/base_subject.h"

#include "protocols/wire/text.h"

namespace postern::mime {
namespace {

std::string with_single_spaces(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool space = c == ' ' || c == '\t' || c == '\r' || c == '\n';
        if (!space) {
            out += c;
        } else if (!out.empty() && out.back() != ' ') {
            out += ' ';
        }
    }
    return out;
}

bool ends_with_ignoring_case(std::string_view text, std::string_view end) {
    return text.size() >= end.size() &&
           wire::equals_ignoring_case(text.substr(text.size() - end.size()), end);
}

// subj-trailer
bool cut_trailer(std::string_view& text, bool& is_reply) {
    if (text.ends_with(' ')) {
        text.remove_suffix(1);
        return true;
    }
    constexpr std::string_view forwarded = "(fwd)";
    if (!ends_with_ignoring_case(text, forwarded)) return false;
    text.remove_suffix(forwarded.size());
    return is_reply = true;
}

// subj-blob = "[" *BLOBCHAR "]" *WSP; 0: none.
std::size_t blob_bytes(std::string_view text) {
    if (!text.starts_with('[')) return 0;
    const std::size_t end = text.find_first_of("[]", 1);
    if (end == std::string_view::npos || text[end] != ']') return 0;
    return end + 1 < text.size() && text[end + 1] == ' ' ? end + 2 : end + 1;
}

// ("re" / ("fw" ["d"])) *WSP [subj-blob] ":"; 0: none.
std::size_t refwd_bytes(std::string_view text) {
    std::size_t at = 0;
    if (wire::starts_with_ignoring_case(text, "re")) {
        at = 2;
    } else if (wire::starts_with_ignoring_case(text, "fwd")) {
        at = 3;
    } else if (wire::starts_with_ignoring_case(text, "fw")) {
        at = 2;
    } else {
        return 0;
    }
    if (at < text.size() && text[at] == ' ') ++at;
    at += blob_bytes(text.substr(at));
    return at < text.size() && text[at] == ':' ? at + 1 : 0;
}

// subj-leader = (*subj-blob subj-refwd) / WSP
bool cut_leader(std::string_view& text, bool& is_reply) {
    if (text.starts_with(' ')) {
        text.remove_prefix(1);
        return true;
    }
    std::size_t at = 0;
    while (const std::size_t blob = blob_bytes(text.substr(at))) at += blob;
    const std::size_t refwd = refwd_bytes(text.substr(at));
    if (refwd == 0) return false;
    text.remove_prefix(at + refwd);
    return is_reply = true;
}

// All blobs in front, but for the last when nothing else is left.
bool cut_blobs(std::string_view& text) {
    std::size_t at = 0, last = 0;
    while (const std::size_t blob = blob_bytes(text.substr(at))) {
        last = at;
        at += blob;
    }
    if (at == text.size()) at = last;
    text.remove_prefix(at);
    return at > 0;
}

}  // namespace

BaseSubject base_subject(std::string_view subject) {
    BaseSubject out;
    const std::string joined = with_single_spaces(subject);
    std::string_view text = joined;
    for (;;) {
        while (cut_trailer(text, out.is_reply)) {
        }
        do {
            while (cut_leader(text, out.is_reply)) {
            }
        } while (cut_blobs(text));
        constexpr std::string_view head = "[fwd:";
        if (!wire::starts_with_ignoring_case(text, head) || !text.ends_with(']')) break;
        text.remove_prefix(head.size());
        text.remove_suffix(1);
        out.is_reply = true;
    }
    out.text = std::string(text);
    return out;
}

}  // namespace postern::mime

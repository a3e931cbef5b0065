// What a message says, decoded once for features, checks and rules: header values, the text that a
// reader sees, links, attachments. Bounded by max_scanned_bytes and the limits below.
#pragma once

#include "filters/features/url.h"
#include "filters/input.h"
#include "protocols/mime/html.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postern::filters {

inline constexpr std::size_t max_content_text_bytes = 256 * 1024;
inline constexpr std::size_t max_content_headers = 300;
inline constexpr std::size_t max_header_value_bytes = 8 * 1024;
inline constexpr std::size_t max_content_parts = 200;
inline constexpr std::size_t max_content_source_bytes = 256 * 1024;

struct HeaderText {
    std::string_view name;    // as written; of the message
    std::string value;        // unfolded, decoded UTF-8
    std::string_view raw;     // as written
    bool is_feature = false;  // see is_feature_field
};

struct Attachment {
    std::string name;       // file name, UTF-8; may be empty
    std::string extension;  // of the name, lower case, without the dot
    std::string type;       // "application/pdf"
};

struct Content {
    std::vector<HeaderText> headers;  // of the message itself, in order
    std::string text;                 // of all text parts, visible, UTF-8
    std::string source;               // text parts as UTF-8 with their markup
    std::size_t plain_bytes = 0;      // of text that came from text/plain
    std::size_t html_bytes = 0;       // visible text that came from text/html
    unsigned plain_parts = 0;
    unsigned html_parts = 0;
    mime::HtmlText html;  // of all HTML parts together; its text is empty, see above
    std::vector<Url> urls;
    std::vector<Attachment> attachments;
    std::vector<std::string> types;  // of each part that is no multipart, in order
    std::string_view message;        // what was looked at, without an mbox "From " line

    // First field of that name, any case; nullptr: none.
    const HeaderText* find(std::string_view name) const;
    // Its value; empty: none.
    std::string_view value(std::string_view name) const;
    std::size_t count(std::string_view name) const;
};

Content read_content(const ScanInput& input);
// The same into `content`, whose memory is used again.
void read_content(const ScanInput& input, Content& content);

// Fields that a gateway adds (verdicts, delivery): they are of the journey's end, not of the
// message.
bool is_delivery_field(std::string_view name);

// Length of a leading mbox "From " line with its line end; 0: none.
std::size_t mbox_line_bytes(std::string_view message);

}  // namespace postern::filters

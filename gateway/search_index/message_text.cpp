#include "gateway/search_index/message_text.h"

#include "protocols/mime/decode.h"
#include "protocols/mime/fold_case.h"
#include "protocols/mime/header.h"
#include "protocols/mime/html.h"

#include <algorithm>

namespace postern::search_index {

namespace {

std::string decoded_value(const mime::HeaderField& field, std::string_view whole) {
    return mime::fold_case(mime::decode_words(mime::unfold(field.value.of(whole))));
}

void add_text(const mime::Part& part, std::string_view whole, std::size_t& room,
              std::vector<std::string>& out) {
    const auto text = mime::decoded_text(part, whole, room);
    room -= std::min(room, text.size());
    if (part.subtype == "html") {
        // A phrase that a reader sees unbroken may be cut by tags in the source, and a link's
        // address is only there: both are searched.
        out.push_back(mime::fold_case(mime::extract_html(text, max_text_bytes).text));
    }
    out.push_back(mime::fold_case(text));
}

}  // namespace

std::vector<fulltext::HeaderField> header_text(const mime::Message& message,
                                               std::string_view whole) {
    std::vector<fulltext::HeaderField> fields;
    for (const auto& field : message.parts.front().fields) {
        fields.push_back({mime::fold_case(field.name.of(whole)), decoded_value(field, whole)});
    }
    return fields;
}

std::vector<std::string> body_text(const mime::Message& message, std::string_view whole) {
    std::vector<std::string> texts;
    std::size_t room = max_text_bytes;
    for (std::size_t i = 0; i < message.parts.size() && room > 0; ++i) {
        const auto& part = message.parts[i];
        for (const auto& field : part.fields) {
            if (i == 0) break;
            texts.push_back(mime::fold_case(field.name.of(whole)) + ": " +
                            decoded_value(field, whole));
        }
        const bool text = part.type == "text" || part.is_message();
        if (part.children.empty() && text) add_text(part, whole, room, texts);
    }
    return texts;
}

}  // namespace postern::search_index

#include "gateway/search_index/message_text.h"

#include "protocols/mime/address.h"
#include "protocols/mime/decode.h"
#include "protocols/mime/fold_case.h"
#include "protocols/mime/header.h"
#include "protocols/mime/html.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace postern::search_index {

namespace {

std::string decoded_value(const mime::HeaderField& field, std::string_view whole) {
    return mime::fold_case(mime::decode_words(mime::unfold(field.value.of(whole))));
}

bool holds_addresses(std::string_view folded_name) {
    return folded_name == "from" || folded_name == "to" || folded_name == "cc" ||
           folded_name == "bcc";
}

// An address that comments, quotes or blanks cut into pieces is found as it is written elsewhere.
void add_plain_addresses(const fulltext::HeaderField& field, std::string_view raw,
                         std::vector<fulltext::HeaderField>& out) {
    for (const auto& address : mime::parse_addresses(raw)) {
        if (address.kind != mime::Address::Kind::mailbox || address.domain.empty()) continue;
        std::string plain = mime::fold_case(address.addr_spec());
        if (field.value.find(plain) != std::string::npos) continue;
        out.push_back({field.name, std::move(plain)});
    }
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
        fulltext::HeaderField text{mime::fold_case(field.name.of(whole)),
                                   decoded_value(field, whole)};
        std::vector<fulltext::HeaderField> plain;
        if (holds_addresses(text.name)) add_plain_addresses(text, field.value.of(whole), plain);
        fields.push_back(std::move(text));
        std::move(plain.begin(), plain.end(), std::back_inserter(fields));
    }
    return fields;
}

std::vector<std::string> body_text(const mime::Message& message, std::string_view whole) {
    std::vector<std::string> texts;
    std::size_t room = max_text_bytes;
    // Beyond the parser's limits a multipart's body is not text but all that is in it.
    const bool all_parsed =
        !message.has(mime::Defect::too_deep) && !message.has(mime::Defect::too_many_parts);
    for (std::size_t i = 0; i < message.parts.size() && room > 0; ++i) {
        const auto& part = message.parts[i];
        for (const auto& field : part.fields) {
            if (i == 0) break;
            texts.push_back(mime::fold_case(field.name.of(whole)) + ": " +
                            decoded_value(field, whole));
        }
        // A multipart whose boundary never comes is shown as a text as well (BODYSTRUCTURE).
        const bool text = part.type == "text" || part.is_message() ||
                          (part.is_multipart() && all_parsed);
        if (part.children.empty() && text) add_text(part, whole, room, texts);
    }
    return texts;
}

}  // namespace postern::search_index

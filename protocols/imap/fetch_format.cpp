#include "protocols/imap/fetch_format.h"

#include "protocols/imap/dates.h"
#include "protocols/imap/flag_text.h"
#include "protocols/imap/response.h"
#include "protocols/imap/section.h"

#include <algorithm>
#include <string_view>

namespace postern::imap {
namespace {

using Kind = FetchItem::Kind;

constexpr std::size_t usual_bytes = 512;  // of an answer without bodies

std::string literal_head(std::uint64_t size) {
    return '{' + std::to_string(size) + "}\r\n";
}

class Writer {
public:
    Writer(const FetchedMessage& message, std::vector<FetchPiece>& out)
        : message_(message), out_(out) {
        text_.reserve(usual_bytes);
        text_ = message.head;
    }

    void item(const FetchItem& item) {
        text_ += separator_;
        text_ += item.label;
        text_ += ' ';
        separator_ = " ";
        if (item.kind == Kind::section) return section(item);
        if (is_decoded(item)) return decoded(item);
        value(item.kind);
    }
    void finish() {
        if (!text_.empty() && text_.back() == ' ') text_.pop_back();  // "(UID 9 " and nothing else
        text_ += ")\r\n";
        flush();
    }

private:
    // Lists ask for these of each message: they are put where they shall be.
    void value(Kind kind) {
        const MessageRow& row = message_.row;
        switch (kind) {
            case Kind::flags:
                return append_flags(text_, row.flags, message_.recent);
            case Kind::internal_date:
                return put(format_date_time(row.internal_date));
            case Kind::size:
                return put(row.size);
            case Kind::uid:
                return put(row.uid);
            case Kind::envelope:
                return put(message_.summary->envelope);
            case Kind::body:
                return put(message_.summary->body);
            case Kind::body_structure:
                return put(message_.summary->body_structure);
            case Kind::mod_seq:
                put("(");
                put(row.modseq);
                return put(")");
            case Kind::save_date:
                return put(row.save_date == Time() ? "NIL" : format_date_time(row.save_date));
            case Kind::preview:
                return put(format_string(message_.summary->preview));
            case Kind::email_id:
                return put('(' + row.email_id + ')');
            case Kind::thread_id:
                return put(row.thread_id.empty() ? "NIL" : '(' + row.thread_id + ')');
            case Kind::section:
            case Kind::binary:
            case Kind::binary_size:
                break;
        }
    }
    void put(std::string_view text) { text_ += text; }
    void put(std::uint64_t number) { append_number(text_, number); }

    void decoded(const FetchItem& item) {
        const auto range = find_section(item, message_.summary, message_.row.size);
        const auto encoding = encoding_of(item, message_.summary);
        const auto found =
            std::find_if(message_.decoded.begin(), message_.decoded.end(),
                         [&](const FetchedMessage::Decoded& each) {
                             return range && each.range == *range && each.encoding == encoding;
                         });
        if (found == message_.decoded.end()) {
            text_ += item.kind == Kind::binary_size ? "0" : "NIL";
            return;
        }
        if (item.kind == Kind::binary_size) {
            text_ += std::to_string(found->size);
            return;
        }
        const mime::Range cut = cut_partial({0, found->size}, item.partial);
        text_ += (found->has_nul ? "~" : "") + literal_head(cut.size());
        if (cut.size() == 0) return;
        flush();
        out_.emplace_back(SendDecoded{*range, encoding, cut.begin, cut.size()});
    }

    void section(const FetchItem& item) {
        const auto range = find_section(item, message_.summary, message_.row.size);
        if (!range) {
            text_ += "NIL";
        } else if (picks_fields(item)) {
            fields(item, *range);
        } else {
            const mime::Range cut = cut_partial(*range, item.partial);
            text_ += literal_head(cut.size());
            if (cut.size() == 0) return;
            flush();
            out_.emplace_back(SendBlob{message_.row.blob, cut.begin, cut.size()});
        }
    }

    void fields(const FetchItem& item, const mime::Range& range) {
        const auto header =
            std::find_if(message_.headers.begin(), message_.headers.end(),
                         [&](const FetchedMessage::Header& h) { return h.range == range; });
        const std::string_view bytes =
            header == message_.headers.end() ? std::string_view() : header->bytes;
        const std::string picked =
            pick_fields(bytes, item.fields, item.text == FetchItem::Text::fields_not);
        const mime::Range cut = cut_partial({0, picked.size()}, item.partial);
        text_ += literal_head(cut.size());
        text_ += cut.of(picked);
    }

    void flush() {
        out_.emplace_back(Send{std::move(text_)});
        text_.clear();
    }

    const FetchedMessage& message_;
    std::vector<FetchPiece>& out_;
    std::string text_;
    std::string_view separator_;  // the first item follows the head at once
};

bool asks_for(const std::vector<FetchItem>& items, Kind kind) {
    return std::any_of(items.begin(), items.end(),
                       [&](const FetchItem& item) { return item.kind == kind; });
}

FetchItem plain_answer(Kind kind, const char* label) {
    FetchItem item;
    item.kind = kind;
    item.label = label;
    return item;
}

}  // namespace

std::vector<FetchPiece> format_fetch(const FetchedMessage& message,
                                     const std::vector<FetchItem>& items) {
    std::vector<FetchPiece> out;
    Writer writer(message, out);
    const bool head_has_uid = message.head.find("(UID ") != std::string::npos;
    for (const FetchItem& item : items) {
        if (item.kind != Kind::uid || !head_has_uid) writer.item(item);
    }
    if (message.with_flags && !asks_for(items, Kind::flags)) {
        writer.item(plain_answer(Kind::flags, "FLAGS"));
    }
    if (message.with_modseq && !asks_for(items, Kind::mod_seq)) {
        writer.item(plain_answer(Kind::mod_seq, "MODSEQ"));
    }
    writer.finish();
    return out;
}

}  // namespace postern::imap

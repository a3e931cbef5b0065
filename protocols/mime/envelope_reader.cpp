#include "protocols/mime/envelope_reader.h"

#include "protocols/wire/text.h"

#include <cstddef>

namespace postern::mime {
namespace {

class EnvelopeReader {
public:
    explicit EnvelopeReader(std::string_view text) : text_(text) {}

    bool skip(char c) {
        if (at_ >= text_.size() || text_[at_] != c) return false;
        ++at_;
        return true;
    }
    bool at_end() const { return at_ == text_.size(); }

    // NIL reads as empty.
    bool string(std::string& out) {
        out.clear();
        if (text_.substr(at_).starts_with("NIL")) {
            at_ += 3;
            return true;
        }
        if (skip('{')) return literal(out);
        if (!skip('"')) return false;
        while (at_ < text_.size() && text_[at_] != '"') {
            if (text_[at_] == '\\') ++at_;
            if (at_ < text_.size()) out += text_[at_++];
        }
        return skip('"');
    }

    bool addresses(std::vector<EnvelopeAddress>& out) {
        std::string nothing;
        if (!skip('(')) return string(nothing) && nothing.empty();
        while (skip('(')) {
            EnvelopeAddress address;
            const bool whole = string(address.name) && skip(' ') && string(nothing) && skip(' ') &&
                               string(address.mailbox) && skip(' ') && string(address.host);
            if (!whole || !skip(')')) return false;
            out.push_back(std::move(address));
        }
        return skip(')');
    }

private:
    bool literal(std::string& out) {
        const std::size_t end = text_.find("}\r\n", at_);
        if (end == std::string_view::npos) return false;
        const auto size = wire::parse_number(text_.substr(at_, end - at_));
        at_ = end + 3;
        if (!size || *size > text_.size() - at_) return false;
        out = text_.substr(at_, *size);
        at_ += *size;
        return true;
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

}  // namespace

std::optional<Envelope> read_envelope(std::string_view text) {
    EnvelopeReader reader(text);
    Envelope out;
    bool whole = reader.skip('(') && reader.string(out.date) && reader.skip(' ') &&
                 reader.string(out.subject) && reader.skip(' ');
    for (auto* list : {&out.from, &out.sender, &out.reply_to, &out.to, &out.cc, &out.bcc}) {
        whole = whole && reader.addresses(*list) && reader.skip(' ');
    }
    whole = whole && reader.string(out.in_reply_to) && reader.skip(' ') &&
            reader.string(out.message_id) && reader.skip(')') && reader.at_end();
    if (!whole) return std::nullopt;
    return out;
}

}  // namespace postern::mime

#include "protocols/mime/seven_bit.h"

#include "protocols/mime/ascii_header.h"
#include "protocols/mime/charset.h"
#include "protocols/mime/header.h"
#include "protocols/mime/transfer_encode.h"
#include "protocols/wire/text.h"

#include <algorithm>
#include <optional>
#include <vector>

namespace postern::mime {

namespace {

constexpr const char* encoding_name = "Content-Transfer-Encoding";

// Collects the edits of one message.
class Reducer {
public:
    Reducer(std::string_view whole, bool bodies) : whole_(whole), bodies_(bodies) {}

    Result<std::string> run() {
        part(parsed_.parts.front());
        if (!problem_.empty()) return Error{Errc::invalid, problem_};
        auto out = edits_.empty() ? std::string(whole_) : with_edits(whole_, std::move(edits_));
        if (bodies_ && !is_ascii(out)) return Error{Errc::invalid, "bytes over 127 between parts"};
        return out;
    }

private:
    void fail(const std::string& problem) {
        if (problem_.empty()) problem_ = problem;
    }
    bool dirty(const Range& range) const { return !is_ascii(range.of(whole_)); }

    void part(const Part& each) {
        added_.clear();
        header(each);
        const bool is_signed = each.type == "multipart" && each.subtype == "signed";
        // An encoding is what message/global has that message/rfc822 has not (RFC 6532).
        const bool global = each.type == "message" && each.subtype.starts_with("global");
        const bool leaf = each.children.empty() || global;
        if (dirty(each.body)) {
            if (is_signed) {
                if (bodies_) fail("bytes over 127 inside of multipart/signed");
            } else if (leaf) {
                if (bodies_ || global) encode(each, each.type == "text" || global);
            } else {
                container(each);
            }
        }
        if (bodies_ && dirty(each.body) && lacks_version(each)) {
            added_ += "MIME-Version: 1.0\r\n";
        }
        flush_added(each);
        if (is_signed || leaf) return;
        for (const int child : each.children) part(parsed_.parts[static_cast<std::size_t>(child)]);
    }

    void header(const Part& each) {
        if (!dirty(each.header)) return;
        for (const auto& field : each.fields) {
            if (!dirty(field.line)) continue;
            auto plain = ascii_field(each, field, whole_);
            if (plain) {
                edits_.push_back({field.line, std::move(*plain)});
            } else {
                const auto name = field.name.of(whole_);
                fail("bytes over 127 in the field " + wire::printable(name));
            }
        }
    }

    void set_encoding(const Part& each, const std::string& value) {
        const auto line = std::string(encoding_name) + ": " + value + "\r\n";
        if (const auto* field = find_field(each, whole_, encoding_name))
            edits_.push_back({field->line, line});
        else
            added_ += line;
    }

    void container(const Part& each) {
        if (!bodies_ || find_field(each, whole_, encoding_name) == nullptr) return;
        set_encoding(each, "7bit");
    }

    void encode(const Part& each, bool readable) {
        const auto body = each.body.of(whole_);
        if (each.encoding == Encoding::quoted_printable) return escape_8bit(each);
        if (each.is_multipart() || (each.type == "message" && !readable)) {
            return fail("bytes over 127 in a part of type " + each.type + "/" + each.subtype);
        }
        if (each.encoding != Encoding::identity) {
            return fail("bytes over 127 in a part of another transfer encoding");
        }
        // Only the shorter one is made: messages may be large.
        const auto escapes = std::count_if(body.begin(), body.end(),
                                           [](char c) { return c == '=' || !wire::is_ascii(c); });
        const auto quoted_bytes = body.size() + 2 * static_cast<std::size_t>(escapes);
        const bool use_base64 = !readable || base64_lines_bytes(body.size()) < quoted_bytes;
        set_encoding(each, use_base64 ? "base64" : "quoted-printable");
        describe(each, body);
        auto coded = use_base64 ? encode_base64_lines(body) : encode_quoted_printable(body);
        if (each.parent < 0 && !coded.ends_with("\r\n")) coded += "\r\n";
        edits_.push_back({each.body, std::move(coded)});
    }

    // Says quoted-printable, and is not.
    void escape_8bit(const Part& each) {
        std::string out;
        for (const char c : each.body.of(whole_)) {
            out += wire::is_ascii(c) ? std::string(1, c)
                                     : encode_quoted_printable(std::string_view(&c, 1));
        }
        edits_.push_back({each.body, std::move(out)});
    }

    // Only a message's own header says it, and only where it is read as MIME.
    bool lacks_version(const Part& each) const {
        const bool own =
            each.parent < 0 || parsed_.parts[static_cast<std::size_t>(each.parent)].is_message();
        return own && find_field(each, whole_, "MIME-Version") == nullptr;
    }

    void describe(const Part& each, std::string_view body) {
        if (find_field(each, whole_, "Content-Type") == nullptr && each.type == "text") {
            added_ += std::string("Content-Type: text/plain; charset=") +
                      (is_utf8(body) ? "utf-8" : "unknown-8bit") + "\r\n";
        }
    }

    // In front of the empty line; where it is missing, with one.
    void flush_added(const Part& each) {
        if (added_.empty()) return;
        const auto header = each.header.of(whole_);
        const bool ended = header == "\r\n" || header.ends_with("\r\n\r\n");
        const auto at = each.header.end - (ended ? 2 : 0);
        const bool open = !header.empty() && !header.ends_with("\r\n");
        edits_.push_back({{at, at}, (open ? "\r\n" : "") + added_ + (ended ? "" : "\r\n")});
    }

    std::string_view whole_;
    bool bodies_;
    Message parsed_ = parse(whole_);
    std::string added_;  // fields of the part in hand
    std::vector<Edit> edits_;
    std::string problem_;
};

}  // namespace

bool has_8bit_header(std::string_view whole) {
    if (is_ascii(whole)) return false;
    const auto parsed = parse(whole);
    return std::any_of(parsed.parts.begin(), parsed.parts.end(),
                       [&](const Part& each) { return !is_ascii(each.header.of(whole)); });
}

Result<std::string> with_ascii_header(std::string_view whole) {
    return Reducer(whole, false).run();
}

Result<std::string> to_seven_bit(std::string_view whole) {
    if (is_ascii(whole)) return std::string(whole);
    return Reducer(whole, true).run();
}

}  // namespace postern::mime

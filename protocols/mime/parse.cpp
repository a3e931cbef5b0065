#include "protocols/mime/charset.h"
#include "protocols/mime/content_fields.h"
#include "protocols/mime/header_line.h"
#include "protocols/mime/lexer.h"
#include "protocols/mime/line_reader.h"
#include "protocols/mime/message.h"

#include <algorithm>
#include <cstring>

namespace postern::mime {
namespace {

class Parser {
public:
    explicit Parser(std::string_view whole) : whole_(whole), reader_(whole) {}

    Message run() {
        if (reader_.has_bare_cr()) set(Defect::bare_cr);
        if (std::memchr(whole_.data(), 0, whole_.size()) != nullptr) set(Defect::nul);
        message_.parts.reserve(8);
        start_part();
        Line line;
        while (read_body_line(line)) {
        }
        close_down_to(0, whole_.size(), reader_.line_ends(), false);
        if (reader_.has_bare_lf()) set(Defect::bare_lf);
        return std::move(message_);
    }

private:
    struct OpenPart {
        int index;
        std::uint32_t lines_before_body;
    };
    // A multipart whose children are being read; level is its place in open_.
    struct OpenBoundary {
        std::size_t level;
        std::string text;
        bool opened = false;
    };
    struct Delimiter {
        std::size_t boundary = 0;  // index into boundaries_
        bool closing = false;
    };
    enum class HeaderLine : std::uint8_t { more, last, not_header };

    void set(Defect defect) { message_.defects |= static_cast<std::uint16_t>(defect); }
    bool read_body_line(Line& line);
    bool match_delimiter(const Line& line, Delimiter& found) const;
    void take_delimiter(const Delimiter& found, const Line& line);
    void start_part();
    Part& add_part();
    void read_header(Part& part);
    HeaderLine take_header_line(Part& part, const Line& line);
    void take_fold(Part& part, const Line& line);
    void take_field(Part& part, const Line& line, std::size_t name_size, std::size_t colon);
    bool next_is_field() const;
    bool next_is_header() const;
    bool descends(const Part& part);
    void close_down_to(std::size_t level, std::uint64_t end, std::uint32_t lines, bool trimmed);

    std::string_view whole_;
    LineReader reader_;
    Message message_;
    std::vector<OpenPart> open_;
    std::vector<OpenBoundary> boundaries_;
    std::size_t total_fields_ = 0;
    ContentFields content_;  // of the part whose header was read last
    bool in_field_ = false;  // a fold now would belong to its last field
};

bool Parser::read_body_line(Line& line) {
    if (boundaries_.empty()) {
        reader_.skip_rest();
        return false;
    }
    if (!reader_.next(line)) return false;
    Delimiter found;
    if (match_delimiter(line, found)) take_delimiter(found, line);
    return true;
}

// At most max_depth boundaries are open and most differ in size, so a line costs bounded work.
bool Parser::match_delimiter(const Line& line, Delimiter& found) const {
    const char* text = whole_.data() + line.begin;
    std::size_t size = line.end - line.begin;
    if (size < 3 || text[0] != '-' || text[1] != '-') return false;
    while (size > 2 && (text[size - 1] == ' ' || text[size - 1] == '\t')) --size;
    const std::string_view candidate(text + 2, size - 2);
    const bool may_close = candidate.ends_with("--");
    for (std::size_t i = boundaries_.size(); i-- > 0;) {
        const std::string& boundary = boundaries_[i].text;
        if (candidate == boundary) {
            found = {i, false};
            return true;
        }
        if (may_close && candidate.size() == boundary.size() + 2 &&
            candidate.starts_with(boundary)) {
            found = {i, true};
            return true;
        }
    }
    return false;
}

void Parser::take_delimiter(const Delimiter& found, const Line& line) {
    const std::size_t level = boundaries_[found.boundary].level;
    // The line end before a delimiter belongs to the delimiter (RFC 2046 section 5.1.1).
    const std::uint64_t end = line.begin - line.line_end_before;
    const bool trimmed = line.line_end_before != 0;
    close_down_to(level + 1, end, line.line_ends_before, trimmed);
    if (found.closing) {
        if (!boundaries_.back().opened) set(Defect::missing_boundary);
        boundaries_.pop_back();
        return;
    }
    boundaries_.back().opened = true;
    if (message_.parts.size() >= max_parts) {
        set(Defect::too_many_parts);
    } else {
        start_part();
    }
}

void Parser::close_down_to(std::size_t level, std::uint64_t end, std::uint32_t lines,
                           bool trimmed) {
    std::uint64_t child_end = 0;
    while (open_.size() > level) {
        Part& part = message_.parts[static_cast<std::size_t>(open_.back().index)];
        part.body.end = std::max({part.body.begin, end, child_end});
        part.body_lines = lines - open_.back().lines_before_body;
        if (trimmed && part.body.end == end && part.body_lines > 0) --part.body_lines;
        child_end = part.body.end;
        open_.pop_back();
        if (!boundaries_.empty() && boundaries_.back().level == open_.size()) {
            set(boundaries_.back().opened ? Defect::unterminated : Defect::missing_boundary);
            boundaries_.pop_back();
        }
    }
}

// One part at the reader's place, and with message/rfc822 the parts inside of it.
void Parser::start_part() {
    while (true) {
        Part& part = add_part();
        read_header(part);
        part.body.begin = part.header.end;
        open_.push_back({static_cast<int>(message_.parts.size()) - 1, reader_.line_ends()});
        if (!descends(part)) return;
        if (part.is_multipart()) {
            boundaries_.push_back({open_.size() - 1, std::move(content_.boundary)});
            return;
        }
    }
}

bool Parser::descends(const Part& part) {
    if (part.is_multipart()) {
        if (content_.boundary.empty() || content_.boundary.size() > max_boundary_bytes) {
            set(Defect::missing_boundary);
            return false;
        }
    } else if (!part.is_message() || part.encoding != Encoding::identity) {
        return false;
    }
    if (open_.size() >= max_depth) {
        set(Defect::too_deep);
        return false;
    }
    if (message_.parts.size() >= max_parts) {
        set(Defect::too_many_parts);
        return false;
    }
    return true;
}

Part& Parser::add_part() {
    const int index = static_cast<int>(message_.parts.size());
    Part& part = message_.parts.emplace_back();
    part.header.begin = reader_.position();
    if (!open_.empty()) {
        part.parent = open_.back().index;
        Part& parent = message_.parts[static_cast<std::size_t>(part.parent)];
        parent.children.push_back(index);
        if (parent.is_multipart() && parent.subtype == "digest") {
            part.type = "message";
            part.subtype = "rfc822";
        }
    }
    return part;
}

void Parser::read_header(Part& part) {
    const std::uint32_t lines_before = reader_.line_ends();
    content_ = {};
    in_field_ = false;
    Line line;
    for (LineReader before = reader_; reader_.next(line); before = reader_) {
        const HeaderLine kind = take_header_line(part, line);
        if (kind == HeaderLine::not_header) reader_ = before;
        if (kind != HeaderLine::more) break;
    }
    part.header.end = reader_.position();
    part.header_lines = reader_.line_ends() - lines_before;
    if (!is_ascii(part.header.of(whole_))) set(Defect::raw_8bit_header);
    content_.apply_to(part, whole_);
}

Parser::HeaderLine Parser::take_header_line(Part& part, const Line& line) {
    const std::string_view text = whole_.substr(line.begin, line.end - line.begin);
    if (text.empty()) return HeaderLine::last;
    Delimiter found;
    if (match_delimiter(line, found)) return HeaderLine::not_header;
    if (line.next - part.header.begin > max_header_bytes) {
        set(Defect::header_too_large);
        return HeaderLine::not_header;
    }
    if (text[0] == ' ' || text[0] == '\t') {
        // An empty line that gained blanks on its way, unless the header clearly goes on.
        if (trim(text).empty() && !next_is_header()) return HeaderLine::last;
        take_fold(part, line);
        return HeaderLine::more;
    }
    std::size_t name_size = 0;
    const std::size_t colon = field_colon(text, name_size);
    if (colon != std::string_view::npos) {
        take_field(part, line, name_size, colon);
        return HeaderLine::more;
    }
    in_field_ = false;
    if (line.begin == 0 && is_from_line(text)) return HeaderLine::more;
    set(Defect::bad_header_line);
    // Junk between two fields is passed over. Before anything else it is the body of a message
    // whose empty line is missing, and must not disappear.
    const bool junk = is_from_line(text) || (!text.starts_with("--") && next_is_field());
    return junk ? HeaderLine::more : HeaderLine::not_header;
}

void Parser::take_fold(Part& part, const Line& line) {
    if (in_field_) {
        part.fields.back().value.end = line.end;
        part.fields.back().line.end = line.next;
    } else if (part.fields.empty()) {
        set(Defect::bad_header_line);
    }
}

void Parser::take_field(Part& part, const Line& line, std::size_t name_size, std::size_t colon) {
    in_field_ = part.fields.size() < max_header_fields && total_fields_ < max_total_header_fields;
    if (!in_field_) return set(Defect::header_too_large);
    ++total_fields_;
    HeaderField& field = part.fields.emplace_back();
    field.name = {line.begin, line.begin + name_size};
    field.value = {line.begin + colon + 1, line.end};
    field.line = {line.begin, line.next};
    content_.note(field.name.of(whole_), part.fields.size() - 1);
}

bool Parser::next_is_field() const {
    LineReader ahead = reader_;
    Line line;
    if (!ahead.next(line)) return false;
    std::size_t name_size = 0;
    return field_colon(whole_.substr(line.begin, line.end - line.begin), name_size) !=
           std::string_view::npos;
}

// A field, a fold, or the empty line that ends the header.
bool Parser::next_is_header() const {
    LineReader ahead = reader_;
    Line line;
    if (!ahead.next(line)) return false;
    const char first = line.begin < line.end ? whole_[line.begin] : ' ';
    return first == ' ' || first == '\t' || next_is_field();
}

}  // namespace

Message parse(std::string_view whole) {
    return Parser(whole).run();
}

}  // namespace postern::mime

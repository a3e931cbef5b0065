// A message parsed once into offsets (RFC 5322, RFC 2045-2047): no byte of it is copied or changed.
//
// The parser never fails: broken mail is parsed as far as a client could show it, and what was odd
// is recorded in `defects`. Cost is linear in the input; nesting and the number of parts are
// bounded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postern::mime {

inline constexpr std::size_t max_depth = 64;    // deeper parts stay inside their parent's body
inline constexpr std::size_t max_parts = 2000;  // later parts stay inside their parent's body
inline constexpr std::size_t max_header_fields = 5000;  // of one part; later ones are left out
inline constexpr std::size_t max_total_header_fields = 50'000;  // of all parts together
inline constexpr std::size_t max_header_bytes = 1024UL * 1024;  // of one part; later ones: body
inline constexpr std::size_t max_boundary_bytes = 256;  // RFC 2046 says 70; longer: unusable

struct Range {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;  // one past the last
    std::uint64_t size() const { return end - begin; }
    std::string_view of(std::string_view whole) const { return whole.substr(begin, end - begin); }
    bool operator==(const Range&) const = default;
};

struct HeaderField {
    Range name;   // without the colon
    Range value;  // after the colon up to, not including, the last line end; folds kept
    Range line;   // the whole field with its line ends
};

enum class Encoding : std::uint8_t { identity, quoted_printable, base64, unknown };

struct Parameter {
    std::string name;   // lower case
    std::string value;  // unquoted; RFC 2231 pieces joined and decoded to UTF-8
};

struct Part {
    int parent = -1;  // index into Message::parts; -1: the root
    std::vector<int> children;
    Range header;  // from the part's first byte through the empty line
    Range body;
    std::uint32_t header_lines = 0;
    std::uint32_t body_lines = 0;  // line ends in body (RFC 9051 BODYSTRUCTURE)
    std::vector<HeaderField> fields;
    std::string type = "text";      // lower case
    std::string subtype = "plain";  // lower case
    std::vector<Parameter> parameters;
    std::string disposition;  // lower case; empty: none
    std::vector<Parameter> disposition_parameters;
    Encoding encoding = Encoding::identity;
    bool is_multipart() const { return type == "multipart"; }
    // For a reader and for a filter: text, or a multipart whose parts could not be told apart.
    bool holds_text() const { return type == "text" || (is_multipart() && children.empty()); }
    bool is_message() const {
        return type == "message" && (subtype == "rfc822" || subtype == "global");
    }
};

enum class Defect : std::uint16_t {
    none = 0,
    bare_cr = 1,
    bare_lf = 2,
    nul = 4,
    raw_8bit_header = 8,
    missing_boundary = 16,  // multipart without a usable boundary, or never opened
    unterminated = 32,      // multipart whose closing boundary never came
    too_deep = 64,
    too_many_parts = 128,
    bad_header_line = 256,  // a line without colon inside a header
    header_too_large = 512,
};

struct Message {
    std::vector<Part> parts;  // parts[0] is the message itself; never empty; children after parents
    std::uint16_t defects = 0;
    bool has(Defect defect) const { return (defects & static_cast<std::uint16_t>(defect)) != 0; }
};

// Bare LF and bare CR end lines too when reading (a stored message may hold them).
// An mbox "From " line at the very start belongs to the header but is no field.
Message parse(std::string_view whole);

// Length of an mbox "From " line at the start, with its line end; 0: there is none.
std::size_t mbox_from_line_bytes(std::string_view whole);

// First field of that name (ASCII case-insensitive); nullptr: none.
const HeaderField* find_field(const Part& part, std::string_view whole, std::string_view name);
// Its unfolded, trimmed, RFC 2047-decoded UTF-8 value; empty when there is none.
std::string header_text(const Part& part, std::string_view whole, std::string_view name);

}  // namespace postern::mime

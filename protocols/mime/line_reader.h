// Lines of a message as offsets: CR LF, bare LF and bare CR end one. Internal to protocols/mime.
#pragma once

#include <cstdint>
#include <string_view>

namespace postern::mime {

struct Line {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;               // before the line end
    std::uint64_t next = 0;              // after the line end
    std::uint32_t line_ends_before = 0;  // line ends from the start of the message up to begin
    std::uint8_t line_end_before = 0;    // bytes of the last of them: 0, 1 or 2
};

// A small value: copy it to come back to a place.
class LineReader {
public:
    explicit LineReader(std::string_view whole);

    bool next(Line& line);  // false: the end; a last line may have no line end
    void skip_rest();       // to the end, still counting line ends

    std::uint64_t position() const { return position_; }
    std::uint32_t line_ends() const { return line_ends_; }
    bool has_bare_cr() const { return bare_cr_; }
    bool has_bare_lf() const { return bare_lf_; }  // of the lines read so far

private:
    std::uint64_t find_line_end() const;

    std::string_view whole_;
    std::uint64_t position_ = 0;
    std::uint32_t line_ends_ = 0;
    std::uint8_t last_line_end_ = 0;
    bool bare_cr_ = false;
    bool bare_lf_ = false;
};

}  // namespace postern::mime

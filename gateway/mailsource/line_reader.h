// A file as lines, with bounded memory: a long line comes in several pieces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace postern::mailsource {

struct LinePiece {
    std::string_view text;  // without LF or CRLF; valid until the next call
    bool begins = false;    // first piece of its line
    bool ends = false;      // last piece; false also when the file ends without a line end
};

// Thread rule: one thread at a time.
class LineReader {
public:
    LineReader() = default;
    ~LineReader();
    LineReader(const LineReader&) = delete;
    LineReader& operator=(const LineReader&) = delete;

    // Closes what was open. False: errno says why.
    bool open(const std::string& path);
    void close();
    // False: the end, or failed().
    bool next(LinePiece& piece);
    bool failed() const { return failed_; }
    std::uint64_t read_bytes() const { return read_bytes_; }

private:
    bool fill();

    int descriptor_ = -1;
    std::string buffer_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    bool at_line_begin_ = true;
    bool failed_ = false;
    std::uint64_t read_bytes_ = 0;
};

}  // namespace postern::mailsource

// A wire transcript as README.md describes it, read into steps.
#pragma once

#include "protocols/base/result.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace postern::transcripts {

struct Step {
    enum class Kind {
        client,          // text: the bytes to send
        server_line,     // text: the line without CRLF
        server_pattern,  // text: a regular expression for the whole line
        server_any,
        tls,
        eof,
        closed,
        time,   // text: milliseconds
        event,  // text: what happens
    };
    Kind kind;
    std::string text;
    int line_number = 0;

    bool is_server() const {
        return kind == Kind::server_line || kind == Kind::server_pattern ||
               kind == Kind::server_any;
    }
};

// The config line; a key without "=" has the value "yes".
class Settings {
public:
    std::string get(const std::string& key, const std::string& otherwise) const;
    bool is(const std::string& key) const { return get(key, "no") == "yes"; }
    std::map<std::string, std::string> values;
};

struct Transcript {
    std::string name;  // file name
    Settings settings;
    std::vector<Step> steps;
};

Result<Transcript> parse_transcript(std::string name, std::string_view text);
Result<Transcript> read_transcript(const std::string& path);
// All *.txt of tests/transcripts/FOLDER, by name.
std::vector<std::string> transcript_files(const std::string& folder);
// The messages of tests/transcripts/mailboxes/NAME, by file name; each has CRLF lines.
std::vector<std::string> mailbox_messages(const std::string& name);

}  // namespace postern::transcripts

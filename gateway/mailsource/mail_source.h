// Messages from files, for training and scanning: a message file, an mbox (RFC 4155), a Maildir
// (also Maildir++ with its sub-folders), or a folder of such things.
//
//   auto source = MailSource::open(paths, {});
//   while (auto item = source->next()) ...
//
// One message is held at a time, whatever the size of the mbox. Thread rule: one thread at a time.
#pragma once

#include "protocols/base/result.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace postern::mailsource {

inline constexpr std::uint64_t default_max_message_bytes = 50ull * 1024 * 1024;
inline constexpr std::size_t max_files = 10'000'000;
inline constexpr std::size_t max_folder_depth = 64;

struct Options {
    std::uint64_t max_message_bytes = default_max_message_bytes;  // with CRLF line ends
};

struct Item {
    std::string name;            // the file; in an mbox "FILE#3" for its third message
    std::string bytes;           // CRLF line ends; mbox quoting and From_ line taken away
    std::string problem;         // not empty: why there is no message; `bytes` is empty then
    std::string from_line = {};  // of an mbox: the line before the message
};

struct Progress {
    std::uint64_t done_bytes = 0;  // of the files, as they lie on disk
    std::uint64_t total_bytes = 0;
    std::uint64_t messages = 0;  // given out so far, damaged ones left out
};

class MailSource {
public:
    // Walks the folders now, reads the files later. Errors: not_found or permission (a path given),
    // limit (more than max_files). What is unreadable deeper down becomes an Item with a problem.
    static Result<MailSource> open(std::span<const std::string> paths, const Options& options);
    MailSource(MailSource&&) noexcept;
    MailSource& operator=(MailSource&&) noexcept;
    ~MailSource();

    // nullopt: the end.
    std::optional<Item> next();
    Progress progress() const;

private:
    struct State;
    explicit MailSource(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

// One file as one message, never split; a leading From_ line is taken away.
Item read_message(const std::string& path, const Options& options);

// "From sender Mon Jan  1 00:00:00 2024": the line between the messages of an mbox, without line
// end. Stricter than "starts with From", since unquoted text in old mboxes starts so, too.
bool is_from_line(std::string_view line);

}  // namespace postern::mailsource

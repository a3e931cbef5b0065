#include "protocols/imap/response.h"

#include "protocols/imap/mailbox_name.h"
#include "protocols/wire/quoted.h"
#include "protocols/wire/text.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <limits>

namespace postern::imap {
namespace {

constexpr std::size_t max_quoted_bytes = 1024;  // clients have line limits; literals have none
constexpr std::size_t max_text_bytes = 400;

bool is_quotable(char c) {
    return wire::is_ascii(c) && c != '\0' && c != '\r' && c != '\n';
}

}  // namespace

std::string format_string(std::string_view text) {
    if (text.size() <= max_quoted_bytes && std::all_of(text.begin(), text.end(), is_quotable)) {
        return wire::in_quotes(text);
    }
    return '{' + std::to_string(text.size()) + "}\r\n" + std::string(text);
}

std::string format_utf8(std::string_view text) {
    const bool fits = std::all_of(text.begin(), text.end(),
                                  [](char c) { return is_quotable(c) || !wire::is_ascii(c); });
    return fits && text.size() <= max_quoted_bytes ? wire::in_quotes(text) : format_string(text);
}

std::string format_mailbox(std::string_view name, bool utf8) {
    return utf8 ? format_utf8(name) : format_string(encode_utf7(name));
}

void append_number(std::string& out, std::uint64_t number) {
    char digits[std::numeric_limits<std::uint64_t>::digits10 + 1];
    out.append(std::begin(digits), std::to_chars(std::begin(digits), std::end(digits), number).ptr);
}

std::string format_sequence(const std::vector<std::uint32_t>& numbers) {
    std::string out;
    for (std::size_t i = 0; i < numbers.size();) {
        std::size_t last = i;
        while (last + 1 < numbers.size() && numbers[last + 1] == numbers[last] + 1) ++last;
        if (!out.empty()) out += ',';
        append_number(out, numbers[i]);
        if (last > i) append_number(out += ':', numbers[last]);
        i = last + 1;
    }
    return out;
}

std::string format_text(std::string_view text) {
    std::string out = wire::printable(text, max_text_bytes);
    // A text that begins with '[' would be read as a response code.
    if (out.empty() || out.front() == '[') out.insert(0, "Failed: ");
    return out;
}

}  // namespace postern::imap

// Any bytes as one IMAP command, as an APPEND up to its literal, and as a mailbox name.
#include "protocols/imap/grammar.h"
#include "protocols/imap/mailbox_name.h"
#include "protocols/wire/text.h"
#include "tests/fuzz/session_fuzz.h"

#include <cstdint>
#include <string_view>

using namespace postern;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const imap::Command command = imap::parse_command(text);
    fuzz::require(command.tag == imap::tag_of(text));
    if (const auto* rejection = std::get_if<imap::Rejection>(&command.what)) {
        fuzz::require(!rejection->text.empty());
    }
    const auto append = imap::parse_append(text);
    fuzz::require(!append || wire::is_ascii(append->tag));
    if (const auto name = imap::decode_utf7(text)) {
        fuzz::require(wire::is_utf8(*name));
        fuzz::require(imap::encode_utf7(*name) == text);
    }
    const std::size_t middle = size / 2;
    imap::matches_pattern(text.substr(0, middle), text.substr(middle).substr(0, 200));
    return 0;
}

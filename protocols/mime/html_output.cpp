#include "protocols/mime/html_output.h"

#include <utility>

namespace postern::mime {
namespace {

std::uint32_t count_characters(std::string_view run) {
    return static_cast<std::uint32_t>(std::count_if(run.begin(), run.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    }));
}

// Characters that show nothing. A joiner shapes the letters of some scripts, but not ASCII.
enum class Special : std::uint8_t { none, space, zero_width, joiner };

// First bytes of those characters in UTF-8.
bool may_be_special(unsigned char byte) {
    return byte == 0xC2 || byte == 0xE2 || byte == 0xE3 || byte == 0xEF;
}

// size: bytes of the character, or 1 when there is none that is known here.
Special read_special(std::string_view text, std::size_t at, std::size_t& size) {
    struct Known {
        std::string_view bytes;
        Special special;
    };
    static constexpr Known known[] = {
        {"\xC2\xA0", Special::space},           // no-break space
        {"\xE3\x80\x80", Special::space},       // ideographic space
        {"\xC2\xAD", Special::zero_width},      // soft hyphen
        {"\xE2\x80\x8B", Special::zero_width},  // zero width space
        {"\xE2\x81\xA0", Special::zero_width},  // word joiner
        {"\xEF\xBB\xBF", Special::zero_width},  // byte order mark
        {"\xE2\x80\x8C", Special::joiner},      // zero width non-joiner
        {"\xE2\x80\x8D", Special::joiner},      // zero width joiner
    };
    for (const Known& character : known) {
        if (text.substr(at, character.bytes.size()) == character.bytes) {
            size = character.bytes.size();
            return character.special;
        }
    }
    size = 1;
    return Special::none;
}

}  // namespace

void HtmlOutput::put_text(std::string_view text) {
    std::size_t run = 0;
    std::size_t at = 0;
    while (at < text.size()) {
        const auto byte = static_cast<unsigned char>(text[at]);
        if (byte > ' ' && !may_be_special(byte)) {
            ++at;
            continue;
        }
        std::size_t size = 1;
        const Special special = byte > ' ' ? read_special(text, at, size) : Special::space;
        if (special == Special::none) {
            at += size;
            continue;
        }
        put_run(text.substr(run, at - run));
        at += size;
        run = at;
        if (special == Special::space) {
            put_space();
        } else if (special == Special::joiner && !visible_.ends_in_ascii()) {
            put_run(text.substr(at - size, size));
        } else {
            ++out_.zero_width_characters;
        }
    }
    put_run(text.substr(run));
}

void HtmlOutput::put_space() {
    visible_.space();
    hidden_.space();
    if (in_link_) link_text_.space();
}

void HtmlOutput::put_run(std::string_view run) {
    if (run.empty()) return;
    if (is_tiny_) out_.tiny_font_characters += count_characters(run);
    if (!is_visible_) {
        out_.hidden_characters += count_characters(run);
        hidden_.put(run);
        return;
    }
    visible_.put(run);
    if (in_link_) link_text_.put(run);
}

std::string HtmlOutput::end_link() {
    in_link_ = false;
    link_text_ = Collapser(link_buffer_, max_html_link_text_bytes);
    return std::exchange(link_buffer_, {});
}

}  // namespace postern::mime

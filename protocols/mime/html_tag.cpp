#include "protocols/mime/html_tag.h"

#include "protocols/mime/lexer.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace postern::mime {
namespace {

constexpr unsigned block = Tag::separates_words, empty = Tag::has_no_content,
                   inside = Tag::stands_in_words, ends_own = Tag::closes_its_like;

// The first eight bytes, so that a search compares numbers.
constexpr std::uint64_t key_of(std::string_view name) {
    std::uint64_t key = 0;
    for (std::size_t i = 0; i < 8; ++i) {
        key = key << 8 | (i < name.size() ? static_cast<unsigned char>(name[i]) : 0u);
    }
    return key;
}

struct KnownElement {
    constexpr KnownElement(std::string_view known_name, unsigned known_traits,
                           Tag::Element known_element = Tag::Element::other)
        : key(key_of(known_name)), name(known_name), traits(known_traits), element(known_element) {}
    std::uint64_t key;
    std::string_view name;
    unsigned traits;
    Tag::Element element;
};
constexpr auto known = std::to_array<KnownElement>({{"a", inside, Tag::Element::link},
                                                    {"abbr", inside},
                                                    {"acronym", inside},
                                                    {"address", block},
                                                    {"applet", 0, Tag::Element::frame},
                                                    {"area", empty, Tag::Element::area},
                                                    {"article", block},
                                                    {"aside", block},
                                                    {"b", inside},
                                                    {"base", empty},
                                                    {"basefont", empty},
                                                    {"bdo", inside},
                                                    {"bgsound", empty},
                                                    {"big", inside},
                                                    {"blockquote", block},
                                                    {"body", block, Tag::Element::body},
                                                    {"br", block | empty},
                                                    {"button", inside},
                                                    {"caption", block},
                                                    {"center", block},
                                                    {"cite", inside},
                                                    {"code", inside},
                                                    {"col", empty},
                                                    {"dd", block | ends_own},
                                                    {"del", inside},
                                                    {"details", block},
                                                    {"dfn", inside},
                                                    {"dir", block},
                                                    {"div", block},
                                                    {"dl", block},
                                                    {"dt", block | ends_own},
                                                    {"em", inside},
                                                    {"embed", empty, Tag::Element::frame},
                                                    {"fieldset", block},
                                                    {"font", inside},
                                                    {"footer", block},
                                                    {"form", block, Tag::Element::form},
                                                    {"h1", block},
                                                    {"h2", block},
                                                    {"h3", block},
                                                    {"h4", block},
                                                    {"h5", block},
                                                    {"h6", block},
                                                    {"head", block},
                                                    {"header", block},
                                                    {"hr", block | empty},
                                                    {"html", block},
                                                    {"i", inside},
                                                    {"iframe", 0, Tag::Element::frame},
                                                    {"img", empty | inside, Tag::Element::image},
                                                    {"input", block | empty},
                                                    {"ins", inside},
                                                    {"kbd", inside},
                                                    {"label", inside},
                                                    {"legend", block},
                                                    {"li", block | ends_own},
                                                    {"link", empty, Tag::Element::sheet},
                                                    {"main", block},
                                                    {"mark", inside},
                                                    {"menu", block},
                                                    {"meta", empty},
                                                    {"nav", block},
                                                    {"nobr", inside},
                                                    {"o:p", inside},
                                                    {"object", 0, Tag::Element::frame},
                                                    {"ol", block},
                                                    {"option", block | ends_own},
                                                    {"p", block | ends_own},
                                                    {"param", empty},
                                                    {"pre", block},
                                                    {"q", inside},
                                                    {"s", inside},
                                                    {"samp", inside},
                                                    {"script", 0, Tag::Element::script},
                                                    {"section", block},
                                                    {"select", block},
                                                    {"small", inside},
                                                    {"source", empty},
                                                    {"span", inside},
                                                    {"strike", inside},
                                                    {"strong", inside},
                                                    {"style", 0, Tag::Element::style},
                                                    {"sub", inside},
                                                    {"sup", inside},
                                                    {"table", block, Tag::Element::table},
                                                    {"tbody", block},
                                                    {"td", block | ends_own, Tag::Element::cell},
                                                    {"textarea", block},
                                                    {"tfoot", block},
                                                    {"th", block | ends_own, Tag::Element::cell},
                                                    {"thead", block},
                                                    {"title", block, Tag::Element::title},
                                                    {"tr", block | ends_own, Tag::Element::row},
                                                    {"track", empty},
                                                    {"tt", inside},
                                                    {"u", inside},
                                                    {"ul", block},
                                                    {"var", inside},
                                                    {"wbr", empty | inside}});

constexpr bool before(const KnownElement& a, const KnownElement& b) {
    return a.key < b.key;
}
static_assert(std::is_sorted(known.begin(), known.end(), before));

void identify(Tag& tag) {
    const auto found =
        std::lower_bound(known.begin(), known.end(), KnownElement(tag.name, 0), before);
    if (found == known.end() || found->name != tag.name) return;
    tag.traits = found->traits;
    tag.element = found->element;
}

std::string_view* slot_of(Tag& tag, std::string_view name) {
    struct Slot {
        std::string_view name;
        std::string_view Tag::*member;
    };
    static constexpr Slot slots[] = {
        {"href", &Tag::href},     {"src", &Tag::src},         {"style", &Tag::style},
        {"color", &Tag::color},   {"bgcolor", &Tag::bgcolor}, {"background", &Tag::background},
        {"width", &Tag::width},   {"height", &Tag::height},   {"alt", &Tag::alt},
        {"action", &Tag::action}, {"text", &Tag::text}};
    for (const Slot& slot : slots) {
        if (slot.name.size() == name.size() && equals_ignoring_case(slot.name, name))
            return &(tag.*slot.member);
    }
    return nullptr;
}

void note_attribute(Tag& tag, std::string_view name, std::string_view value) {
    if (equals_ignoring_case(name, "hidden")) tag.hidden = true;
    if (equals_ignoring_case(name, "class") || equals_ignoring_case(name, "id")) {
        tag.has_class = true;
    }
    std::string_view* slot = slot_of(tag, name);
    if (slot != nullptr && slot->empty()) *slot = value;
}

std::size_t skip_spaces(std::string_view html, std::size_t at) {
    while (at < html.size() && (is_space(html[at]) || html[at] == '\f')) ++at;
    return at;
}

std::size_t read_value(std::string_view html, std::size_t at, std::string_view& value) {
    at = skip_spaces(html, at);
    if (at < html.size() && (html[at] == '"' || html[at] == '\'')) {
        const std::size_t end = std::min(html.find(html[at], at + 1), html.size());
        value = html.substr(at + 1, end - at - 1);
        return std::min(end + 1, html.size());
    }
    const std::size_t start = at;
    while (at < html.size() && !is_space(html[at]) && html[at] != '>') ++at;
    value = html.substr(start, at - start);
    return at;
}

}  // namespace

bool starts_tag(std::string_view html, std::size_t at) {
    if (at + 1 < html.size() && html[at + 1] == '/') ++at;
    return at + 1 < html.size() && is_alpha(html[at + 1]);
}

std::size_t read_tag(std::string_view html, std::size_t at, Tag& tag) {
    tag.closing = html[++at] == '/';
    if (tag.closing) ++at;
    const std::size_t start = at;
    while (at < html.size() && !is_space(html[at]) && html[at] != '>' && html[at] != '/') ++at;
    tag.name = lower_case(html.substr(start, std::min(at - start, max_tag_name_bytes)));
    identify(tag);
    while (at < html.size() && html[at] != '>') {
        if (is_space(html[at]) || html[at] == '/' || html[at] == '\f') {
            ++at;
            continue;
        }
        const std::size_t name_start = at++;  // a name may start with '='
        while (at < html.size() && !is_space(html[at]) && html[at] != '=' && html[at] != '>' &&
               html[at] != '/') {
            ++at;
        }
        const std::string_view name = html.substr(name_start, at - name_start);
        std::string_view value;
        const std::size_t equals = skip_spaces(html, at);
        if (equals < html.size() && html[equals] == '=') at = read_value(html, equals + 1, value);
        note_attribute(tag, name, value);
    }
    return std::min(at + 1, html.size());
}

}  // namespace postern::mime

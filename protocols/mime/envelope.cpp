#include "protocols/mime/envelope.h"

#include "protocols/mime/address.h"
#include "protocols/mime/charset.h"
#include "protocols/mime/header.h"
#include "protocols/mime/imap_text.h"
#include "protocols/mime/lexer.h"

#include <array>

namespace postern::mime {
namespace {

// In the order of ENVELOPE.
constexpr std::array<std::string_view, 10> names = {"Date",        "Subject",   "From", "Sender",
                                                    "Reply-To",    "To",        "Cc",   "Bcc",
                                                    "In-Reply-To", "Message-ID"};
constexpr std::size_t first_list = 2, last_list = 7;
constexpr std::size_t from = 2, sender = 3, reply_to = 4;

void append_address(std::string& out, const Address& address) {
    if (address.kind == Address::Kind::group_end) {
        out += "(NIL NIL NIL NIL)";
        return;
    }
    if (address.kind == Address::Kind::group_start) {
        out += "(NIL NIL ";
        append_imap_text(out, address.name);
        out += " NIL)";
        return;
    }
    out += '(';
    append_imap_text_or_nil(out, address.name);
    out += ' ';
    append_imap_text_or_nil(out, address.route);
    out += ' ';
    // NIL here would say "group": an address without domain has an empty one. Encoded words may not
    // stand in an address, so that 8-bit ones stay as they are.
    append_imap_string(out, is_utf8(address.local) ? address.local : to_utf8(address.local, ""));
    out += ' ';
    append_imap_string(out, is_utf8(address.domain) ? address.domain : to_utf8(address.domain, ""));
    out += ')';
}

void append_addresses(std::string& out, std::string_view value) {
    for (const Address& address : parse_addresses(value)) append_address(out, address);
}

std::string list_or(std::string_view list, std::string_view fallback) {
    if (list.empty()) return std::string(fallback);
    return '(' + std::string(list) + ')';
}

}  // namespace

std::string write_envelope(const Part& header, std::string_view whole) {
    std::array<std::string, names.size()> lists;
    std::array<const HeaderField*, names.size()> texts{};
    for (const HeaderField& field : header.fields) {
        const std::string_view name = field.name.of(whole);
        for (std::size_t i = 0; i < names.size(); ++i) {
            if (name.size() != names[i].size() || !equals_ignoring_case(name, names[i])) continue;
            if (i >= first_list && i <= last_list) {
                append_addresses(lists[i], field.value.of(whole));
            } else if (texts[i] == nullptr) {
                texts[i] = &field;
            }
        }
    }
    const std::string from_list = list_or(lists[from], "NIL");
    std::string out = "(";
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (i > 0) out += ' ';
        if (i == from) {
            out += from_list;
        } else if (i >= first_list && i <= last_list) {
            const bool defaults = i == sender || i == reply_to;
            out += list_or(lists[i], defaults ? from_list : "NIL");
        } else if (texts[i] == nullptr) {
            out += "NIL";
        } else {
            append_imap_text(out, unfold(texts[i]->value.of(whole)));
        }
    }
    return out += ')';
}

}  // namespace postern::mime

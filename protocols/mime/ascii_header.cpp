#include "protocols/mime/ascii_header.h"

#include "protocols/mime/address.h"
#include "protocols/mime/charset.h"
#include "protocols/mime/header.h"
#include "protocols/mime/idna.h"
#include "protocols/wire/base64.h"
#include "protocols/wire/quoted.h"
#include "protocols/wire/text.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace postern::mime {

namespace {

constexpr std::string_view address_fields[] = {"From",
                                               "Sender",
                                               "Reply-To",
                                               "To",
                                               "Cc",
                                               "Bcc",
                                               "Resent-From",
                                               "Resent-Sender",
                                               "Resent-To",
                                               "Resent-Cc",
                                               "Resent-Bcc",
                                               "Resent-Reply-To",
                                               "Errors-To",
                                               "Mail-Reply-To",
                                               "Return-Receipt-To",
                                               "Disposition-Notification-To",
                                               "Mail-Followup-To"};
// Addresses too, of the way here: nobody answers to them.
constexpr std::string_view trace_fields[] = {"Return-Path", "Delivered-To", "X-Original-To"};
// Their grammar has no place for encoded words but in comments.
constexpr std::string_view rigid_fields[] = {
    "Message-ID",        "In-Reply-To", "References",
    "Resent-Message-ID", "Content-ID",  "Content-Transfer-Encoding",
    "MIME-Version",      "Date",        "Resent-Date",
    "DKIM-Signature",    "Received"};
// ... and who loses them can still read and answer the message.
constexpr std::string_view downgraded_fields[] = {"In-Reply-To", "References"};
constexpr std::size_t parameter_piece_bytes = 60;
// Payload of encoded words (RFC 2047 section 2): 44 and 60 characters of base64.
constexpr std::size_t first_word_bytes = 33;
constexpr std::size_t next_word_bytes = 45;

bool is_among_names(std::string_view name, auto& names) {
    return std::any_of(std::begin(names), std::end(names),
                       [&](auto each) { return wire::equals_ignoring_case(each, name); });
}

bool is_atom_text(std::string_view text, std::string_view more) {
    constexpr std::string_view symbols = "!#$%&'*+-/=?^_`{|}~";
    return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
        return wire::is_alpha(c) || wire::is_digit(c) ||
               symbols.find(c) != std::string_view::npos || more.find(c) != std::string_view::npos;
    });
}

// One word a line, none of them over 76 characters with the name of a usual field.
std::string folded_words(std::string_view utf8) {
    if (is_ascii(utf8)) return std::string(utf8);
    std::string out;
    while (!utf8.empty()) {
        const auto piece = utf8_prefix(utf8, out.empty() ? first_word_bytes : next_word_bytes);
        out += (out.empty() ? "=?UTF-8?B?" : "\r\n =?UTF-8?B?") + wire::base64_encode(piece) + "?=";
        utf8.remove_prefix(piece.size());
    }
    return out;
}

std::string phrase(std::string_view name) {
    // Encoded words that stand there already keep their form.
    if (is_ascii(name))
        return is_atom_text(name, " ") || name.find("=?") != std::string_view::npos
                   ? std::string(name)
                   : wire::in_quotes(name);
    return folded_words(decode_words(name));
}

std::optional<std::string> ascii_mailbox(const Address& address) {
    if (!is_ascii(address.local) || !is_ascii(address.route)) return std::nullopt;
    const bool plain = is_atom_text(address.local, ".");
    std::string spec = plain ? address.local : wire::in_quotes(address.local);
    if (!address.domain.empty()) {
        const bool ascii = is_ascii(address.domain);
        const auto domain = ascii ? std::optional(address.domain) : domain_to_ascii(address.domain);
        if (!domain) return std::nullopt;
        spec += "@" + *domain;
    }
    if (address.name.empty()) return spec.empty() ? std::nullopt : std::optional(spec);
    // A name alone is no address, and what was meant cannot be told.
    if (address.local.empty()) return std::nullopt;
    return phrase(address.name) + " <" + spec + ">";
}

std::optional<std::string> ascii_addresses(std::string_view value) {
    const auto list = parse_addresses(value);
    if (list.empty() || list.size() >= max_addresses) return std::nullopt;
    std::string out;
    bool first = true;  // of the list, or of a group
    for (const auto& each : list) {
        if (each.kind == Address::Kind::group_end) {
            out += ';';
            first = false;
            continue;
        }
        if (!first) out += ",\r\n";
        out += ' ';
        first = each.kind == Address::Kind::group_start;
        if (first) {
            out += phrase(each.name) + ":";
            continue;
        }
        const auto mailbox = ascii_mailbox(each);
        if (!mailbox) return std::nullopt;
        out += *mailbox;
    }
    return out;
}

// Just past the comment that begins there.
std::size_t end_of_comment(std::string_view value, std::size_t at) {
    int depth = 0;
    for (; at < value.size(); ++at) {
        if (value[at] == '\\')
            ++at;
        else if (value[at] == '(')
            ++depth;
        else if (value[at] == ')' && --depth == 0)
            return at + 1;
    }
    return value.size();
}

// Just past the word that begins there; a quoted string or an address is one.
std::size_t end_of_word(std::string_view value, std::size_t at) {
    bool quoted = false;
    for (; at < value.size(); ++at) {
        const char c = value[at];
        if (quoted && c == '\\') ++at;
        if (c == '"') quoted = !quoted;
        if (!quoted && std::string_view(" \t\r\n(;").find(c) != std::string_view::npos) break;
    }
    return std::min(at, value.size());
}

std::string ascii_comment(std::string_view comment) {
    if (is_ascii(comment)) return std::string(comment);
    comment.remove_prefix(1);
    if (comment.ends_with(')')) comment.remove_suffix(1);
    return "(" + folded_words(decode_words(unfold(comment))) + ")";
}

// Comments as encoded words. In Received (RFC 6857 section 3.2) goes the "for" clause that names
// such an address; of its other words only a host's name can be one, and has A-labels.
std::string with_ascii_comments(std::string_view value, bool received) {
    constexpr std::string_view spaces = " \t\r\n";
    std::string out;
    std::optional<std::size_t> clause;  // where "for" began, while its address is awaited
    for (std::size_t at = 0; at < value.size();) {
        const bool comment = value[at] == '(';
        const auto end =
            comment ? end_of_comment(value, at) : std::max(at + 1, end_of_word(value, at));
        const auto piece = value.substr(at, end - at);
        at = end;
        if (comment) {
            out += ascii_comment(piece);
            continue;
        }
        if (is_ascii(piece) || !received) {
            out += piece;
        } else if (clause) {
            out.erase(out.find_last_not_of(spaces, *clause - 1) + 1);
        } else {
            const auto name = domain_to_ascii(piece);
            out += name ? *name : folded_words(decode_words(piece));
        }
        if (wire::equals_ignoring_case(piece, "for") && out.size() > piece.size())
            clause = out.size() - piece.size();
        else if (piece.find_first_not_of(spaces) != std::string_view::npos)
            clause.reset();
    }
    return out;
}

// RFC 2231 sections 3 and 4.
std::string extended_parameter(const std::string& name, std::string_view utf8) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::vector<std::string> pieces{"utf-8''"};
    for (const char c : utf8) {
        if (pieces.back().size() >= parameter_piece_bytes) pieces.emplace_back();
        const auto byte = static_cast<std::uint8_t>(c);
        if (wire::is_alpha(c) || wire::is_digit(c) || c == '.' || c == '-' || c == '_') {
            pieces.back() += c;
        } else {
            ((pieces.back() += '%') += digits[byte >> 4]) += digits[byte & 0x0F];
        }
    }
    std::string out;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        const auto number = pieces.size() == 1 ? "" : "*" + std::to_string(i);
        out += ";\r\n " + name + number + "*=" + pieces[i];
    }
    return out;
}

std::optional<std::string> with_parameters(std::string value,
                                           const std::vector<Parameter>& parameters) {
    for (const auto& each : parameters) {
        if (is_ascii(each.value)) {
            value += ";\r\n " + each.name + "=" +
                     (is_atom_text(each.value, ".") ? each.value : wire::in_quotes(each.value));
        } else if (each.name == "boundary") {
            return std::nullopt;
        } else {
            value += extended_parameter(each.name, each.value);
        }
    }
    return " " + value;
}

}  // namespace

std::optional<std::string> ascii_field(const Part& part, const HeaderField& field,
                                       std::string_view whole) {
    std::string name(field.name.of(whole));
    if (!is_ascii(name)) return std::nullopt;
    const auto text = decode_words(unfold(field.value.of(whole)));
    std::optional<std::string> value;
    // The part knows the first of several; of others it cannot be told what they say.
    if (wire::equals_ignoring_case(name, "Content-Type")) {
        if (find_field(part, whole, name) != &field) return std::nullopt;
        value = with_parameters(part.type + "/" + part.subtype, part.parameters);
    } else if (wire::equals_ignoring_case(name, "Content-Disposition")) {
        if (find_field(part, whole, name) != &field) return std::nullopt;
        value = with_parameters(part.disposition, part.disposition_parameters);
    } else if (is_among_names(name, address_fields)) {
        value = ascii_addresses(field.value.of(whole));
    } else if (is_among_names(name, rigid_fields)) {
        const bool received = wire::equals_ignoring_case(name, "Received");
        value = with_ascii_comments(field.value.of(whole), received);
        if (!is_ascii(*value) && is_among_names(name, downgraded_fields)) {
            name = "Downgraded-" + name;
            value = " " + folded_words(text);
        }
    } else {
        if (is_among_names(name, trace_fields)) value = ascii_addresses(field.value.of(whole));
        if (!value) value = " " + folded_words(text);
    }
    if (!value || !is_ascii(*value)) return std::nullopt;
    return name + ":" + *value + "\r\n";
}

}  // namespace postern::mime

// ACL (RFC 4314).
#include "protocols/imap/parser.h"
#include "protocols/imap/rights.h"

namespace postern::imap {
namespace {

template <class What>
MaybeCommand parse_mailbox_alone(Parser& parser) {
    auto name = parser.space_mailbox();
    if (!name) return std::nullopt;
    return What{std::move(*name)};
}

// SP mailbox SP identifier
std::optional<command::SetAcl> parse_whose(Parser& parser) {
    auto name = parser.space_mailbox();
    if (!name) return std::nullopt;
    auto identifier = parser.space_astring("An identifier");
    if (!identifier) return std::nullopt;
    if (identifier->empty() || *identifier == "-") {
        return parser.fail("An identifier is not empty");
    }
    command::SetAcl out;
    out.name = std::move(*name);
    out.identifier = std::move(*identifier);
    return out;
}

}  // namespace

MaybeCommand parse_get_acl(Parser& parser) {
    return parse_mailbox_alone<command::GetAcl>(parser);
}

MaybeCommand parse_my_rights(Parser& parser) {
    return parse_mailbox_alone<command::MyRights>(parser);
}

MaybeCommand parse_list_rights(Parser& parser) {
    auto whose = parse_whose(parser);
    if (!whose) return std::nullopt;
    return command::ListRights{std::move(whose->name), std::move(whose->identifier)};
}

MaybeCommand parse_delete_acl(Parser& parser) {
    auto out = parse_whose(parser);
    if (!out) return std::nullopt;
    out->is_delete = true;
    return std::move(*out);
}

MaybeCommand parse_set_acl(Parser& parser) {
    auto out = parse_whose(parser);
    if (!out) return std::nullopt;
    auto text = parser.space_astring("Rights");
    if (!text) return std::nullopt;
    std::string_view letters = *text;
    if (letters.starts_with('+') || letters.starts_with('-')) {
        out->mode = letters.front() == '+' ? FlagMode::add : FlagMode::remove;
        letters.remove_prefix(1);
    }
    // Section 3.1: what is no right here is an error, so that nobody relies on it.
    auto rights = parse_rights(letters);
    if (!rights) return parser.fail("The rights are letters of lrswipkxtea");
    out->rights = std::move(*rights);
    return std::move(*out);
}

}  // namespace postern::imap

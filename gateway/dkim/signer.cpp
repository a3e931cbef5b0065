#include "gateway/dkim/signer.h"

#include "protocols/mime/address.h"
#include "protocols/mime/message.h"
#include "protocols/mime/seven_bit.h"
#include "protocols/wire/base64.h"
#include "protocols/wire/text.h"

#include <algorithm>

namespace postern::dkim {

namespace {

// RFC 6376 section 5.4.1. From is signed once more than it occurs, so that none can be added.
constexpr std::string_view signed_fields[] = {"from",         "reply-to",
                                              "subject",      "date",
                                              "to",           "cc",
                                              "message-id",   "in-reply-to",
                                              "references",   "mime-version",
                                              "content-type", "content-transfer-encoding",
                                              "list-id",      "list-unsubscribe"};
constexpr std::string_view oversigned = "from";
constexpr std::size_t base64_a_line = 64;

bool is_space(char c) {
    return c == ' ' || c == '\t';
}

std::string folded_base64(std::string_view bytes) {
    const auto text = wire::base64_encode(bytes);
    std::string out;
    for (std::size_t i = 0; i < text.size(); i += base64_a_line) {
        out += "\r\n\t" + text.substr(i, base64_a_line);
    }
    return out;
}

std::string from_domain(const mime::Part& root, std::string_view message) {
    const auto* field = mime::find_field(root, message, "From");
    if (field == nullptr) return "";
    const auto addresses = mime::parse_addresses(field->value.of(message));
    return addresses.empty() ? "" : wire::lower_case(addresses.front().domain);
}

}  // namespace

// No spaces at the end of lines, one for each run of them, no empty lines at the end.
std::string relaxed_body(std::string_view body) {
    std::string out;
    out.reserve(body.size());
    std::size_t empty_lines = 0;
    while (!body.empty()) {
        const std::size_t lf = std::min(body.find('\n'), body.size());
        std::string_view line = body.substr(0, lf);
        body.remove_prefix(std::min(lf + 1, body.size()));
        if (line.ends_with('\r')) line.remove_suffix(1);
        while (!line.empty() && is_space(line.back())) line.remove_suffix(1);
        if (line.empty()) {
            ++empty_lines;
            continue;
        }
        for (; empty_lines > 0; --empty_lines) out += "\r\n";
        for (std::size_t i = 0; i < line.size(); ++i) {
            if (!is_space(line[i])) {
                out += line[i];
            } else if (i == 0 || !is_space(line[i - 1])) {
                out += ' ';
            }
        }
        out += "\r\n";
    }
    return out;
}

std::string relaxed_field(std::string_view name, std::string_view value) {
    std::string out = wire::lower_case(name);
    while (!out.empty() && is_space(out.back())) out.pop_back();
    out += ':';
    bool gap = false;
    const std::size_t start = out.size();
    for (const char c : value) {
        if (c == '\r' || c == '\n') continue;
        if (is_space(c)) {
            gap = true;
            continue;
        }
        if (gap && out.size() > start) out += ' ';
        gap = false;
        out += c;
    }
    return out;
}

Result<std::shared_ptr<const Signer>> Signer::make(
    const std::vector<std::pair<std::string, std::string>>& keys) {
    auto made = std::make_shared<Signer>();
    for (const auto& [domain, text] : keys) {
        const std::size_t colon = text.find(':');
        if (colon == std::string::npos || colon == 0 || colon + 1 == text.size()) {
            return Error{Errc::invalid, "dkim.keys of " + domain + ": expected SELECTOR:FILE"};
        }
        auto key = crypto::PrivateKey::load(text.substr(colon + 1));
        if (!key) return key.error();
        made->keys_[wire::lower_case(domain)] = {text.substr(0, colon), std::move(*key)};
    }
    return std::shared_ptr<const Signer>(std::move(made));
}

const std::pair<const std::string, SigningKey>* Signer::key_for(std::string_view domain) const {
    const auto found = keys_.find(wire::lower_case(domain));
    return found == keys_.end() ? nullptr : &*found;
}

bool Signer::has_key(std::string_view message, std::string_view other_domain) const {
    if (keys_.empty()) return false;
    if (key_for(other_domain) != nullptr) return true;
    const auto parsed = mime::parse(message);
    return key_for(from_domain(parsed.parts.front(), message)) != nullptr;
}

std::string Signer::signed_message(std::string message, std::string_view other_domain,
                                   Time now) const {
    if (!wire::is_ascii(message) && has_key(message, other_domain)) {
        auto plain = mime::to_seven_bit(message);
        // Then the header alone: servers without SMTPUTF8 are more than those without 8BITMIME.
        if (!plain) plain = mime::with_ascii_header(message);
        if (plain) message = std::move(*plain);
    }
    return message.insert(0, sign(message, other_domain, now));
}

std::string Signer::sign(std::string_view message, std::string_view other_domain, Time now) const {
    if (keys_.empty()) return "";
    const auto parsed = mime::parse(message);
    const auto& root = parsed.parts.front();
    const auto* entry = key_for(from_domain(root, message));
    if (entry == nullptr) entry = key_for(other_domain);
    if (entry == nullptr) return "";
    const auto& [domain, signing] = *entry;

    std::string names;
    std::string to_sign;
    for (const std::string_view wanted : signed_fields) {
        // Of several, from the last up (section 5.4.2).
        for (auto field = root.fields.rbegin(); field != root.fields.rend(); ++field) {
            if (!wire::equals_ignoring_case(field->name.of(message), wanted)) continue;
            names.append(names.empty() ? "" : ":").append(wanted);
            to_sign += relaxed_field(wanted, field->value.of(message)) + "\r\n";
        }
        if (wanted == oversigned) names.append(names.empty() ? "" : ":").append(wanted);
    }
    const auto body_hash = crypto::sha256(relaxed_body(root.body.of(message)));
    std::string value = std::string(" v=1; a=") +
                        (signing.key->is_ed25519() ? "ed25519-sha256" : "rsa-sha256") +
                        "; c=relaxed/relaxed; d=" + domain + ";\r\n\ts=" + signing.selector +
                        "; t=" + std::to_string(to_unix_ms(now) / 1000) + ";\r\n\th=";
    std::size_t column = 10;
    for (std::string_view rest = names; !rest.empty();) {
        const std::size_t colon = std::min(rest.find(':'), rest.size() - 1);
        if (column + colon > 76) {
            value += "\r\n\t ";
            column = 9;
        }
        value += rest.substr(0, colon + 1);
        column += colon + 1;
        rest.remove_prefix(colon + 1);
    }
    value += ";\r\n\tbh=" + wire::base64_encode(body_hash) + ";\r\n\tb=";
    to_sign += relaxed_field("DKIM-Signature", value);
    // RFC 8463 section 3: Ed25519 signs the hash.
    const auto signature =
        signing.key->sign(signing.key->is_ed25519() ? crypto::sha256(to_sign) : to_sign);
    if (!signature) return "";
    return "DKIM-Signature:" + value + folded_base64(*signature) + "\r\n";
}

}  // namespace postern::dkim

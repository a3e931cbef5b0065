#include "gateway/auth/token.h"

#include "gateway/auth/saslname.h"
#include "protocols/wire/base64.h"
#include "protocols/wire/text.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>

namespace postern::auth {

namespace {

using Json = nlohmann::json;

Error refused(std::string why) {
    return {Errc::invalid, std::move(why)};
}

// RFC 7515 appendix C: the URL alphabet without padding.
std::optional<std::string> base64url_decode(std::string_view text) {
    std::string plain(text);
    if (plain.find_first_of("+/=") != std::string::npos) return std::nullopt;
    std::replace(plain.begin(), plain.end(), '-', '+');
    std::replace(plain.begin(), plain.end(), '_', '/');
    plain.append((4 - plain.size() % 4) % 4, '=');
    return wire::base64_decode(plain);
}

// A JSON object; discarded when it is anything else.
Json object_of(std::string_view text) {
    Json parsed = Json::parse(text, nullptr, false);
    return parsed.is_object() ? parsed : Json(Json::value_t::discarded);
}

std::string text_of(const Json& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

std::string bytes_of(const Json& object, const char* name) {
    return base64url_decode(text_of(object, name)).value_or("");
}

Result<std::shared_ptr<const crypto::PublicKey>> key_of(const Json& jwk) {
    const auto type = text_of(jwk, "kty");
    const auto curve = text_of(jwk, "crv");
    if (type == "RSA") return crypto::PublicKey::rsa(bytes_of(jwk, "n"), bytes_of(jwk, "e"));
    if (type == "EC" && curve == "P-256") {
        return crypto::PublicKey::p256(bytes_of(jwk, "x"), bytes_of(jwk, "y"));
    }
    if (type == "OKP" && curve == "Ed25519") {
        return crypto::PublicKey::ed25519(bytes_of(jwk, "x"));
    }
    return refused("a key of another kind");
}

const char* algorithm_of(crypto::PublicKey::Kind kind) {
    switch (kind) {
        case crypto::PublicKey::Kind::rsa:
            return "RS256";
        case crypto::PublicKey::Kind::p256:
            return "ES256";
        case crypto::PublicKey::Kind::ed25519:
            break;
    }
    return "EdDSA";
}

// RFC 7519 section 4.1.3: one text or a list of them.
bool names_audience(const Json& claims, const std::string& audience) {
    const auto found = claims.find("aud");
    if (found == claims.end()) return false;
    if (found->is_string()) return found->get_ref<const std::string&>() == audience;
    return found->is_array() && std::any_of(found->begin(), found->end(), [&](const Json& each) {
               return each.is_string() && each.get_ref<const std::string&>() == audience;
           });
}

// Seconds since 1970 of a claim; nullopt: not there or no number.
std::optional<double> moment_of(const Json& claims, const char* name) {
    const auto found = claims.find(name);
    if (found == claims.end() || !found->is_number()) return std::nullopt;
    return found->get<double>();
}

std::string problem_with(const Json& claims, const config::OAuth& settings, Time now) {
    const auto seconds = std::chrono::duration<double>(now.time_since_epoch()).count();
    const auto skew = std::chrono::duration<double>(token_clock_skew).count();
    const auto end = moment_of(claims, "exp");
    if (!end) return "it has no end";
    if (seconds > *end + skew) return "it has expired";
    const auto start = moment_of(claims, "nbf");
    if (claims.contains("nbf") && !start) return "its start is no time";
    if (start && seconds < *start - skew) return "it is not valid yet";
    if (text_of(claims, "iss") != settings.issuer) return "it is of another issuer";
    if (!names_audience(claims, settings.audience)) return "it is for another audience";
    return "";
}

constexpr char separator = '\x01';

// "key=value" pieces between 0x01, the last followed by two of them (RFC 7628 section 3.1).
std::optional<std::string> bearer_token(std::string_view pairs) {
    std::optional<std::string> token;
    while (!pairs.empty() && pairs.front() != separator) {
        const auto end = pairs.find(separator);
        if (end == std::string_view::npos) return std::nullopt;
        const auto pair = pairs.substr(0, end);
        // The name of the scheme in any case (RFC 9110 section 11.1).
        constexpr std::string_view auth = "auth=";
        constexpr std::string_view bearer = "Bearer ";
        const bool found = pair.starts_with(auth) &&
                           wire::starts_with_ignoring_case(pair.substr(auth.size()), bearer);
        if (found) token = std::string(pair.substr(auth.size() + bearer.size()));
        pairs.remove_prefix(end + 1);
    }
    return pairs == std::string_view(&separator, 1) ? token : std::nullopt;
}

}  // namespace

Result<std::shared_ptr<const TokenVerifier>> TokenVerifier::make(const config::OAuth& settings) {
    std::ifstream in(settings.keys_file, std::ios::binary);
    if (!in) return Error{Errc::not_found, settings.keys_file + ": cannot be opened"};
    std::string text(max_key_file_bytes + 1, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    if (text.size() > max_key_file_bytes) {
        return refused(settings.keys_file + ": expected at most 1 MiB");
    }
    auto made = make(settings, text);
    if (!made) return refused(settings.keys_file + ": " + made.error().text);
    return made;
}

Result<std::shared_ptr<const TokenVerifier>> TokenVerifier::make(const config::OAuth& settings,
                                                                 std::string_view key_set) {
    const Json set = object_of(key_set);
    const auto keys = set.is_discarded() ? set.end() : set.find("keys");
    if (set.is_discarded() || keys == set.end() || !keys->is_array()) {
        return refused("expected a JSON Web Key Set");
    }
    auto made = std::make_shared<TokenVerifier>();
    made->settings_ = settings;
    for (const Json& jwk : *keys) {
        if (!jwk.is_object() || text_of(jwk, "use") == "enc") continue;
        auto key = key_of(jwk);
        if (key) made->keys_.push_back({text_of(jwk, "kid"), std::move(*key)});
        if (made->keys_.size() > max_token_keys) return refused("expected at most 100 keys");
    }
    if (made->keys_.empty()) return refused("expected an RSA, P-256 or Ed25519 key in the set");
    return std::shared_ptr<const TokenVerifier>(std::move(made));
}

Result<std::string> TokenVerifier::verify(std::string_view token, Time now) const {
    if (token.size() > max_token_bytes) return refused("it is too long");
    const auto dot = token.rfind('.');
    const auto first_dot = token.find('.');
    if (dot == std::string_view::npos || first_dot == dot)
        return refused("it is no JSON Web Token");
    const auto signed_part = token.substr(0, dot);
    const auto head = base64url_decode(token.substr(0, first_dot));
    const auto body = base64url_decode(signed_part.substr(first_dot + 1));
    const auto signature = base64url_decode(token.substr(dot + 1));
    if (!head || !body || !signature) return refused("it is no JSON Web Token");
    const Json header = object_of(*head);
    if (header.is_discarded()) return refused("it is no JSON Web Token");
    // RFC 7515 section 4.1.11: what we do not know and must is a reason to refuse.
    if (header.contains("crit")) return refused("it asks for an extension");

    const auto id = text_of(header, "kid");
    const auto algorithm = text_of(header, "alg");
    const bool good = std::any_of(keys_.begin(), keys_.end(), [&](const Key& each) {
        return (id.empty() || each.id.empty() || each.id == id) &&
               algorithm == algorithm_of(each.key->kind()) &&
               each.key->verify(signed_part, *signature);
    });
    if (!good) return refused("no key of ours signed it");
    const Json claims = object_of(*body);
    if (claims.is_discarded()) return refused("it holds no claims");
    auto problem = problem_with(claims, settings_, now);
    if (!problem.empty()) return refused(std::move(problem));
    auto user = text_of(claims, settings_.user_claim.c_str());
    if (user.empty()) return refused("it has no claim " + settings_.user_claim);
    return user;
}

Result<TokenMessage> parse_oauthbearer(std::string_view message) {
    // gs2-header: no channel binding, perhaps whom to act as.
    if (!message.starts_with("n,") && !message.starts_with("y,")) return refused("malformed");
    message.remove_prefix(2);
    const auto comma = message.find(',');
    if (comma == std::string_view::npos) return refused("malformed");
    const auto name = message.substr(0, comma);
    message.remove_prefix(comma + 1);
    TokenMessage out;
    if (!name.empty()) {
        auto decoded = name.starts_with("a=") ? decode_saslname(name.substr(2)) : std::nullopt;
        if (!decoded) return refused("malformed");
        out.user = std::move(*decoded);
    }
    if (!message.starts_with(separator)) return refused("malformed");
    auto token = bearer_token(message.substr(1));
    if (!token) return refused("malformed");
    out.token = std::move(*token);
    return out;
}

Result<TokenMessage> parse_xoauth2(std::string_view message) {
    constexpr std::string_view user = "user=";
    const auto end = message.find(separator);
    if (!message.starts_with(user) || end == std::string_view::npos) return refused("malformed");
    auto token = bearer_token(message.substr(end + 1));
    if (!token) return refused("malformed");
    return TokenMessage{std::string(message.substr(user.size(), end - user.size())),
                        std::move(*token)};
}

}  // namespace postern::auth

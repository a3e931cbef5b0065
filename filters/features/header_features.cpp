#include "filters/features/ascii.h"
#include "filters/features/feature_sources.h"
#include "filters/features/words.h"
#include "protocols/mime/address.h"
#include "protocols/mime/date.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>

namespace postern::filters {

namespace {

constexpr std::size_t max_feature_fields = 100;
constexpr std::size_t max_field_words = 24;
constexpr std::size_t max_subject_words = 60;
constexpr std::size_t max_field_addresses = 10;
constexpr std::size_t max_received_fields = 6;

// Signatures and seals: noise, apart from whose they are.
bool is_signature(std::string_view name) {
    return starts_with_nocase(name, "arc-") || equals_nocase(name, "dkim-signature") ||
           equals_nocase(name, "domainkey-signature") ||
           equals_nocase(name, "x-google-dkim-signature");
}

bool is_address_field(std::string_view name) {
    constexpr std::array<std::string_view, 8> names = {
        "from", "to", "cc", "bcc", "reply-to", "sender", "errors-to", "resent-from"};
    return std::find(names.begin(), names.end(), name) != names.end();
}

// Names that a literal must live longer than: kinds of tokens.
constexpr std::array<std::string_view, 8> address_kinds = {
    "from", "to", "cc", "bcc", "reply-to", "sender", "errors-to", "resent-from"};

std::string_view kind_of_field(std::string_view name) {
    const auto found = std::find(address_kinds.begin(), address_kinds.end(), name);
    return found == address_kinds.end() ? std::string_view("field") : *found;
}

class HeaderTokens {
public:
    HeaderTokens(const Content& content, TokenSink& sink) : content_(content), sink_(sink) {}

    void add_all() {
        add_names();
        std::size_t fields = 0;
        for (const HeaderText& field : content_.headers) {
            if (!field.is_feature) continue;
            if (++fields > max_feature_fields) break;
            sink_.begin_text();
            add_field(to_lower(field.name), field.value);
        }
        add_relations();
    }

private:
    // Which fields there are, in which order.
    void add_names() {
        sink_.begin_text();
        std::string last;
        std::size_t fields = 0;
        for (const HeaderText& field : content_.headers) {
            if (!field.is_feature) continue;
            if (++fields > max_feature_fields) break;
            std::string name = to_lower(field.name);
            if (name == last) continue;
            sink_.add_running("header", name);
            last = std::move(name);
        }
    }

    void add_field(const std::string& name, const std::string& value) {
        if (name == "subject") {
            sink_.begin_section(true);
            add_subject(value);
            return sink_.begin_section(false);
        }
        if (name == "received") return add_received(value);
        if (name == "date") return add_date(value);
        if (is_address_field(name)) return add_addresses(kind_of_field(name), value);
        if (name == "message-id" || name == "in-reply-to") return add_message_id(name, value);
        if (name == "references") {
            const auto count = std::count(value.begin(), value.end(), '<');
            return sink_.add("references", step_of(static_cast<std::size_t>(count)));
        }
        if (name == "content-type") return add_content_type(value);
        if (is_signature(name)) return add_signature(name, value);
        std::size_t words = 0;
        std::string token;
        for_each_word(fold_words(value), [&](std::string_view word) {
            token.assign(name).append("=").append(shorten(word));
            sink_.add_running("field", token);
            return ++words < max_field_words;
        });
    }

    // Valid until the next call.
    std::string_view shorten(std::string_view word) {
        if (word.size() <= max_plain_word_bytes) return word;
        return shortened_ = "long " + step_of(word.size());
    }

    void add_subject(const std::string& value) {
        std::size_t words = 0;
        for_each_word(fold_words(value), [&](std::string_view word) {
            sink_.add_running("subject", shorten(word));
            return ++words < max_subject_words;
        });
        const auto capitals = static_cast<std::size_t>(
            std::count_if(value.begin(), value.end(), [](char c) { return c >= 'A' && c <= 'Z'; }));
        const auto letters =
            static_cast<std::size_t>(std::count_if(value.begin(), value.end(), is_alpha));
        if (letters >= 6 && capitals * 10 >= letters * 7) sink_.add("subject-shape", "capitals");
        if (value.find("   ") != std::string::npos) sink_.add("subject-shape", "spaces");
        sink_.add("subject-shape", "words " + step_of(words));
    }

    void add_domain(std::string_view kind, std::string_view domain) {
        sink_.add(kind, "@" + std::string(domain));
        const std::string_view registered = registered_domain(domain);
        if (registered.size() != domain.size()) sink_.add(kind, "@@" + std::string(registered));
        const std::size_t dot = domain.rfind('.');
        if (dot != std::string_view::npos) sink_.add(kind, domain.substr(dot));
    }

    void add_addresses(std::string_view kind, const std::string& value) {
        std::size_t count = 0;
        for (const mime::Address& address : mime::parse_addresses(value)) {
            if (address.kind != mime::Address::Kind::mailbox) continue;
            if (++count > max_field_addresses) continue;
            const std::string domain = to_lower(address.domain);
            const std::string local = to_lower(address.local);
            sink_.begin_text();
            for_each_word(fold_words(address.name), [&](std::string_view word) {
                sink_.add_running(kind, shorten(word));
                return true;
            });
            sink_.add(kind, local + "@" + domain);
            sink_.add(kind, local + "@");
            sink_.add(kind, "shape " + shape_of(address.local));
            sink_.add(kind, address.name.empty() ? "unnamed" : "named");
            if (!domain.empty()) add_domain(kind, domain);
        }
        sink_.add(kind, "count " + step_of(count));
    }

    void add_message_id(const std::string& name, std::string_view value) {
        const std::string_view kind = name == "message-id" ? "message-id" : "in-reply-to";
        const std::size_t at = value.rfind('@');
        const std::string_view local = value.substr(0, at);
        sink_.add(kind, "shape " + shape_of(local.substr(0, 60)));
        if (at == std::string_view::npos) return sink_.add(kind, "no domain");
        const std::string domain = to_lower(value.substr(at + 1, value.find('>', at) - at - 1));
        add_domain(kind, domain);
        if (kind == "message-id") message_domain_ = domain;
    }

    void add_content_type(const std::string& value) {
        std::size_t words = 0;
        const std::size_t boundary = to_lower(value).find("boundary=");
        for_each_word(fold_words(value.substr(0, boundary)), [&](std::string_view word) {
            sink_.add_running("content-type", word);
            return ++words < max_field_words;
        });
        if (boundary != std::string::npos) {
            sink_.add("content-type", "boundary " + shape_of(value.substr(boundary + 9, 60)));
        }
    }

    void add_signature(const std::string& name, const std::string& value) {
        for (std::size_t at = 0; at < value.size();) {
            const std::size_t end = std::min(value.find(';', at), value.size());
            const std::string_view pair = trim(std::string_view(value).substr(at, end - at));
            if (pair.starts_with("d=") || pair.starts_with("s=") || pair.starts_with("a=")) {
                sink_.add("signature", name + " " + to_lower(pair));
            }
            at = end + 1;
        }
    }

    // Hops: names, addresses by their networks, the software's words.
    void add_received(const std::string& value) {
        ++received_;
        if (received_ == 1) {
            const std::size_t semicolon = value.rfind(';');
            if (semicolon != std::string::npos) arrived_ = value.substr(semicolon + 1);
        }
        if (received_ > max_received_fields) return;
        const std::string text = to_lower(value.substr(0, value.rfind(';')));
        std::size_t words = 0;
        for_each_word(text, [&](std::string_view word) {
            add_hop_word(word);
            return ++words < max_field_words;
        });
    }

    void add_hop_word(std::string_view word) {
        const bool address =
            std::count(word.begin(), word.end(), '.') == 3 &&
            std::all_of(word.begin(), word.end(), [](char c) { return is_digit(c) || c == '.'; });
        if (address) {
            sink_.add_running("received", word);
            const std::size_t third = word.rfind('.');
            sink_.add("received", word.substr(0, third));
            sink_.add("received", word.substr(0, word.rfind('.', third - 1)));
        } else if (word.find('.') != std::string_view::npos) {
            sink_.add_running("received", shorten(word));
            const std::string_view registered = registered_domain(word);
            if (registered != word) sink_.add("received", "@@" + std::string(registered));
        } else {
            const bool id = std::count_if(word.begin(), word.end(), is_digit) >= 3;
            if (id) return sink_.add_running("received", "id " + shape_of(word));
            sink_.add_running("received", shorten(word));
        }
    }

    void add_date(const std::string& value) {
        const std::optional<mime::DateTime> date = mime::parse_date(value);
        if (!date) return sink_.add("date", "unreadable");
        sent_ = date;
        sink_.add("date", "shape " + shape_of(value));
        sink_.add("date", "zone " + std::to_string(date->zone_minutes));
        const std::int64_t local = date->unix_seconds + std::int64_t{date->zone_minutes} * 60;
        sink_.add("date", "hour " + std::to_string(((local % 86400) + 86400) % 86400 / 3600));
    }

    void add_skew() {
        if (!sent_ || arrived_.empty()) return;
        const std::optional<mime::DateTime> arrived = mime::parse_date(arrived_);
        if (!arrived) return;
        const std::int64_t skew = arrived->unix_seconds - sent_->unix_seconds;
        const std::string steps = step_of(static_cast<std::size_t>(std::llabs(skew) / 900));
        sink_.add("date", (skew < 0 ? "ahead " : "behind ") + steps);
    }

    std::string first_address(std::string_view field) const {
        for (const mime::Address& each : mime::parse_addresses(content_.value(field))) {
            if (each.kind == mime::Address::Kind::mailbox) return to_lower(each.addr_spec());
        }
        return {};
    }

    void add_relations() {
        add_skew();
        sink_.add("received", "hops " + step_of(received_));
        const std::string from = first_address("From");
        const auto domain_of = [](const std::string& address) {
            const std::size_t at = address.rfind('@');
            return std::string(registered_domain(std::string_view(address).substr(
                at == std::string::npos ? address.size() : at + 1)));
        };
        const std::string own = domain_of(from);
        const auto relate = [&](const char* what, const std::string& other) {
            if (other.empty()) return sink_.add("relation", std::string(what) + " absent");
            sink_.add("relation", std::string(what) + (other == own ? " same" : " other"));
        };
        const std::string to = first_address("To");
        if (!from.empty() && from == to) sink_.add("relation", "to self");
        relate("from to", domain_of(to));
        relate("from reply-to", domain_of(first_address("Reply-To")));
        relate("from message-id", std::string(registered_domain(message_domain_)));
    }

    const Content& content_;
    TokenSink& sink_;
    std::string shortened_;
    std::size_t received_ = 0;
    std::string arrived_;  // when the last hop took it
    std::optional<mime::DateTime> sent_;
    std::string message_domain_;
};

}  // namespace

void add_header_tokens(const Content& content, TokenSink& sink) {
    HeaderTokens(content, sink).add_all();
}

}  // namespace postern::filters

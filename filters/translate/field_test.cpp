#include "filters/translate/field_test.h"

#include "filters/patterns/vetting.h"
#include "filters/translate/trimmed.h"

namespace postern::filters {

namespace {

Error unsupported(std::string why) {
    return {Errc::unsupported, std::move(why)};
}

// SpamAssassin's names for things that are no single field.
Result<std::vector<std::string>> targets_of(std::string_view name, bool part) {
    const std::string text(name);
    if (part) return std::vector<std::string>{"part:" + text};
    if (text == "ALL") return std::vector<std::string>{"head"};
    if (text == "ToCc") return std::vector<std::string>{"header:To", "header:Cc"};
    if (text == "MESSAGEID") {
        return std::vector<std::string>{"header:Message-ID", "header:Resent-Message-ID"};
    }
    if (text == "EnvelopeFrom") return std::vector<std::string>{"envelope:from"};
    if (text.starts_with("X-Spam-Relays-")) {
        return unsupported("it reads SpamAssassin's own list of relays");
    }
    if (text.starts_with("ALL:") || text.starts_with("ALL-")) {
        return unsupported("there is no such view of all header fields");
    }
    return std::vector<std::string>{"header:" + text};
}

}  // namespace

Result<FieldTest> read_field_test(std::string_view text, bool part) {
    text = trimmed(text);
    FieldTest test;
    if (text.starts_with("exists:")) {
        auto targets = targets_of(text.substr(7), part);
        if (!targets) return targets.error();
        test.targets = std::move(*targets);
        test.exists = true;
    } else {
        const std::size_t sign = text.find("=~");
        const std::size_t negated = text.find("!~");
        const std::size_t at = std::min(sign, negated);
        if (at == std::string_view::npos) return Error{Errc::invalid, "neither =~ nor !~ in it"};
        test.negated = negated < sign;
        auto targets = targets_of(trimmed(text.substr(0, at)), part);
        if (!targets) return targets.error();
        test.targets = std::move(*targets);
        std::string_view pattern = trimmed(text.substr(at + 2));
        const std::size_t unset = pattern.rfind("[if-unset:");
        if (unset != std::string_view::npos && pattern.ends_with(']')) {
            test.if_unset = trimmed(pattern.substr(unset + 10, pattern.size() - unset - 11));
            pattern = trimmed(pattern.substr(0, unset));
        }
        test.pattern = pattern;
    }
    for (const std::string& target : test.targets) {
        const auto parsed = parse_target(target);
        if (!parsed) return unsupported(parsed.error().text);
    }
    return test;
}

}  // namespace postern::filters

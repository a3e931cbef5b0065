#include "store/directory/rewrites.h"

#include "store/directory/names.h"
#include "store/kv/random_id.h"
#include "store/kv/row_codec.h"

#include <algorithm>

namespace postern::directory {

namespace {

constexpr kv::ShardId shard{kv::ShardKind::directory, 0, 0};
constexpr std::uint8_t row_version = 1;

// "W", whose addresses, whether exact (or a domain) or a pattern, and the rule's left side.
constexpr char key_letter = 'W';
constexpr char plain_class = 'e';
constexpr char pattern_class = 'p';

bool is_pattern(std::string_view from) {
    return from.find('*') != std::string_view::npos;
}

std::string key_prefix(RewriteOf of, char kind) {
    return {key_letter, of == RewriteOf::recipient ? 'r' : 's', kind};
}
std::string key_of(RewriteOf of, std::string_view from) {
    return key_prefix(of, is_pattern(from) ? pattern_class : plain_class) + std::string(from);
}

std::string encode(std::string_view to) {
    kv::RowWriter writer;
    writer.u8(row_version).bytes(to);
    return writer.take();
}

Result<std::string> decode(std::string_view value, std::string_view from) {
    kv::RowReader reader(value);
    const auto version = reader.u8();
    std::string to(reader.bytes());
    if (version == row_version && reader.done()) return to;
    return Error{Errc::corrupt, "directory: unreadable rewriting rule " + std::string(from)};
}

std::string joined(const Address& address) {
    return address.local_part + "@" + address.domain;
}

Error invalid(std::string_view what, std::string_view why) {
    return {Errc::invalid, std::string(what) + ": " + std::string(why)};
}

std::string with_letters(std::string_view pattern) {
    std::string out(pattern);
    std::replace(out.begin(), out.end(), '*', 'x');
    return out;
}

void most_letters_first(std::vector<RewriteRule>& rules) {
    const auto letters = [](const RewriteRule& rule) {
        return static_cast<std::ptrdiff_t>(rule.from.size()) -
               std::count(rule.from.begin(), rule.from.end(), '*');
    };
    std::sort(rules.begin(), rules.end(), [&](const RewriteRule& a, const RewriteRule& b) {
        return letters(a) != letters(b) ? letters(a) > letters(b) : a.from < b.from;
    });
}

// An address that the rule fits.
std::string example_of(const RewriteRule& rule) {
    return rule.from.starts_with('@') ? "x" + rule.from : with_letters(rule.from);
}

Result<RewriteRule> make_pattern(RewriteOf of, std::string_view from, std::string_view to) {
    const auto stars = static_cast<std::size_t>(std::count(from.begin(), from.end(), '*'));
    if (stars > max_rewrite_wildcards) {
        return Error{Errc::limit, std::string(from) + ": more than " +
                                      std::to_string(max_rewrite_wildcards) + " times '*'"};
    }
    if (from.find("**") != std::string_view::npos) return invalid(from, "'*' twice in a row");
    if (from.starts_with('@')) return invalid(from, "say *@ for any name at a domain");
    if (!canonical_address(with_letters(from))) return invalid(from, "not an address with '*'");
    std::string plain;
    for (std::size_t i = 0; i < to.size(); ++i) {
        const bool refers = to[i] == '$' && i + 1 < to.size() && to[i + 1] >= '0' &&
                            to[i + 1] <= '9';
        if (refers && (to[i + 1] == '0' || static_cast<std::size_t>(to[i + 1] - '0') > stars)) {
            return invalid(to, "there is no such '*'; $1 is the first one");
        }
        plain += refers ? 'x' : to[i];
        i += refers ? 1 : 0;
    }
    if (plain.find('*') != std::string::npos) return invalid(to, "$1 stands for the first '*'");
    if (!canonical_address(plain)) return invalid(to, "not an address");
    RewriteRule rule{of, std::string(from), std::string(to)};
    for (auto* text : {&rule.from, &rule.to}) {
        for (char& c : *text) {
            if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        }
    }
    return rule;
}

Result<RewriteRule> make_rule(RewriteOf of, std::string_view from, std::string_view to) {
    if (is_pattern(from)) return make_pattern(of, from, to);
    if (from.starts_with('@')) {
        const auto old = canonical_domain(from.substr(1));
        const auto fresh = to.starts_with('@') ? canonical_domain(to.substr(1)) : std::nullopt;
        if (!old) return invalid(from, "not a domain");
        if (!fresh) return invalid(to, "not @DOMAIN, as the left side is");
        return RewriteRule{of, "@" + *old, "@" + *fresh};
    }
    const auto old = canonical_address(from);
    const auto fresh = canonical_address(to);
    if (!old) return invalid(from, "not an address, nor @DOMAIN");
    if (!fresh) return invalid(to, "not an address");
    return RewriteRule{of, joined(*old), joined(*fresh)};
}

}  // namespace

Result<void> Rewrites::add(RewriteOf of, std::string_view from, std::string_view to) {
    const auto rule = make_rule(of, from, to);
    if (!rule) return rule.error();
    const auto all = list();
    if (!all) return all.error();
    if (all->size() >= max_rewrite_rules) {
        return Error{Errc::limit, "more than " + std::to_string(max_rewrite_rules) + " rules"};
    }
    const auto patterns = std::count_if(all->begin(), all->end(), [&](const auto& each) {
        return each.of == of && is_pattern(each.from);
    });
    if (is_pattern(rule->from) &&
        static_cast<std::size_t>(patterns) >= max_rewrite_patterns) {
        return Error{Errc::limit, "more than " + std::to_string(max_rewrite_patterns) +
                                      " rules with '*'"};
    }
    if (auto free = refuse_circle(*rule, *all); !free) return free;
    kv::Batch batch;
    batch.shard = shard;
    batch.operation = kv::random_id();
    const auto key = key_of(of, rule->from);
    batch.preconditions.push_back({key, std::nullopt});
    batch.operations.emplace_back(kv::Put{key, encode(rule->to)});
    const auto outcome = store_.commit_and_wait(std::move(batch));
    if (!outcome) return outcome.error();
    if (*outcome == kv::Outcome::committed) return {};
    return Error{Errc::exists, "there is a rule for " + rule->from + " already"};
}

Result<void> Rewrites::remove(RewriteOf of, std::string_view from) {
    std::string name(from);
    for (char& c : name) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    const auto key = key_of(of, name);
    const auto value = store_.get(shard, key);
    if (!value) return value.error();
    if (!*value) return Error{Errc::not_found, "no rule for " + name};
    kv::Batch batch;
    batch.shard = shard;
    batch.operation = kv::random_id();
    batch.operations.emplace_back(kv::Erase{key});
    const auto outcome = store_.commit_and_wait(std::move(batch));
    return outcome ? Result<void>() : outcome.error();
}

Result<std::vector<RewriteRule>> Rewrites::scan(std::string from, std::string to) {
    std::vector<RewriteRule> out;
    for (;;) {
        const auto page = store_.scan(shard, from, to, kv::max_page_rows);
        if (!page) return page.error();
        for (const kv::Row& row : page->rows) {
            const std::string_view name = std::string_view(row.key).substr(3);
            auto target = decode(row.value, name);
            if (!target) return target.error();
            out.push_back({row.key[1] == 'r' ? RewriteOf::recipient : RewriteOf::sender,
                           std::string(name), std::move(*target)});
        }
        if (!page->more) return out;
        from = page->rows.back().key + '\0';
    }
}

Result<std::vector<RewriteRule>> Rewrites::patterns(RewriteOf of) {
    auto to = key_prefix(of, pattern_class);
    ++to.back();
    auto out = scan(key_prefix(of, pattern_class), std::move(to));
    if (out) most_letters_first(*out);
    return out;
}

Result<std::vector<RewriteRule>> Rewrites::list() {
    std::vector<RewriteRule> out;
    for (const auto of : {RewriteOf::recipient, RewriteOf::sender}) {
        auto end = key_prefix(of, plain_class);
        ++end.back();
        auto plain = scan(key_prefix(of, plain_class), std::move(end));
        if (!plain) return plain;
        // '@' sorts before letters; whole domains are tried after addresses.
        std::stable_partition(plain->begin(), plain->end(),
                              [](const auto& rule) { return !rule.from.starts_with('@'); });
        auto wild = patterns(of);
        if (!wild) return wild;
        std::move(plain->begin(), plain->end(), std::back_inserter(out));
        std::move(wild->begin(), wild->end(), std::back_inserter(out));
    }
    return out;
}

// What the first rule that fits makes of the address; nullopt: none fits.
Result<std::optional<std::string>> Rewrites::next(RewriteOf of, const std::string& address,
                                                  const RewriteRule* extra) {
    using Answer = std::optional<std::string>;
    const auto parts = canonical_address(address);
    if (!parts) return Answer();
    const auto find = [&](const std::string& from) -> Result<Answer> {
        if (extra != nullptr && extra->of == of && extra->from == from) return Answer(extra->to);
        const auto value = store_.get(shard, key_of(of, from));
        if (!value) return value.error();
        if (!*value) return Answer();
        auto to = decode(**value, from);
        if (!to) return to.error();
        return Answer(std::move(*to));
    };
    const auto name = joined(*parts);
    // A '*' in a name is no pattern of ours to be found.
    if (!is_pattern(name)) {
        auto exact = find(name);
        if (!exact || *exact) return exact;
    }
    const auto domain = find("@" + parts->domain);
    if (!domain) return domain.error();
    // The name stays as it was written: it may be for another server.
    if (*domain) return Answer(address.substr(0, address.rfind('@')) + **domain);
    auto wild = patterns(of);
    if (!wild) return wild.error();
    if (extra != nullptr && extra->of == of && is_pattern(extra->from)) {
        wild->push_back(*extra);
        most_letters_first(*wild);
    }
    for (const auto& rule : *wild) {
        auto made = rewrite_by_pattern(rule.from, rule.to, name);
        if (made && canonical_address(*made)) return made;
    }
    return Answer();
}

Result<Rewritten> Rewrites::follow(RewriteOf of, std::string_view address,
                                   const RewriteRule* extra) {
    Rewritten out;
    out.address = address;
    std::vector<std::string> seen;
    for (;;) {
        const auto parts = canonical_address(out.address);
        if (parts) seen.push_back(joined(*parts));
        auto made = next(of, out.address, extra);
        if (!made) return made.error();
        if (!*made) return out;
        const auto fresh = canonical_address(**made);
        if (!fresh) return out;
        // A rule may keep what fits it: "*@example.org" to "$1@example.org" changes nothing.
        if (joined(*fresh) == seen.back()) return out;
        if (out.steps.size() == max_rewrite_steps ||
            std::find(seen.begin(), seen.end(), joined(*fresh)) != seen.end()) {
            out.circle = true;
            return out;
        }
        out.address = std::move(**made);
        out.steps.push_back(out.address);
    }
}

Result<Rewritten> Rewrites::apply(RewriteOf of, std::string_view address) {
    return follow(of, address, nullptr);
}

// Tries an example of every rule, since the new one may close a circle that others begin.
Result<void> Rewrites::refuse_circle(const RewriteRule& added,
                                     const std::vector<RewriteRule>& all) {
    const auto check = [&](const RewriteRule& rule) -> Result<void> {
        const auto example = example_of(rule);
        const auto tried = follow(added.of, example, &added);
        if (!tried) return tried.error();
        if (!tried->circle) return {};
        std::string text = "the rules would run in a circle or too far: " + example;
        for (const auto& step : tried->steps) text += " -> " + step;
        return Error{Errc::conflict, text + " -> ..."};
    };
    if (auto free = check(added); !free) return free;
    for (const auto& rule : all) {
        if (rule.of != added.of) continue;
        if (auto free = check(rule); !free) return free;
    }
    return {};
}

}  // namespace postern::directory

#include "filters/patterns/compiled_rules.h"

#include "filters/patterns/looser.h"
#include "protocols/base/hash.h"

namespace postern::filters {

namespace {

// Image: magic, sum of all that follows (two hashes of 8), digest of the patterns and platform
// (likewise), then for each target the size in 8 octets and the database. Numbers are
// little-endian.
constexpr std::string_view magic = "PSTRULE1";
constexpr std::size_t digest_bytes = 16;
constexpr std::size_t size_bytes = 8;

void append(std::string& out, std::uint64_t value) {
    for (std::size_t i = 0; i < 8; ++i) out += static_cast<char>(value >> (8 * i));
}

std::uint64_t number_at(std::string_view bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < 8; ++i) {
        value |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
    }
    return value;
}

std::string digest_of(std::string_view bytes) {
    std::string digest;
    append(digest, hash64(bytes, 0x13198A2E03707344ull));
    append(digest, hash64(bytes, 0xA4093822299F31D0ull));
    return digest;
}

// What the database of that target looks for.
std::vector<Pattern> searched(const Groups& groups, std::size_t target) {
    std::vector<Pattern> patterns = groups[target].patterns;
    for (Pattern& each : patterns) {
        each.pattern = std::string(looser(each.pattern, static_cast<Target>(target)));
    }
    return patterns;
}

// What a compiled form depends on.
std::string key_of(const Groups& groups) {
    std::string text = platform_name();
    for (std::size_t target = 0; target < groups.size(); ++target) {
        const std::vector<Pattern> patterns = searched(groups, target);
        append(text, patterns.size());
        for (const Pattern& each : patterns) {
            append(text, each.flags);
            append(text, each.pattern.size());
            text += each.pattern;
        }
    }
    return digest_of(text);
}

// The message tells places in the rule's own pattern, not in a looser one.
Error in_rule(const Rule& rule, const Pattern& pattern, const Error& usual) {
    std::size_t culprit = 0;
    const auto alone = compile_database({pattern}, culprit);
    return {Errc::invalid, "rule " + rule.name + ": " + (alone ? usual : alone.error()).text};
}

}  // namespace

Result<std::string> seal_groups(const Groups& groups) {
    std::string sealed = key_of(groups);
    for (const Group& group : groups) {
        if (!group.database) {
            append(sealed, 0);
            continue;
        }
        const auto bytes = serialize_database(group.database);
        if (!bytes) return bytes.error();
        append(sealed, bytes->size());
        sealed += *bytes;
    }
    return std::string(magic) + digest_of(sealed) + sealed;
}

bool unseal_groups(std::string_view image, Groups& groups) {
    if (image.size() < magic.size() + 2 * digest_bytes || !image.starts_with(magic)) return false;
    image.remove_prefix(magic.size());
    const std::string_view sum = image.substr(0, digest_bytes);
    image.remove_prefix(digest_bytes);
    if (digest_of(image) != sum || !image.starts_with(key_of(groups))) return false;
    image.remove_prefix(digest_bytes);
    std::array<Database, target_count> databases;
    for (std::size_t i = 0; i < groups.size(); ++i) {
        if (image.size() < size_bytes) return false;
        const std::uint64_t size = number_at(image);
        image.remove_prefix(size_bytes);
        if (size > image.size() || (size == 0) != groups[i].patterns.empty()) return false;
        if (size > 0) databases[i] = deserialize_database(image.substr(0, size));
        if (size > 0 && !databases[i]) return false;
        image.remove_prefix(size);
    }
    if (!image.empty()) return false;
    for (std::size_t i = 0; i < groups.size(); ++i) groups[i].database = std::move(databases[i]);
    return true;
}

Result<void> compile_groups(Groups& groups, const std::vector<Rule>& rules, CompiledCache* cache) {
    if (cache != nullptr) {
        const auto image = cache->load();
        if (image && unseal_groups(*image, groups)) return {};
    }
    for (std::size_t target = 0; target < groups.size(); ++target) {
        Group& group = groups[target];
        if (group.patterns.empty()) continue;
        std::size_t culprit = group.patterns.size();
        auto database = compile_database(searched(groups, target), culprit);
        if (!database && culprit < group.patterns.size()) {
            return in_rule(rules[group.rules[culprit]], group.patterns[culprit], database.error());
        }
        if (!database) return database.error();
        group.database = std::move(*database);
    }
    if (cache != nullptr) {
        if (const auto image = seal_groups(groups)) cache->save(*image);
    }
    return {};
}

}  // namespace postern::filters

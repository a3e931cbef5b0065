#include "store/directory/aliases.h"

#include "store/directory/directory.h"
#include "store/directory/names.h"
#include "store/kv/random_id.h"
#include "store/kv/row_codec.h"

#include <algorithm>
#include <functional>
#include <set>

namespace postern::directory {

namespace {

constexpr kv::ShardId shard{kv::ShardKind::directory, 0, 0};
constexpr std::uint8_t row_version = 1;
constexpr int max_attempts = 64;

std::string domain_of(const std::string& source) {
    return source.substr(source.rfind('@') + 1);
}

std::string key_prefix(std::string_view domain) {
    return "A" + std::string(domain) + '\0';
}
std::string key_of(const std::string& source) {
    return key_prefix(domain_of(source)) + source.substr(0, source.rfind('@'));
}

std::string encode(const std::vector<std::string>& targets) {
    kv::RowWriter writer;
    writer.u8(row_version).varint(targets.size());
    for (const auto& target : targets) writer.bytes(target);
    return writer.take();
}

Result<Alias> decode(std::string source, std::string_view value) {
    kv::RowReader reader(value);
    const auto version = reader.u8();
    Alias alias{std::move(source), {}};
    const auto count = reader.varint();
    for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
        alias.targets.emplace_back(reader.bytes());
    }
    if (version != row_version || !reader.done()) {
        return Error{Errc::corrupt, "directory: unreadable alias " + alias.source};
    }
    return alias;
}

Result<std::vector<std::string>> canonical_targets(const std::string& source,
                                                   const std::vector<std::string>& targets) {
    std::vector<std::string> out;
    for (const auto& target : targets) {
        auto one = canonical_pattern(target);
        if (!one) return bad_address(target);
        if (one->starts_with('@') && (!source.starts_with('@') || targets.size() > 1)) {
            return Error{Errc::invalid, *one + ": a whole domain can only be the one target of @" +
                                            domain_of(source)};
        }
        out.push_back(std::move(*one));
    }
    return out;
}

bool is_domain_alias(const std::vector<std::string>& targets) {
    return targets.size() == 1 && targets.front().starts_with('@');
}

// Plans a batch on one row from what is read, and again when somebody else was faster.
Result<void> change_row(
    kv::Store& store, const std::string& source,
    const std::function<Result<std::vector<std::string>>(std::vector<std::string>)>& plan) {
    const std::string key = key_of(source);
    for (int attempt = 0; attempt < max_attempts; ++attempt) {
        const auto value = store.get(shard, key);
        if (!value) return value.error();
        std::vector<std::string> targets;
        if (*value) {
            auto old = decode(source, **value);
            if (!old) return old.error();
            targets = std::move(old->targets);
        }
        auto wanted = plan(std::move(targets));
        if (!wanted) return wanted.error();
        kv::Batch batch;
        batch.shard = shard;
        batch.operation = kv::random_id();
        batch.preconditions.push_back({key, *value});
        if (wanted->empty())
            batch.operations.emplace_back(kv::Erase{key});
        else
            batch.operations.emplace_back(kv::Put{key, encode(*wanted)});
        const auto outcome = store.commit_and_wait(std::move(batch));
        if (!outcome) return outcome.error();
        if (*outcome == kv::Outcome::committed) return {};
    }
    return Error{Errc::conflict, "directory: changed by others too often; try again"};
}

}  // namespace

Result<void> Aliases::add(std::string_view source, const std::vector<std::string>& targets) {
    const auto name = canonical_pattern(source);
    if (!name) return bad_address(source);
    auto added = canonical_targets(*name, targets);
    if (!added) return added.error();
    if (added->empty()) return Error{Errc::invalid, "an alias needs a target"};
    const auto ours = Directory(store_).has_domain(domain_of(*name));
    if (!ours) return ours.error();
    if (!*ours) return Error{Errc::not_found, "no such domain: " + domain_of(*name)};
    if (auto free = refuse_circle(*name, *added); !free) return free;
    return change_row(
        store_, *name, [&](std::vector<std::string> all) -> Result<std::vector<std::string>> {
            if (!all.empty() && is_domain_alias(all) != is_domain_alias(*added)) {
                return Error{Errc::invalid, *name + ": a whole domain can only be its one target"};
            }
            if (is_domain_alias(*added)) return *added;
            all.insert(all.end(), added->begin(), added->end());
            std::sort(all.begin(), all.end());
            all.erase(std::unique(all.begin(), all.end()), all.end());
            if (all.size() > max_alias_targets) {
                return Error{Errc::limit, *name + ": more than " +
                                              std::to_string(max_alias_targets) +
                                              " targets; nest several aliases"};
            }
            if (encode(all).size() > kv::max_value_bytes) {
                return Error{Errc::limit, *name + ": too many long targets; nest several aliases"};
            }
            return all;
        });
}

Result<void> Aliases::remove(std::string_view source, const std::vector<std::string>& targets) {
    const auto name = canonical_pattern(source);
    if (!name) return bad_address(source);
    return change_row(
        store_, *name, [&](std::vector<std::string> all) -> Result<std::vector<std::string>> {
            if (all.empty()) return Error{Errc::not_found, "no such alias: " + *name};
            if (targets.empty()) return std::vector<std::string>();
            for (const auto& target : targets) {
                const auto one = canonical_pattern(target);
                const auto found = one ? std::find(all.begin(), all.end(), *one) : all.end();
                if (found == all.end()) {
                    return Error{Errc::not_found, *name + " has no target " + target};
                }
                all.erase(found);
            }
            return all;
        });
}

Result<std::vector<Alias>> Aliases::list(std::string_view domain) {
    std::string from = "A";
    if (!domain.empty()) {
        const auto name = canonical_domain(domain);
        if (!name) return bad_address(domain);
        from = key_prefix(*name);
    }
    std::string to = from;
    ++to.back();
    std::vector<Alias> out;
    for (;;) {
        const auto page = store_.scan(shard, from, to, kv::max_page_rows);
        if (!page) return page.error();
        for (const kv::Row& row : page->rows) {
            const auto split = row.key.find('\0');
            auto alias =
                decode(row.key.substr(split + 1) + "@" + row.key.substr(1, split - 1), row.value);
            if (!alias) return alias.error();
            out.push_back(std::move(*alias));
        }
        if (!page->more) return out;
        from = page->rows.back().key + '\0';
    }
}

Result<std::optional<Alias>> Aliases::find(std::string_view source) {
    const auto name = canonical_pattern(source);
    if (!name) return std::optional<Alias>();
    const auto value = store_.get(shard, key_of(*name));
    if (!value) return value.error();
    if (!*value) return std::optional<Alias>();
    auto alias = decode(*name, **value);
    if (!alias) return alias.error();
    return std::optional<Alias>(std::move(*alias));
}

// Follows the targets depth first. A target that is the source itself means its own mailbox.
Result<void> Aliases::refuse_circle(const std::string& source,
                                    const std::vector<std::string>& targets) {
    std::set<std::string> seen;
    std::vector<std::string> path{source};
    std::function<Result<void>(const std::string&)> visit =
        [&](const std::string& target) -> Result<void> {
        if (target == source && path.size() > 1) {
            std::string text = "the alias would run in a circle: ";
            for (const auto& step : path) text += step + " -> ";
            return Error{Errc::conflict, text + target};
        }
        if (path.size() > max_alias_depth) {
            return Error{Errc::limit, "aliases are nested deeper than " +
                                          std::to_string(max_alias_depth) + " under " + source};
        }
        if (target == source || !seen.insert(target).second) return {};
        const auto alias = find(target);
        if (!alias) return alias.error();
        if (!*alias) return {};
        path.push_back(target);
        for (const auto& next : (*alias)->targets) {
            if (next == target) continue;
            if (auto visited = visit(next); !visited) return visited;
        }
        path.pop_back();
        return {};
    };
    for (const auto& target : targets) {
        if (auto visited = visit(target); !visited) return visited;
    }
    return {};
}

}  // namespace postern::directory

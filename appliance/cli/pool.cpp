#include "appliance/cli/choose.h"
#include "appliance/cli/commands.h"
#include "appliance/cli/pool_options.h"
#include "appliance/cli/sizes.h"
#include "appliance/cli/store_access.h"
#include "protocols/wire/text.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace postern::cli {

namespace {

struct PoolOptions {
    std::string name;
    std::string soft, hard, messages;
    CapTexts cap;
    std::vector<std::string> addresses;
};

constexpr const char* size_help = "a number with K, M, G or T, as in 2G";

Result<std::uint64_t> size_of(const std::string& text) {
    const auto size = parse_size(text);
    if (size) return *size;
    return Error{Errc::invalid, text + ": not a size; give " + size_help};
}

Result<std::uint64_t> messages_of(const std::string& text) {
    const auto messages = wire::parse_number(text);
    if (messages) return *messages;
    return Error{Errc::invalid, text + ": not a number of messages"};
}

// What is not named stays as it is: of the sizes both or neither.
Result<mail::PoolLimits> limits_of(const PoolOptions& options, mail::PoolLimits limits) {
    if (!options.soft.empty()) {
        const auto size = size_of(options.soft);
        if (!size) return size.error();
        const auto messages = limits.messages;
        limits = mail::limits_from_soft(*size);
        limits.messages = messages;
    }
    if (!options.hard.empty()) {
        const auto size = size_of(options.hard);
        if (!size) return size.error();
        limits.hard_bytes = *size;
        if (options.soft.empty()) limits.soft_bytes = *size;
    }
    if (!options.messages.empty()) {
        const auto messages = messages_of(options.messages);
        if (!messages) return messages.error();
        limits.messages = *messages;
    }
    return limits;
}

int pool_add(Context& context, const PoolOptions& options) {
    const auto limits = limits_of(options, {});
    if (!limits) return fail(limits.error());
    auto store = open_store(context.config, Opening::create);
    if (!store) return fail(store.error());
    const auto pool = mail::Pools(*(*store)->kv).add(options.name, *limits);
    return pool ? exit_ok : fail(pool.error());
}

int pool_set(Context& context, const PoolOptions& options) {
    auto store = open_store(context.config, Opening::existing);
    if (!store) return fail(store.error());
    mail::Pools pools(*(*store)->kv);
    const auto pool = pools.find(options.name);
    if (!pool) return fail(pool.error());
    const auto limits = limits_of(options, pool->limits);
    if (!limits) return fail(limits.error());
    const auto done = pools.set(options.name, *limits);
    return done ? exit_ok : fail(done.error());
}

int pool_remove(Context& context, const PoolOptions& options) {
    auto store = open_store(context.config, Opening::existing);
    if (!store) return fail(store.error());
    const auto done = mail::Pools(*(*store)->kv).remove(options.name);
    if (done) return exit_ok;
    return fail(done.error(), done.error().code == Errc::conflict
                                  ? "move its users with: postern pool assign OTHER USER..."
                                  : "");
}

struct Usage {
    std::uint64_t used_bytes = 0, used_messages = 0;
    std::vector<std::string> users;
};

Result<Usage> usage_of(StoreAccess& store, const mail::Pool& pool) {
    const auto members = mail::Pools(*store.kv).members(pool.number);
    if (!members) return members.error();
    Usage usage;
    if (members->empty()) return usage;
    const auto roots = store.mail->quota(members->front());
    if (!roots) return roots.error();
    for (const auto& root : *roots) {
        if (root.name != pool.name) continue;
        usage.used_bytes = root.used_bytes;
        usage.used_messages = root.used_messages;
    }
    const auto users = store.directory.users("");
    if (!users) return users.error();
    for (const auto& user : *users) {
        if (std::find(members->begin(), members->end(), user.id) != members->end()) {
            usage.users.push_back(user.address);
        }
    }
    return usage;
}

int pool_list(Context& context, const PoolOptions&) {
    auto store = open_mail(context.config, Opening::existing);
    if (!store) return fail(store.error());
    const auto pools = mail::Pools(*(*store)->kv).list();
    if (!pools) return fail(pools.error());
    auto rows = nlohmann::json::array();
    std::string table =
        "POOL                  USERS          USED          SOFT          HARD  MESSAGES   AT MOST"
        "\n";
    for (const auto& pool : *pools) {
        const auto usage = usage_of(**store, pool);
        if (!usage) return fail(usage.error());
        rows.push_back({{"name", pool.name},
                        {"used_bytes", usage->used_bytes},
                        {"soft_bytes", pool.limits.soft_bytes},
                        {"hard_bytes", pool.limits.hard_bytes},
                        {"used_messages", usage->used_messages},
                        {"max_messages", pool.limits.messages},
                        {"users", usage->users}});
        const auto limit = [](std::uint64_t bytes) {
            return padded(bytes == 0 ? "none" : size_text(bytes), 13, true);
        };
        const std::uint64_t most = pool.limits.messages;
        table += padded(pool.name, 20, false) + " " +
                 padded(std::to_string(usage->users.size()), 6, true) + " " +
                 padded(size_text(usage->used_bytes), 13, true) + " " +
                 limit(pool.limits.soft_bytes) + " " + limit(pool.limits.hard_bytes) + " " +
                 padded(std::to_string(usage->used_messages), 9, true) + " " +
                 padded(most == 0 ? "none" : std::to_string(most), 9, true) + "\n";
    }
    if (context.json) {
        print_json(nlohmann::json{{"pools", std::move(rows)}});
    } else {
        print(table);
    }
    return exit_ok;
}

int assign(Context& context, const PoolOptions& options) {
    auto store = open_store(context.config, Opening::existing);
    if (!store) return fail(store.error());
    for (const std::string& address : options.addresses) {
        const auto done = assign_pool(**store, address, options.name, options.cap);
        if (!done) return fail(done.error());
    }
    return exit_ok;
}

}  // namespace

Result<void> assign_pool(StoreAccess& store, const std::string& address, const std::string& pool,
                         const CapTexts& cap) {
    const auto user = store.directory.find(address);
    if (!user) return user.error();
    if (!*user) return Error{Errc::not_found, address + ": no such user"};
    mail::Pools pools(*store.kv);
    mail::AccountQuota quota;
    if (pool != no_pool) {
        const auto found = pools.find(pool);
        if (!found) return found.error();
        quota.pool = found->number;
    }
    if (!cap.bytes.empty()) {
        const auto size = size_of(cap.bytes);
        if (!size) return size.error();
        quota.cap = {*size, *size};
    }
    if (!cap.messages.empty()) {
        const auto messages = messages_of(cap.messages);
        if (!messages) return messages.error();
        quota.cap.messages = *messages;
    }
    return pools.assign((*user)->id, quota);
}

void add_pool(CLI::App& app, Action& chosen) {
    auto* group = app.add_subcommand("pool", "Storage that several users share.");
    group->require_subcommand(1);
    group->footer(
        "Up to the soft limit users may store mail; between soft and hard only mail from others\n"
        "still comes in. Beyond it senders are told to try again later (452 4.2.2). At 80 % and 95 "
        "%\n"
        "of the soft limit one of the pool's users gets a mail, once.\n\n"
        "Example:\n"
        "  postern pool add acme --soft 2G\n"
        "  postern pool assign acme ann@example.org bob@example.org --cap 1.5G\n"
        "  postern pool list --json");
    auto options = std::make_shared<PoolOptions>();
    const auto named = [&](CLI::App* sub) {
        sub->add_option("POOL", options->name, "The pool's name.")->required();
        return sub;
    };
    const auto limited = [&](CLI::App* sub) {
        sub->add_option("--soft", options->soft,
                        "What was bought. The hard limit is a tenth more.");
        sub->add_option("--hard", options->hard, "What is never passed. Alone, it is both limits.");
        sub->add_option("--messages", options->messages,
                        "How many messages at most, whoever sends them; 0: any number.");
    };
    limited(named(add_command(*group, "add", "Make a pool.", options, chosen, pool_add)));
    limited(
        named(add_command(*group, "set", "Change a pool's limits.", options, chosen, pool_set)));
    add_command(*group, "list", "List the pools with what is used of them.", options, chosen,
                pool_list);
    named(add_command(*group, "remove", "Remove a pool without users.", options, chosen,
                      pool_remove));
    auto* assigned = named(add_command(
        *group, "assign", "Put users into a pool ('none': out of it).", options, chosen, assign));
    in_ascii(assigned->add_option("USER", options->addresses, "Their addresses."))->required();
    assigned->add_option("--cap", options->cap.bytes, "What one of them may use of it at most.");
    assigned->add_option("--cap-messages", options->cap.messages,
                         "How many messages one of them may have at most; 0: any number.");
}

}  // namespace postern::cli

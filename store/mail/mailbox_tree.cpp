#include "store/blob/links.h"
#include "store/kv/random_id.h"
#include "store/kv/row_codec.h"
#include "store/mail/intents.h"
#include "store/mail/mailbox_names.h"
#include "store/mail/own_seen.h"
#include "store/mail/pools.h"
#include "store/mail/transfer.h"

#include <algorithm>
#include <limits>

namespace postern::mail {

namespace {

constexpr std::size_t purge_page = 300;
constexpr int max_validity_races = 1000;
constexpr std::string_view uid_validity_key = "v";  // of account shard 0, which no account has
constexpr std::size_t account_page = 250;

struct DefaultMailbox {
    const char* name;
    SpecialUse use;
};
constexpr DefaultMailbox default_mailboxes[] = {
    {"INBOX", SpecialUse::none}, {"Archive", SpecialUse::archive}, {"Drafts", SpecialUse::drafts},
    {"Junk", SpecialUse::junk},  {"Sent", SpecialUse::sent},       {"Trash", SpecialUse::trash},
};

bool is_below(const std::string& name, const std::string& parent) {
    return name.size() > parent.size() && name.compare(0, parent.size(), parent) == 0 &&
           name[parent.size()] == '/';
}

bool has_children(const NameTable& table, const std::string& name) {
    return std::any_of(table.names.begin(), table.names.end(),
                       [&](const auto& entry) { return is_below(entry.first, name); });
}

std::vector<std::string> missing_levels(const NameTable& table, const std::string& name) {
    std::vector<std::string> missing;
    for (std::size_t slash = name.find('/');; slash = name.find('/', slash + 1)) {
        const std::string level = name.substr(0, slash);
        const auto row = table.names.find(level);
        const bool is_target = slash == std::string::npos;
        if (row == table.names.end() || (is_target && row->second.id.value == 0)) {
            missing.push_back(level);
        }
        if (is_target) return missing;
    }
}

bool use_is_taken(const NameTable& table, SpecialUse use) {
    return use != SpecialUse::none &&
           std::any_of(table.names.begin(), table.names.end(),
                       [&](const auto& entry) { return entry.second.special_use == use; });
}

// Mailboxes made for a change of names; those that it did not use in the end are purged again.
class FreshMailboxes {
public:
    FreshMailboxes(Mailboxes& mailboxes, AccountId owner) : mailboxes_(mailboxes), owner_(owner) {}

    Result<MailboxId> take(std::size_t index) {
        while (made_.size() <= index) {
            const auto made = make_mailbox(mailboxes_, owner_);
            if (!made) return made.error();
            made_.push_back(*made);
        }
        return made_[index];
    }
    void drop_from(std::size_t used) {
        for (std::size_t i = used; i < made_.size(); ++i) {
            static_cast<void>(purge_mailbox(mailboxes_, made_[i]));
        }
    }

private:
    Mailboxes& mailboxes_;
    const AccountId owner_;
    std::vector<MailboxId> made_;
};

Result<std::size_t> add_levels(NameTable& table, FreshMailboxes& fresh, const std::string& name,
                               SpecialUse use) {
    const auto missing = missing_levels(table, name);
    if (table.names.size() + missing.size() > max_mailboxes_per_account) {
        return Error{Errc::limit, "the account has too many mailboxes"};
    }
    for (std::size_t i = 0; i < missing.size(); ++i) {
        const auto id = fresh.take(i);
        if (!id) return id.error();
        table.names[missing[i]] = {*id, missing[i] == name ? use : SpecialUse::none};
    }
    return missing.size();
}

// Lets go of the bodies on a page of rows, then of the rows.
Result<void> erase_page(kv::Store& store, const kv::ShardId& shard, const kv::Page& page) {
    std::vector<blob::Ownership> owners;
    kv::Batch batch;
    batch.shard = shard;
    batch.operation = kv::random_id();
    for (const kv::Row& row : page.rows) {
        kv::RowReader key(row.key);
        const char prefix = static_cast<char>(key.u8());
        if (prefix == 'm') {
            const auto message = decode_message(key.u32(), row.value);
            if (message) owners.push_back({message->blob, message->owner});
        } else if (prefix == 'g') {
            const BlobId blob = key.id();
            owners.push_back({blob, key.u64()});
        }
        batch.operations.emplace_back(kv::Erase{row.key});
    }
    const auto released = blob::release(store, owners);
    if (!released) return released;
    const auto outcome = store.commit_and_wait(std::move(batch));
    if (!outcome) return outcome.error();
    return {};
}

Result<void> erase_head(kv::Store& store, const kv::ShardId& shard) {
    kv::Batch batch;
    batch.shard = shard;
    batch.operation = kv::random_id();
    batch.operations.emplace_back(kv::Erase{std::string(head_key)});
    const auto outcome = store.commit_and_wait(std::move(batch));
    if (!outcome) return outcome.error();
    return {};
}

}  // namespace

Result<std::uint32_t> take_uid_validity(kv::Store& store, Time now) {
    const kv::ShardId shard{kv::ShardKind::account, 0, 0};
    for (int attempt = 0; attempt < max_validity_races; ++attempt) {
        auto last = store.get(shard, uid_validity_key);
        if (!last) return last.error();
        const std::int64_t used = *last ? kv::RowReader(**last).u32() : 0;
        const std::int64_t seconds = to_unix_ms(now) / 1000;
        const std::int64_t next = std::max(used + 1, seconds);
        if (next > std::numeric_limits<std::uint32_t>::max()) {
            return Error{Errc::limit, "UIDVALIDITY is used up"};
        }
        kv::Batch batch;
        batch.shard = shard;
        batch.operation = kv::random_id();
        batch.preconditions.push_back({std::string(uid_validity_key), std::move(*last)});
        std::string value = kv::RowWriter().u32(static_cast<std::uint32_t>(next)).take();
        batch.operations.emplace_back(kv::Put{std::string(uid_validity_key), std::move(value)});
        const auto outcome = store.commit_and_wait(std::move(batch));
        if (!outcome) return outcome.error();
        if (*outcome == kv::Outcome::committed) return static_cast<std::uint32_t>(next);
    }
    return Error{Errc::conflict, "too many mailboxes are made at once; try again"};
}

Result<MailboxId> make_mailbox(Mailboxes& mailboxes, AccountId owner) {
    const auto uid_validity = take_uid_validity(mailboxes.store(), mailboxes.now());
    if (!uid_validity) return uid_validity.error();
    const MailboxId id{kv::random_number()};
    Head head;
    head.uid_validity = *uid_validity;
    head.owner = owner;
    kv::Batch batch;
    batch.shard = mailbox_shard(id);
    batch.operation = kv::random_id();
    batch.preconditions.push_back({std::string(head_key), std::nullopt});
    batch.operations.emplace_back(kv::Put{std::string(head_key), encode(head)});
    const auto outcome = mailboxes.store().commit_and_wait(std::move(batch));
    if (!outcome) return outcome.error();
    if (*outcome != kv::Outcome::committed) return Error{Errc::internal, "mailbox id in use"};
    return id;
}

Result<void> create_account_names(Mailboxes& mailboxes, AccountId account) {
    for (const DefaultMailbox& wanted : default_mailboxes) {
        FreshMailboxes fresh(mailboxes, account);
        std::size_t used = 0;
        const auto changed = change_names(mailboxes.store(), account, [&](NameTable& table) {
            used = 0;
            if (table.names.count(wanted.name) != 0 || use_is_taken(table, wanted.use)) {
                return Result<void>();
            }
            const auto added = add_levels(table, fresh, wanted.name, wanted.use);
            if (!added) return Result<void>(added.error());
            used = *added;
            table.subscribed.insert(wanted.name);
            return Result<void>();
        });
        fresh.drop_from(changed ? used : 0);
        if (!changed) return changed;
    }
    return {};
}

Result<MailboxInfo> create_name(Mailboxes& mailboxes, AccountId account, const std::string& name,
                                SpecialUse use) {
    FreshMailboxes fresh(mailboxes, account);
    MailboxInfo info;
    std::size_t used = 0;
    const auto changed = change_names(mailboxes.store(), account, [&](NameTable& table) {
        const auto row = table.names.find(name);
        if (row != table.names.end() && row->second.id.value != 0) {
            return Result<void>(Error{Errc::exists, "there is a mailbox of that name already"});
        }
        if (use_is_taken(table, use)) {
            return Result<void>(Error{Errc::unsupported, "another mailbox has that special use"});
        }
        const auto added = add_levels(table, fresh, name, use);
        if (!added) return Result<void>(added.error());
        used = *added;
        info = {table.names[name].id, name, use, table.subscribed.count(name) != 0, true};
        return Result<void>();
    });
    fresh.drop_from(changed ? used : 0);
    if (!changed) return changed.error();
    return info;
}

Result<void> remove_name(Mailboxes& mailboxes, AccountId account, const std::string& name) {
    if (name == "INBOX") return Error{Errc::permission, "INBOX can not be deleted"};
    const auto table = read_names(mailboxes.store(), account);
    if (!table) return table.error();
    const auto found = table->names.find(name);
    if (found == table->names.end()) return Error{Errc::not_found, "no such mailbox"};
    Intent intent;
    intent.id = kv::random_id();
    intent.kind = Intent::Kind::purge;
    intent.account = account;
    intent.from = found->second.id;
    if (found->second.id.value == 0 && has_children(*table, name)) {
        return Error{Errc::invalid, "that name has only children; delete those first"};
    }
    const auto written = write_intent(mailboxes.store(), intent);
    if (!written) return written;
    const auto changed = change_names(mailboxes.store(), account, [&](NameTable& now) {
        const auto row = now.names.find(name);
        if (row == now.names.end() || row->second.id != intent.from) {
            return Result<void>(Error{Errc::not_found, "no such mailbox"});
        }
        if (has_children(now, name)) {
            row->second = {};
        } else {
            now.names.erase(row);
        }
        return Result<void>();
    });
    if (changed && intent.from.value != 0) {
        const auto purged = purge_mailbox(mailboxes, intent.from);
        if (!purged)
            return {};  // the name is gone; the rest follows from the intent at the next start
    }
    static_cast<void>(erase_intent(mailboxes.store(), intent.id));
    return changed;
}

Result<void> rename_name(Mailboxes& mailboxes, AccountId account, const std::string& from,
                         const std::string& to) {
    if (from == "INBOX") {
        const auto made = create_name(mailboxes, account, to, SpecialUse::none);
        if (!made) return made.error();
        const auto table = read_names(mailboxes.store(), account);
        if (!table) return table.error();
        const auto inbox = table->names.find("INBOX");
        if (inbox == table->names.end()) return Error{Errc::not_found, "no INBOX"};
        const MailboxId id = inbox->second.id;
        const auto sets = mailboxes.queue(id)->sets();
        if (!sets) return sets.error();
        if ((*sets)->seen_mode == SeenMode::own) {
            const auto set = wait<void>([&](Done<void> done) {
                mailboxes.submit(made->id, own_seen_operation(true, std::move(done)));
            });
            if (!set) return set;
        }
        const auto moved = move_messages(mailboxes, id, (*sets)->existing(), made->id);
        return moved.failed ? Result<void>(*moved.failed) : Result<void>();
    }
    if (is_below(to, from)) return Error{Errc::invalid, "a mailbox can not move below itself"};
    FreshMailboxes fresh(mailboxes, account);
    std::size_t used = 0;
    const auto changed = change_names(mailboxes.store(), account, [&](NameTable& table) {
        used = 0;
        if (table.names.count(from) == 0)
            return Result<void>(Error{Errc::not_found, "no such mailbox"});
        if (table.names.count(to) != 0)
            return Result<void>(Error{Errc::exists, "the new name is taken"});
        std::map<std::string, NameRow> moved;
        for (auto row = table.names.begin(); row != table.names.end();) {
            const bool concerned = row->first == from || is_below(row->first, from);
            if (concerned) moved[to + row->first.substr(from.size())] = row->second;
            row = concerned ? table.names.erase(row) : std::next(row);
        }
        const std::size_t slash = to.rfind('/');
        if (slash != std::string::npos) {
            const auto added = add_levels(table, fresh, to.substr(0, slash), SpecialUse::none);
            if (!added) return Result<void>(added.error());
            used = *added;
        }
        for (auto& [name, row] : moved) {
            const auto fits = canonical_name(name);
            if (!fits) return Result<void>(fits.error());
            table.names[name] = row;
        }
        return Result<void>();
    });
    fresh.drop_from(changed ? used : 0);
    return changed;
}

Result<void> subscribe_name(Mailboxes& mailboxes, AccountId account, const std::string& name,
                            bool subscribed) {
    return change_names(mailboxes.store(), account, [&](NameTable& table) {
        if (!subscribed) {
            table.subscribed.erase(name);
            return Result<void>();
        }
        if (table.subscribed.size() >= max_mailboxes_per_account &&
            table.subscribed.count(name) == 0) {
            return Result<void>(Error{Errc::limit, "too many subscriptions"});
        }
        table.subscribed.insert(name);
        return Result<void>();
    });
}

namespace {

// What an account has besides names: its quota, annotations, and the version of it all.
Result<void> remove_account_rows(kv::Store& store, AccountId account) {
    const auto unassigned = Pools(store).assign(account, {});
    if (!unassigned) return unassigned;
    for (;;) {
        const auto page = store.scan(account_shard(account), "", "", account_page);
        if (!page) return page.error();
        if (page->rows.empty()) return {};
        kv::Batch batch;
        batch.shard = account_shard(account);
        batch.operation = kv::random_id();
        for (const kv::Row& row : page->rows) batch.operations.emplace_back(kv::Erase{row.key});
        const auto outcome = store.commit_and_wait(std::move(batch));
        if (!outcome) return outcome.error();
    }
}

}  // namespace

Result<void> remove_all_names(Mailboxes& mailboxes, AccountId account) {
    for (;;) {
        const auto table = read_names(mailboxes.store(), account);
        if (!table) return table.error();
        if (table->names.empty() && table->subscribed.empty()) {
            return remove_account_rows(mailboxes.store(), account);
        }
        // Messages first: while a name is left, a crash leaves something to go on from.
        std::set<std::string> gone;
        for (const auto& [name, row] : table->names) {
            if (row.id.value != 0) {
                const auto purged = purge_mailbox(mailboxes, row.id);
                if (!purged) return purged;
            }
            gone.insert(name);
            if (gone.size() == account_page) break;
        }
        const auto changed = change_names(mailboxes.store(), account, [&](NameTable& now) {
            for (const std::string& name : gone) {
                now.names.erase(name);
                now.subscribed.erase(name);
            }
            for (std::size_t i = 0; now.names.empty() && i < account_page; ++i) {
                if (now.subscribed.empty()) break;
                now.subscribed.erase(now.subscribed.begin());
            }
            return Result<void>();
        });
        if (!changed) return changed;
    }
}

Result<void> purge_rows(kv::Store& store, MailboxId mailbox) {
    const kv::ShardId shard = mailbox_shard(mailbox);
    // Without its head nothing can be added any more.
    const auto closed = erase_head(store, shard);
    if (!closed) return closed;
    for (;;) {
        const auto page = store.scan(shard, "", "", purge_page);
        if (!page) return page.error();
        if (page->rows.empty()) return {};
        const auto erased = erase_page(store, shard, *page);
        if (!erased) return erased;
    }
}

Result<void> purge_mailbox(Mailboxes& mailboxes, MailboxId mailbox) {
    auto purged = purge_rows(mailboxes.store(), mailbox);
    mailboxes.meter().forget(mailbox);
    return purged;
}

}  // namespace postern::mail

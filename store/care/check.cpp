#include "store/care/check.h"

#include "store/blob/blob.h"
#include "store/blob/links.h"
#include "store/care/mailbox_check.h"
#include "store/care/parts_check.h"
#include "store/care/walk.h"
#include "store/kv/row_codec.h"
#include "store/mail/intents.h"
#include "store/mail/mailbox_names.h"
#include "store/mail/pools.h"
#include "store/queue/queue.h"
#include "store/spool/spool.h"

#include <algorithm>

namespace postern::care {

namespace {

constexpr std::size_t max_spool_items = 10'000'000;
constexpr std::size_t bodies_erased_at_once = 500;

Result<std::vector<BlobId>> list_bodies(CheckContext& context) {
    std::vector<BlobId> bodies;
    std::string from;
    do {
        const auto page = context.store.list_blobs(from, kv::max_page_rows);
        if (!page) return page.error();
        for (const kv::StoredBlob& blob : page->blobs) bodies.push_back(blob.id);
        from = page->next;
    } while (!from.empty());
    context.report.bodies = bodies.size();
    return bodies;
}

Result<void> check_spool(CheckContext& context) {
    const auto items = spool::Spool(context.store).pending(max_spool_items);
    if (!items) return items.error();
    for (const spool::Item& item : *items) {
        context.references.push_back(short_id(item.blob));
        const auto checked = check_body(context, "spool " + to_hex(item.envelope.id), item.blob,
                                        blob::first_owner, item.size);
        if (!checked) return checked;
    }
    const auto shards = shards_of(context.store, kv::ShardKind::spool);
    if (!shards) return shards.error();
    for (const kv::ShardId& shard : *shards) {
        const auto walked = for_each_page(context.store, shard, "", "", [&](kv::Page& page) {
            for (std::size_t i = 0; i < page.damaged.size(); ++i) {
                context.lost_leads = true;
                context.finding("spool", "a record is damaged; its message is not delivered");
            }
            return Result<void>();
        });
        if (!walked) return walked;
    }
    return {};
}

Result<void> check_queue(CheckContext& context) {
    std::size_t damaged = 0;
    const auto messages = queue::Queue(context.store).all(&damaged);
    if (!messages) return messages.error();
    for (const queue::Message& message : *messages) {
        context.references.push_back(short_id(message.blob));
        const auto checked = check_body(context, "queue " + to_hex(message.id), message.blob,
                                        blob::first_owner, message.size);
        if (!checked) return checked;
    }
    for (; damaged > 0; --damaged) {
        context.lost_leads = true;
        context.finding("queue", "a record is damaged; its message is not sent");
    }
    return {};
}

Result<void> check_intents(CheckContext& context) {
    const auto intents = mail::read_intents(context.store);
    if (intents) return {};
    if (intents.error().code != Errc::corrupt) return intents.error();
    context.finding("unfinished work", intents.error().text);
    return {};
}

// What is lost of them can only come back from a backup.
Result<void> check_dictionaries(CheckContext& context) {
    const auto tell = [&](const std::string& key) {
        context.finding("dictionary " + blob::name_of(blob::dictionary_of_key(key)),
                        "is damaged; bodies compressed with it cannot be read");
    };
    std::optional<blob::DictionaryId> sound;
    const auto walked =
        for_each_page(context.store, blob::dictionary_shard, "d", "e", [&](kv::Page& page) {
            for (const std::string& key : page.damaged) tell(key);
            for (const kv::Row& row : page.rows) {
                const blob::DictionaryId id = blob::dictionary_of_key(row.key);
                if (id != 0 && blob::Dictionary(row.value).id() == id) {
                    sound = id;
                } else {
                    tell(row.key);
                }
            }
            return Result<void>();
        });
    if (!walked || blob::Dictionaries::of(context.store)->names_newest()) return walked;
    bool mended = false;
    if (context.options.repair) {
        mended = blob::Dictionaries::of(context.store)->name_newest(sound).has_value();
    }
    context.finding("dictionaries", "which is the newest cannot be read; new mail goes without",
                    mended);
    return {};
}

// A pool's list may hold an account that has left: harmless, but untidy.
Result<void> check_pools(CheckContext& context) {
    mail::Pools pools(context.store);
    const auto list = pools.list();
    if (!list) {
        if (list.error().code != Errc::corrupt) return list.error();
        context.finding("quota pools", list.error().text);
        return {};
    }
    for (const mail::Pool& pool : *list) {
        const kv::ShardId shard{kv::ShardKind::pool, pool.number, 0};
        const auto walked = for_each_page(context.store, shard, "a", "b", [&](kv::Page& page) {
            for (const kv::Row& row : page.rows) {
                kv::RowReader key(row.key);
                key.u8();
                const AccountId account{key.u64()};
                const auto quota = pools.quota_of(account);
                if (!quota) return Result<void>(quota.error());
                if (quota->pool == pool.number) continue;
                bool mended = false;
                if (context.options.repair) {
                    const auto erased = commit(context.store, shard, {}, {kv::Erase{row.key}});
                    mended = erased.has_value();
                }
                context.finding(
                    "pool " + pool.name,
                    "lists account " + std::to_string(account.value) + ", which is not in it",
                    mended);
            }
            return Result<void>();
        });
        if (!walked) return walked;
    }
    return {};
}

// Message ids that rows lead to, read once more without looking at anything else.
Result<void> collect_references(CheckContext& context) {
    const auto mailboxes = all_mailboxes(context.store, [](const std::string&, const Error&) {});
    if (!mailboxes) return mailboxes.error();
    for (const NamedMailbox& mailbox : *mailboxes) {
        const auto tally = tally_messages(context.store, mailbox.id, [&](const auto& message) {
            context.references.push_back(short_id(message.blob));
            return Result<void>();
        });
        if (!tally) return tally.error();
    }
    const auto items = spool::Spool(context.store).pending(max_spool_items);
    if (!items) return items.error();
    for (const spool::Item& item : *items) context.references.push_back(short_id(item.blob));
    const auto queued = queue::Queue(context.store).all();
    if (!queued) return queued.error();
    for (const auto& message : *queued) context.references.push_back(short_id(message.blob));
    return collect_parts(context);
}

void keep_unreferenced(CheckContext& context, std::vector<BlobId>& bodies) {
    auto& references = context.references;
    std::sort(references.begin(), references.end());
    bodies.erase(std::remove_if(bodies.begin(), bodies.end(),
                                [&](const BlobId& blob) {
                                    return std::binary_search(references.begin(), references.end(),
                                                              short_id(blob));
                                }),
                 bodies.end());
}

Result<void> check_orphans(CheckContext& context, std::vector<BlobId> bodies) {
    keep_unreferenced(context, bodies);
    if (bodies.empty()) return {};
    // While mail moves, a second look is needed.
    const auto collected = collect_references(context);
    if (!collected) return collected;
    keep_unreferenced(context, bodies);
    bodies.erase(std::remove_if(bodies.begin(), bodies.end(),
                                [&](const BlobId& blob) {
                                    return !context.store.read_blob(blob, 0, 1).has_value();
                                }),
                 bodies.end());
    if (bodies.empty()) return {};
    const bool mend = context.options.repair && context.options.alone && !context.lost_leads;
    for (std::size_t at = 0; mend && at < bodies.size(); at += bodies_erased_at_once) {
        std::vector<blob::Ownership> owners;
        for (std::size_t i = at; i < std::min(bodies.size(), at + bodies_erased_at_once); ++i) {
            const auto listed = blob::owners(context.store, bodies[i]);
            if (!listed) return listed.error();
            for (const std::uint64_t owner : *listed) owners.push_back({bodies[i], owner});
            if (listed->empty()) owners.push_back({bodies[i], blob::first_owner});
        }
        const auto released = blob::release(context.store, owners);
        if (!released) return released;
    }
    if (context.lost_leads) {
        context.finding("bodies", std::to_string(bodies.size()) + " belong to no message", false);
    } else if (!mend) {
        context.report.leftovers += bodies.size();
    }
    return {};
}

// A mailbox without a name: with messages it gets a name again, empty it goes.
Result<void> mend_nameless(CheckContext& context, MailboxId mailbox) {
    const std::string where = "mailbox " + mail::mailbox_object_id(mailbox);
    const auto sets = mail::load_sets(context.store, mailbox);
    if (!sets && sets.error().code == Errc::unavailable) return sets.error();
    const bool empty = sets ? (*sets)->existing().empty() : sets.error().code == Errc::not_found;
    const bool mend = context.options.repair && context.options.alone;
    if (empty) {
        const bool gone = mend && mail::purge_rows(context.store, mailbox).has_value();
        if (!gone) ++context.report.leftovers;
        return {};
    }
    bool mended = false;
    std::string what = "has messages, but no name";
    if (mend) {
        if (sets && (*sets)->head.owner.value != 0) {
            const std::string name = "Recovered " + mail::mailbox_object_id(mailbox).substr(1);
            const auto named =
                mail::change_names(context.store, (*sets)->head.owner, [&](mail::NameTable& table) {
                    table.names[name] = {mailbox, mail::SpecialUse::none};
                    return Result<void>();
                });
            mended = named.has_value();
            if (mended) what += "; it is now called " + name;
        }
    }
    context.lost_leads = true;
    context.finding(where, what, mended);
    return {};
}

Result<void> check_nameless(CheckContext& context, const std::vector<NamedMailbox>& known) {
    const auto shards = shards_of(context.store, kv::ShardKind::mailbox);
    if (!shards) return shards.error();
    std::set<std::uint64_t> named;
    for (const NamedMailbox& mailbox : known) named.insert(mailbox.id.value);
    std::vector<std::uint64_t> nameless;
    for (const kv::ShardId& shard : *shards) {
        if (named.count(shard.number) == 0) nameless.push_back(shard.number);
    }
    if (nameless.empty()) return {};
    // Being made or removed just now?
    const auto again = all_mailboxes(context.store, [](const std::string&, const Error&) {});
    if (!again) return again.error();
    for (const NamedMailbox& mailbox : *again) named.insert(mailbox.id.value);
    const auto intents = mail::read_intents(context.store);
    if (intents) {
        for (const auto& intent : *intents) named.insert(intent.from.value);
    }
    for (const std::uint64_t number : nameless) {
        if (named.count(number) != 0) continue;
        const auto mended = mend_nameless(context, MailboxId{number});
        if (!mended) return mended;
    }
    return {};
}

Result<void> check_mailboxes(CheckContext& context, const std::vector<NamedMailbox>& mailboxes) {
    std::set<AccountId> accounts;
    for (std::size_t i = 0; i < mailboxes.size(); ++i) {
        if (context.options.only && mailboxes[i].account != *context.options.only) continue;
        accounts.insert(mailboxes[i].account);
        ++context.report.mailboxes;
        const auto checked = check_mailbox(context, mailboxes[i]);
        if (!checked) return checked;
        if (context.options.progress) {
            context.options.progress(i + 1, mailboxes.size(), context.report.messages);
        }
    }
    context.report.accounts = accounts.size();
    return {};
}

Result<void> check_all(CheckContext& context) {
    // Bodies first: what is stored later has its row in the same batch, and is not asked about.
    std::vector<BlobId> bodies;
    if (!context.options.only) {
        auto listed = list_bodies(context);
        if (!listed) return listed.error();
        bodies = std::move(*listed);
        const auto rows = check_part_rows(context);
        if (!rows) return rows.error();
    }
    const auto mailboxes =
        all_mailboxes(context.store, [&](const std::string& account, const Error& error) {
            context.lost_leads = true;
            context.finding(account, "its mailbox names cannot be read: " + error.text);
        });
    if (!mailboxes) return mailboxes.error();
    const auto checked = check_mailboxes(context, *mailboxes);
    if (!checked || context.options.only) return checked;
    for (const auto part :
         {check_dictionaries, check_spool, check_queue, check_intents, check_pools, check_parts}) {
        const auto done = part(context);
        if (!done) return done;
    }
    const auto nameless = check_nameless(context, *mailboxes);
    if (!nameless) return nameless;
    return check_orphans(context, std::move(bodies));
}

}  // namespace

Result<CheckReport> check_store(kv::Store& store, const CheckOptions& options) {
    CheckContext context{store, options, {}, {}, false};
    const auto checked = check_all(context);
    if (!checked) return checked.error();
    return context.report;
}

}  // namespace postern::care

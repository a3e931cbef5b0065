#include "store/care/stats.h"

#include "store/care/walk.h"
#include "store/mail/rows.h"

#include <algorithm>
#include <set>
#include <vector>

namespace postern::care {

namespace {

std::uint64_t& place_of(Stats& stats, char prefix) {
    switch (prefix) {
        case 'm':
            return stats.row_bytes;
        case 's':
            return stats.summary_bytes;
        case 'r':
            return stats.report_bytes;
        case 'b':
            return stats.bitmap_bytes;
        case 'c':
        case 'o':
        case 'g':
            return stats.history_bytes;
        default:
            return stats.other_bytes;
    }
}

struct Body {
    std::uint64_t id = 0;
    std::uint64_t bytes = 0;
    bool operator<(const Body& other) const { return id < other.id; }
};

void count_bodies(Stats& stats, std::vector<Body>& bodies) {
    std::sort(bodies.begin(), bodies.end());
    for (std::size_t i = 0; i < bodies.size(); ++i) {
        if (i > 0 && bodies[i].id == bodies[i - 1].id) continue;
        stats.unique_bytes += bodies[i].bytes;
        if (i + 1 < bodies.size() && bodies[i + 1].id == bodies[i].id) ++stats.shared_bodies;
    }
}

}  // namespace

Result<Stats> measure(kv::Store& store, const Progress& progress) {
    Stats stats;
    const auto mailboxes = all_mailboxes(store, [](const std::string&, const Error&) {});
    if (!mailboxes) return mailboxes.error();
    stats.mailboxes = mailboxes->size();
    std::set<AccountId> accounts;
    std::vector<Body> bodies;
    std::uint64_t done = 0;
    for (const NamedMailbox& mailbox : *mailboxes) {
        accounts.insert(mailbox.account);
        const auto walked =
            for_each_page(store, mail::mailbox_shard(mailbox.id), "", "", [&](kv::Page& page) {
                for (const kv::Row& row : page.rows) {
                    place_of(stats, row.key[0]) += row.key.size() + row.value.size();
                    const auto uid = mail::uid_of_key(row.key);
                    if (row.key[0] != 'm' || !uid) continue;
                    const auto message = mail::decode_message(*uid, row.value);
                    if (!message) continue;
                    ++stats.messages;
                    stats.message_bytes += message->size;
                    bodies.push_back({short_id(message->blob), message->size});
                }
                return Result<void>();
            });
        if (!walked) return walked.error();
        if (progress) progress(++done, mailboxes->size(), stats.messages);
    }
    stats.accounts = accounts.size();
    count_bodies(stats, bodies);
    std::string from;
    do {
        const auto page = store.list_blobs(from, kv::max_page_rows);
        if (!page) return page.error();
        stats.bodies += page->blobs.size();
        for (const kv::StoredBlob& blob : page->blobs) stats.body_bytes += blob.bytes;
        from = page->next;
    } while (!from.empty());
    const auto space = store.space();
    if (!space) return space.error();
    stats.space = *space;
    return stats;
}

}  // namespace postern::care

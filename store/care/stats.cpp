#include "store/care/stats.h"

#include "store/blob/blob.h"
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
        case 'v':
            return stats.bitmap_bytes;
        case 'c':
        case 'o':
        case 'g':
        case 'w':
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

// Large parts: how often they are used, and what they would take if each user had its own.
Result<std::set<BlobId>> count_parts(kv::Store& store, Stats& stats) {
    std::set<BlobId> blobs;
    std::uint64_t saved = 0;
    for (const kv::ShardId& shard : blob::part_shards()) {
        const auto walked = for_each_page(store, shard, "p", "q", [&](kv::Page& page) {
            for (const kv::Row& row : page.rows) {
                const auto part = blob::part_of_row(row);
                if (!part) continue;
                blobs.insert(part->blob);
                ++stats.parts;
                stats.part_uses += part->users;
                if (part->users > 1) saved += (part->users - 1) * part->size;
            }
            return Result<void>();
        });
        if (!walked) return walked.error();
    }
    stats.single_bytes = stats.unique_bytes - std::min(saved, stats.unique_bytes);
    return blobs;
}

Result<void> count_dictionaries(kv::Store& store, Stats& stats) {
    return for_each_page(store, blob::dictionary_shard, "d", "e", [&](kv::Page& page) {
        for (const kv::Row& row : page.rows) {
            ++stats.dictionaries;
            stats.dictionary_bytes += row.value.size();
        }
        return Result<void>();
    });
}

// What the sampled bodies take, and would take without a dictionary.
Result<void> weigh_dictionaries(kv::Store& store, const std::vector<BlobId>& sample, Stats& stats) {
    std::uint64_t stored = 0;
    std::uint64_t plain = 0;
    for (const BlobId& id : sample) {
        const auto framed = store.read_blob(id, 0, kv::max_blob_bytes);
        if (!framed && framed.error().code == Errc::unavailable) return framed.error();
        const auto bytes = framed ? blob::without_dictionary(store, *framed) : std::nullopt;
        if (!bytes) continue;
        stored += framed->size();
        plain += *bytes;
    }
    stats.without_dictionary_bytes = stats.body_bytes;
    if (stored == 0) return {};
    stats.without_dictionary_bytes =
        static_cast<std::uint64_t>(static_cast<double>(stats.body_bytes) *
                                   static_cast<double>(plain) / static_cast<double>(stored));
    return {};
}

// Everything that is stored as a blob.
Result<void> count_blobs(kv::Store& store, Stats& stats) {
    const auto parts = count_parts(store, stats);
    if (!parts) return parts.error();
    auto sample = sample_blobs(store, max_measured_bodies, [&](const kv::StoredBlob& blob) {
        if (parts->count(blob.id) != 0) {
            stats.part_bytes += blob.bytes;
            return;
        }
        ++stats.bodies;
        stats.body_bytes += blob.bytes;
    });
    if (!sample) return sample.error();
    sample->erase(std::remove_if(sample->begin(), sample->end(),
                                 [&](const BlobId& id) { return parts->count(id) != 0; }),
                  sample->end());
    const auto counted = count_dictionaries(store, stats);
    if (!counted) return counted;
    return weigh_dictionaries(store, *sample, stats);
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
    const auto counted = count_blobs(store, stats);
    if (!counted) return counted.error();
    const auto space = store.space();
    if (!space) return space.error();
    stats.space = *space;
    return stats;
}

}  // namespace postern::care

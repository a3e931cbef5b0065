#include "store/care/parts_check.h"

#include "store/blob/frames.h"
#include "store/care/walk.h"

#include <map>

namespace postern::care {

namespace {

constexpr std::uint64_t part_piece_bytes = 1024 * 1024;

std::string where_of(const blob::PartName& name) {
    return "part " + to_hex(name.id);
}

// Whether nothing of that id is stored. Errors: unavailable.
Result<bool> is_gone(kv::Store& store, const BlobId& body) {
    const auto there = store.read_blob(body, 0, 1);
    if (there) return false;
    if (there.error().code == Errc::unavailable) return there.error();
    return there.error().code == Errc::not_found;
}

Result<void> check_bytes(CheckContext& context, const blob::StoredPart& part) {
    const auto info = blob::frames_info(blob::source_of(context.store, part.blob));
    if (!info && info.error().code == Errc::unavailable) return info.error();
    Result<void> sound = info ? Result<void>() : Result<void>(info.error());
    if (info && info->size != part.size) sound = Error{Errc::corrupt, "wrong size"};
    for (std::uint64_t at = 0; sound && context.options.read_bodies && at < part.size;
         at += part_piece_bytes) {
        const auto piece = blob::read_frames(context.store, part.blob, at, part_piece_bytes);
        if (!piece) sound = piece.error();
    }
    if (sound) return {};
    if (sound.error().code == Errc::unavailable) return sound;
    const auto now = blob::find_part(context.store, part.name);
    if (!now && now.error().code == Errc::not_found) return {};  // let go of just now
    context.finding(where_of(part.name), "is damaged; the messages that hold it cannot be read");
    return {};
}

// A user that is no body: left by an interrupted change, or its body is only coming.
Result<void> check_user(CheckContext& context, const blob::PartUser& user) {
    const auto gone = is_gone(context.store, user.body);
    if (!gone) return gone.error();
    if (!*gone) return {};
    const bool mend = context.options.repair && context.options.alone;
    if (!mend) {
        ++context.report.leftovers;
        return {};
    }
    return blob::release_parts(context.store, {{user.part, 0}}, user.body);
}

Result<void> check_counts(CheckContext& context,
                          const std::map<blob::PartName, std::uint64_t>& users,
                          const std::vector<blob::StoredPart>& parts) {
    for (const blob::StoredPart& part : parts) {
        const auto counted = users.find(part.name);
        if (counted != users.end() && counted->second == part.users) continue;
        // Changed while it was read?
        const auto now = blob::find_part(context.store, part.name);
        if (!now && now.error().code == Errc::unavailable) return now.error();
        if (!now || now->users != part.users) continue;
        bool mended = false;
        if (context.options.repair) {
            const auto recounted = blob::recount_users(context.store, part.name);
            mended = recounted && *recounted;
        }
        context.finding(where_of(part.name), "counts its users wrongly", mended);
    }
    return {};
}

Result<void> check_rows(CheckContext& context, const kv::ShardId& shard) {
    std::vector<std::string> damaged;
    const auto walked = for_each_page(context.store, shard, "", "", [&](kv::Page& page) {
        damaged.insert(damaged.end(), page.damaged.begin(), page.damaged.end());
        return Result<void>();
    });
    if (!walked) return walked;
    // Users first: a part's own row counts them.
    for (auto key = damaged.rbegin(); key != damaged.rend(); ++key) {
        const auto mended = context.options.repair ? blob::mend_row(context.store, shard, *key)
                                                   : Result<bool>(false);
        if (!mended && mended.error().code == Errc::unavailable) return mended.error();
        const bool sound = mended && *mended;
        if (!sound) context.lost_leads = true;
        context.finding("parts", "a row of a part is damaged", sound);
    }
    return {};
}

Result<void> check_shard(CheckContext& context, const kv::ShardId& shard) {
    std::map<blob::PartName, std::uint64_t> users;
    std::vector<blob::StoredPart> parts;
    std::vector<blob::PartUser> all_users;
    const auto walked = for_each_page(context.store, shard, "", "", [&](kv::Page& page) {
        for (const kv::Row& row : page.rows) {
            if (const auto part = blob::part_of_row(row)) parts.push_back(*part);
            if (const auto user = blob::part_user_of_row(row.key)) {
                ++users[user->part];
                all_users.push_back(*user);
            }
        }
        return Result<void>();
    });
    if (!walked) return walked;
    for (const blob::StoredPart& part : parts) {
        context.references.push_back(short_id(part.blob));
        const auto checked = check_bytes(context, part);
        if (!checked) return checked;
    }
    const auto counted = check_counts(context, users, parts);
    if (!counted) return counted;
    for (const blob::PartUser& user : all_users) {
        const auto checked = check_user(context, user);
        if (!checked) return checked;
    }
    return {};
}

}  // namespace

Result<bool> check_parts_of(CheckContext& context, const std::string& where, const BlobId& body,
                            const std::vector<blob::Part>& parts) {
    for (const blob::Part& part : parts) {
        const auto stored = blob::find_part(context.store, part.name);
        if (!stored && stored.error().code == Errc::unavailable) return stored.error();
        if (!stored) {
            context.finding(where, "a large part of its body is lost");
            return true;
        }
        const auto known = blob::is_user(context.store, part.name, body);
        if (!known && known.error().code == Errc::unavailable) return known.error();
        if (known && *known) continue;
        bool mended = false;
        if (context.options.repair) {
            const auto bytes = context.store.read_blob(stored->blob, 0, kv::max_blob_bytes);
            mended = bytes && blob::adopt_part(context.store, part, *bytes, body).has_value();
        }
        context.finding(where, "a large part of its body does not know that it is used", mended);
    }
    return false;
}

Result<void> check_part_rows(CheckContext& context) {
    for (const kv::ShardId& shard : blob::part_shards()) {
        const auto checked = check_rows(context, shard);
        if (!checked) return checked;
    }
    return {};
}

Result<void> check_parts(CheckContext& context) {
    for (const kv::ShardId& shard : blob::part_shards()) {
        const auto checked = check_shard(context, shard);
        if (!checked) return checked;
    }
    return {};
}

Result<void> collect_parts(CheckContext& context) {
    for (const kv::ShardId& shard : blob::part_shards()) {
        const auto walked = for_each_page(context.store, shard, "p", "q", [&](kv::Page& page) {
            for (const kv::Row& row : page.rows) {
                const auto part = blob::part_of_row(row);
                if (part) context.references.push_back(short_id(part->blob));
            }
            return Result<void>();
        });
        if (!walked) return walked;
    }
    return {};
}

}  // namespace postern::care

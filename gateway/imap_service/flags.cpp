// Changing flags, as far as the rights go (RFC 4314 section 4).
#include "gateway/imap_service/flags.h"

#include "gateway/imap_service/failure.h"
#include "gateway/imap_service/imap_service.h"
#include "gateway/imap_service/rows.h"
#include "protocols/imap/flag_text.h"
#include "protocols/imap/rights.h"
#include "protocols/wire/text.h"

#include <algorithm>
#include <utility>

namespace postern::imap_service {

namespace {

constexpr std::pair<char, SystemFlag> flags_with_own_right[] = {{'s', SystemFlag::seen},
                                                                {'t', SystemFlag::deleted}};

// Takes a second step's outcome into the first one's.
void join(mail::FlagResult& first, mail::FlagResult second) {
    std::map<Uid, Flags> changed;
    for (auto* each : {&first.changed, &second.changed}) {
        for (auto& [uid, flags] : *each) changed.insert_or_assign(uid, std::move(flags));
    }
    first.changed.assign(changed.begin(), changed.end());
    first.modified |= second.modified;
    first.modseq = std::max(first.modseq, second.modseq);
}

// What the store makes of it, but for the spelling of keywords that are there already; then the
// flags are only told once more than needed.
Flags changed_flags(Flags flags, FlagMode mode, const Flags& change) {
    if (mode == FlagMode::replace) return change;
    if (mode == FlagMode::add) {
        flags.system |= change.system;
        for (const auto& keyword : change.keywords) imap::add_keyword(flags, keyword);
        return flags;
    }
    flags.system &= static_cast<std::uint8_t>(~change.system);
    std::erase_if(flags.keywords, [&](const std::string& each) {
        return std::any_of(
            change.keywords.begin(), change.keywords.end(),
            [&](const std::string& gone) { return wire::equals_ignoring_case(each, gone); });
    });
    return flags;
}

}  // namespace

Flags permitted(Flags flags, std::string_view rights) {
    Flags out;
    if (imap::has_right(rights, 'w')) out = flags;
    for (const auto& [right, flag] : flags_with_own_right) {
        out.clear(flag);
        if (flags.has(flag) && imap::has_right(rights, right)) out.set(flag);
    }
    return out;
}

// Mod-sequences may be newer than the flags: the next answer then tells the flags once more.
net::Awaitable<Result<std::vector<imap::FlagNews>>> ImapService::stored_news(
    std::vector<std::pair<Uid, Flags>> flags, bool with_modseq) {
    std::vector<imap::FlagNews> news;
    UidSet uids;
    for (auto& [uid, each] : flags) {
        news.push_back({uid, std::move(each), 0});
        if (with_modseq) uids.add(uid);
    }
    std::size_t at = 0;
    while (!uids.empty()) {
        auto rows = backends_.mail.rows(as_seen(selected_->place), uids, max_rows, false);
        if (!rows) co_return rows.error();
        if (rows->empty()) break;
        for (const auto& row : *rows) {
            while (at < news.size() && news[at].uid < row.uid) ++at;
            if (at < news.size() && news[at].uid == row.uid) news[at].modseq = row.modseq;
        }
        uids -= UidSet(uids).slice(0, rows->back().uid);
    }
    // Gone meanwhile: a VANISHED or EXPUNGE will tell of it.
    if (with_modseq) std::erase_if(news, [](const auto& each) { return each.modseq == 0; });
    co_return news;
}

// Flags of those messages that did not change since the client was last told of its mailbox.
Result<std::map<Uid, Flags>> ImapService::known_flags(const UidSet& uids) {
    auto rows = backends_.mail.rows(as_seen(selected_->place), uids, max_rows, false);
    if (!rows) return rows.error();
    std::map<Uid, Flags> known;
    for (auto& row : *rows) {
        if (row.modseq <= selected_->modseq) known.emplace(row.uid, std::move(row.flags));
    }
    return known;
}

net::Awaitable<Result<mail::FlagResult>> ImapService::change_flags(UidSet uids,
                                                                   mail::FlagChange change) {
    return net::from_store<mail::FlagResult>([&](mail::Done<mail::FlagResult> done) {
        backends_.mail.change_flags(as_seen(selected_->place), std::move(uids), std::move(change),
                                    std::move(done));
    });
}

// A FLAGS that may not touch every flag leaves the others as they are. change.flags: those that
// are permitted.
net::Awaitable<Result<mail::FlagResult>> ImapService::replace_flags(UidSet uids,
                                                                    mail::FlagChange change,
                                                                    const std::string& rights) {
    const bool all = std::all_of(std::begin(flags_with_own_right), std::end(flags_with_own_right),
                                 [&](auto& each) { return imap::has_right(rights, each.first); });
    const bool others = imap::has_right(rights, 'w');
    if (change.mode != FlagMode::replace || (all && others)) {
        co_return co_await change_flags(std::move(uids), std::move(change));
    }
    if (!others) {
        Flags cleared;
        for (const auto& [right, flag] : flags_with_own_right) {
            if (imap::has_right(rights, right) && !change.flags.has(flag)) cleared.set(flag);
        }
        change.mode = FlagMode::add;
        auto first = co_await change_flags(uids, change);
        if (!first) co_return first.error();
        uids -= first->modified;
        mail::FlagChange clearing{FlagMode::remove, std::move(cleared), std::nullopt};
        auto second = co_await change_flags(std::move(uids), std::move(clearing));
        if (!second) co_return second.error();
        join(*first, std::move(*second));
        co_return first;
    }
    // With "w" there is at most one flag too few, or both: the messages are parted by them.
    std::vector<std::pair<UidSet, Flags>> parts{{std::move(uids), change.flags}};
    for (const auto& [right, flag] : flags_with_own_right) {
        if (imap::has_right(rights, right)) continue;
        const auto carrying = backends_.mail.with_flag(as_seen(selected_->place), flag);
        if (!carrying) co_return carrying.error();
        for (std::size_t i = 0, count = parts.size(); i < count; ++i) {
            auto kept = parts[i];
            kept.first &= *carrying;
            kept.second.set(flag);
            parts[i].first -= *carrying;
            parts.push_back(std::move(kept));
        }
    }
    mail::FlagResult all_parts;
    for (auto& [set, flags] : parts) {
        if (set.empty()) continue;
        change.flags = flags;
        auto one = co_await change_flags(std::move(set), change);
        if (!one) co_return one.error();
        join(all_parts, std::move(*one));
    }
    co_return all_parts;
}

// A copy brings only those flags along that the user may set over there.
net::Awaitable<void> ImapService::drop_flags(const sharing::Place& place, std::vector<Uid> uids) {
    if (place.own || permitted({0xff, {}}, place.rights).system == 0xff) co_return;
    UidSet left;
    for (const Uid uid : uids) left.add(uid);
    while (!left.empty()) {
        const auto rows = backends_.mail.rows(as_seen(place), left, max_rows, false);
        if (!rows || rows->empty()) co_return;
        std::vector<std::pair<Flags, UidSet>> groups;
        for (const auto& row : *rows) {
            Flags kept = permitted(row.flags, place.rights);
            if (kept == row.flags) continue;
            auto group = std::find_if(groups.begin(), groups.end(),
                                      [&](const auto& each) { return each.first == kept; });
            if (group == groups.end()) group = groups.insert(group, {std::move(kept), {}});
            group->second.add(row.uid);
        }
        for (auto& [flags, set] : groups) {
            mail::FlagChange change{FlagMode::replace, std::move(flags), std::nullopt};
            const auto done =
                co_await net::from_store<mail::FlagResult>([&](mail::Done<mail::FlagResult> each) {
                    backends_.mail.change_flags(as_seen(place), std::move(set), std::move(change),
                                                std::move(each));
                });
            if (!done) failure(done.error());
        }
        left -= UidSet(left).slice(0, rows->back().uid);
    }
}

net::Awaitable<imap::Answer> ImapService::on(imap::StoreFlags question) {
    if (!selected_) co_return none_selected();
    if (selected_->read_only) co_return read_only();
    Result<std::map<Uid, Flags>> known = std::map<Uid, Flags>();
    if (question.silent) known = known_flags(question.uids);
    if (!known) co_return failure(known.error());
    const auto rights = selected_rights();
    if (!rights) co_return failure(rights.error());
    mail::FlagChange change{question.mode, permitted(question.flags, *rights),
                            question.unchanged_since};
    // RFC 4314 section 4: it fails only when none of the flags may be changed.
    const bool none = question.mode == FlagMode::replace
                          ? std::string_view("swt").find_first_of(*rights) == std::string::npos
                          : change.flags == Flags() && question.flags != Flags();
    if (none) co_return imap::Failure{"NOPERM", "You have no right to change these flags"};
    auto stored = co_await replace_flags(std::move(question.uids), std::move(change), *rights);
    if (!stored) co_return failure(stored.error());
    log_change(selected_->place, "flags", stored->changed.size());
    imap::FlagsStored answer;
    answer.modified = std::move(stored->modified);
    for (const auto& [uid, flags] : stored->changed) {
        if (!question.silent) break;
        const auto before = known->find(uid);
        const bool expected = before != known->end() &&
                              changed_flags(before->second, question.mode, question.flags) == flags;
        if (!expected) answer.surprising.add(uid);
    }
    auto news = co_await stored_news(std::move(stored->changed), question.with_modseq);
    if (!news) co_return failure(news.error());
    answer.changed = std::move(*news);
    co_return answer;
}

}  // namespace postern::imap_service

#include "store/mail/mailbox_sets.h"

#include "store/kv/row_codec.h"

#include <algorithm>

namespace postern::mail {

namespace {

constexpr int max_load_attempts = 100;

Error damaged(MailboxId mailbox, const char* what) {
    return Error{Errc::corrupt, "mailbox " + std::to_string(mailbox.value) + ": damaged " + what};
}

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// `take(key after its prefix, part)` for each part of the sets whose rows begin at `from` and end
// before `until`.
template <class Take>
Result<void> scan_sets(kv::Store& store, MailboxId mailbox, std::string from,
                       const std::string& until, Take take) {
    for (bool more = true; more;) {
        const auto page = store.scan(mailbox_shard(mailbox), from, until, kv::max_page_rows);
        if (!page) return page.error();
        for (const kv::Row& row : page->rows) {
            kv::RowReader key(row.key);
            key.u8();
            UidSet part;
            if (!part.deserialize(row.value)) return damaged(mailbox, "bitmap");
            take(key, std::move(part));
            if (!key.ok()) return damaged(mailbox, "bitmap");
        }
        more = page->more;
        if (more) from = page->rows.back().key + '\0';
    }
    return {};
}

Result<void> load_bitmaps(kv::Store& store, MailboxSets& picture) {
    std::map<SetNumber, UidSet> sets;
    const auto scanned =
        scan_sets(store, picture.id, "b", after_prefix('b'),
                  [&](kv::RowReader& key, const UidSet& part) { sets[key.u8()] |= part; });
    if (!scanned) return scanned;
    for (auto& [number, set] : sets) {
        picture.sets[number] = std::make_shared<const UidSet>(std::move(set));
    }
    return {};
}

Result<void> load_seen(kv::Store& store, MailboxSets& picture) {
    const auto mode = store.get(mailbox_shard(picture.id), seen_mode_key);
    if (!mode) return mode.error();
    if (!*mode) return {};
    const auto decoded = decode_seen_mode(**mode);
    if (!decoded) return damaged(picture.id, "setting for \\Seen");
    picture.seen_mode = *decoded;
    if (picture.seen_mode != SeenMode::own) return {};
    std::map<AccountId, UidSet> marks;
    const auto scanned = scan_sets(
        store, picture.id, "v", after_prefix('v'),
        [&](kv::RowReader& key, const UidSet& part) { marks[AccountId{key.u64()}] |= part; });
    if (!scanned) return scanned;
    for (auto& [account, set] : marks) {
        picture.seen_marks[account] = std::make_shared<const UidSet>(std::move(set));
    }
    return {};
}

Result<std::shared_ptr<MailboxSets>> load_once(kv::Store& store, MailboxId mailbox,
                                               std::string raw_head) {
    auto picture = std::make_shared<MailboxSets>();
    picture->id = mailbox;
    const auto head = decode_head(raw_head);
    if (!head) return damaged(mailbox, "head");
    picture->head = *head;
    picture->raw_head = std::move(raw_head);
    const auto names = store.get(mailbox_shard(mailbox), keywords_key);
    if (!names) return names.error();
    if (*names) {
        auto decoded = decode_keywords(**names);
        if (!decoded) return damaged(mailbox, "keyword names");
        picture->keywords = std::move(*decoded);
    }
    const auto bitmaps = load_bitmaps(store, *picture);
    if (!bitmaps) return bitmaps.error();
    const auto seen = load_seen(store, *picture);
    if (!seen) return seen.error();
    return picture;
}

Result<Extent> extent_once(kv::Store& store, MailboxId mailbox, const std::string& raw_head) {
    const auto head = decode_head(raw_head);
    if (!head) return damaged(mailbox, "head");
    Extent extent{head->highest_modseq, head->bytes, 0};
    static_assert(existing_set + 1 == first_flag_set);
    const auto scanned =
        scan_sets(store, mailbox, bitmap_key(existing_set, 0), bitmap_key(first_flag_set, 0),
                  [&](kv::RowReader&, const UidSet& part) { extent.messages += part.size(); });
    if (!scanned) return scanned.error();
    return extent;
}

// A change between the reads would mix two pictures: only an unmoved head proves there was none.
template <class T, class Read>
Result<T> read_consistently(kv::Store& store, MailboxId mailbox, Read read) {
    for (int attempt = 0; attempt < max_load_attempts; ++attempt) {
        const auto before = store.get(mailbox_shard(mailbox), head_key);
        if (!before) return before.error();
        if (!*before) return Error{Errc::not_found, "no such mailbox"};
        Result<T> found = read(**before);
        const auto after = store.get(mailbox_shard(mailbox), head_key);
        if (!after) return after.error();
        if (*after == *before) return found;
    }
    return Error{Errc::unavailable, "the mailbox changes too fast to be read; try again"};
}

}  // namespace

bool equals_ignoring_case(std::string_view a, std::string_view b) {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                              [](char x, char y) { return lower(x) == lower(y); });
}

const UidSet& MailboxSets::set(SetNumber number) const {
    static const UidSet none;
    const auto found = sets.find(number);
    return found == sets.end() ? none : *found->second;
}

const UidSet& MailboxSets::marks_of(AccountId account) const {
    static const UidSet none;
    const auto found = seen_marks.find(account);
    return found == seen_marks.end() ? none : *found->second;
}

UidSet MailboxSets::seen_by(AccountId viewer) const {
    if (!has_own_seen(viewer)) return set(set_of(SystemFlag::seen));
    const UidSet& first = marks_of({});
    const UidSet& own = marks_of(viewer);
    return ((first - own) | (own - first)) & existing();
}

bool MailboxSets::is_seen(const StoredMessage& message, AccountId viewer) const {
    if (has_own_seen(viewer)) {
        return marks_of({}).contains(message.uid) != marks_of(viewer).contains(message.uid);
    }
    return (message.system_flags & static_cast<std::uint8_t>(SystemFlag::seen)) != 0;
}

Flags MailboxSets::flags_of(const StoredMessage& message, AccountId viewer) const {
    Flags flags;
    flags.system = message.system_flags;
    flags.clear(SystemFlag::seen);
    if (is_seen(message, viewer)) flags.set(SystemFlag::seen);
    for (std::size_t slot = 0; slot < keywords.size(); ++slot) {
        if ((message.keywords >> slot & 1) != 0) flags.keywords.push_back(keywords[slot]);
    }
    std::sort(flags.keywords.begin(), flags.keywords.end());
    return flags;
}

int find_keyword(const std::vector<std::string>& slots, std::string_view keyword) {
    for (std::size_t slot = 0; slot < slots.size(); ++slot) {
        if (!slots[slot].empty() && equals_ignoring_case(slots[slot], keyword)) {
            return static_cast<int>(slot);
        }
    }
    return -1;
}

int MailboxSets::slot_of(std::string_view keyword) const {
    return find_keyword(keywords, keyword);
}

MailboxState MailboxSets::state_for_news() const {
    MailboxState state;
    state.id = id;
    state.owner = head.owner;
    state.history_from = head.journal_from;
    state.uid_validity = head.uid_validity;
    state.uid_next = head.uid_next;
    state.highest_modseq = head.highest_modseq;
    state.bytes = head.bytes;
    state.uids = existing();
    state.own_seen = seen_mode == SeenMode::own;
    if (head.recent_from < head.uid_next) {
        state.recent = existing().slice(head.recent_from, head.uid_next - 1);
    }
    for (std::size_t slot = 0; slot < keywords.size(); ++slot) {
        const auto number = static_cast<SetNumber>(first_keyword_set + slot);
        if (!keywords[slot].empty() && !set(number).empty())
            state.keywords.push_back(keywords[slot]);
    }
    std::sort(state.keywords.begin(), state.keywords.end());
    return state;
}

MailboxState MailboxSets::state(AccountId viewer) const {
    MailboxState state = state_for_news();
    state.unseen = existing();
    if (has_own_seen(viewer)) {
        state.unseen -= seen_by(viewer);
    } else {
        state.unseen -= set(set_of(SystemFlag::seen));
    }
    state.deleted = set(set_of(SystemFlag::deleted));
    return state;
}

Result<SetsPtr> load_sets(kv::Store& store, MailboxId mailbox) {
    return read_consistently<SetsPtr>(store, mailbox,
                                      [&](const std::string& raw_head) -> Result<SetsPtr> {
                                          auto picture = load_once(store, mailbox, raw_head);
                                          if (!picture) return picture.error();
                                          return SetsPtr(std::move(*picture));
                                      });
}

Result<Extent> read_extent(kv::Store& store, MailboxId mailbox) {
    return read_consistently<Extent>(store, mailbox, [&](const std::string& raw_head) {
        return extent_once(store, mailbox, raw_head);
    });
}

}  // namespace postern::mail

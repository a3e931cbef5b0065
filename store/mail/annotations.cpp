#include "store/mail/annotations.h"

#include "store/kv/random_id.h"
#include "store/mail/mailbox_names.h"
#include "store/mail/mailbox_sets.h"

#include <algorithm>

namespace postern::mail {

namespace {

constexpr std::string_view all_rights = "lrswipkxteacd";  // RFC 4314 section 2.1, with obsolete c d
constexpr std::size_t account_bytes = 8;
constexpr int max_account_races = 100;

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return out;
}

bool is_below(const std::string& name, std::string_view root) {
    return name.size() > root.size() && name.compare(0, root.size(), root) == 0;
}

Result<std::string> canonical_entry(const std::string& name) {
    std::string entry = lower(name);
    const bool has_root = is_below(entry, "/private/") || is_below(entry, "/shared/");
    const bool is_plain = std::all_of(entry.begin(), entry.end(), [](char c) {
        return c > ' ' && c < 0x7f && c != '*' && c != '%';
    });
    if (!has_root || !is_plain || entry.back() == '/' || entry.find("//") != std::string::npos ||
        entry.size() > max_annotation_name_bytes) {
        return Error{Errc::invalid, "not the name of an annotation: " + name.substr(0, 100)};
    }
    return entry;
}

// Account rows hold nobody else's annotations, so they need no account in their key.
std::string entry_key(AccountId account, MailboxId mailbox, const std::string& entry) {
    const bool shared = mailbox.value == 0 || is_below(entry, "/shared/");
    return annotation_key(shared ? AccountId{} : account, entry);
}

kv::ShardId shard_of(AccountId account, MailboxId mailbox) {
    return mailbox.value == 0 ? account_shard(account) : mailbox_shard(mailbox);
}

// `visit(key after its prefix, value)` for the rows of one prefix.
template <class Visit>
Result<void> for_each_row(kv::Store& store, const kv::ShardId& shard, std::string prefix,
                          Visit visit) {
    std::string to = prefix;
    while (!to.empty() && to.back() == '\xff') to.pop_back();
    ++to.back();
    std::string from = prefix;
    for (bool more = true; more;) {
        auto page = store.scan(shard, from, to, kv::max_page_rows);
        if (!page) return page.error();
        for (kv::Row& row : page->rows) visit(row.key.substr(prefix.size()), std::move(row.value));
        more = page->more;
        if (more) from = page->rows.back().key + '\0';
    }
    return {};
}

Result<void> mailbox_exists(kv::Store& store, MailboxId mailbox) {
    const auto head = store.get(mailbox_shard(mailbox), head_key);
    if (!head) return head.error();
    if (!*head) return Error{Errc::not_found, "no such mailbox"};
    return {};
}

// The account's own annotations: no queue is needed, its names' version is the precondition.
Result<void> change_account_rows(kv::Store& store, AccountId account, const ExtraRows& rows) {
    for (int attempt = 0; attempt < max_account_races; ++attempt) {
        auto version = store.get(account_shard(account), names_version_key);
        if (!version) return version.error();
        std::set<std::string> keys;
        const auto read = for_each_row(
            store, account_shard(account), std::string(1, rows.prefix),
            [&](const std::string& key, const std::string&) { keys.insert(rows.prefix + key); });
        if (!read) return read;
        kv::Batch batch;
        batch.shard = account_shard(account);
        batch.operation = kv::random_id();
        batch.preconditions.push_back({std::string(names_version_key), *version});
        for (const auto& [key, value] : rows.changes) {
            if (value) {
                keys.insert(key);
                batch.operations.emplace_back(kv::Put{key, *value});
            } else {
                keys.erase(key);
                batch.operations.emplace_back(kv::Erase{key});
            }
        }
        if (keys.size() > rows.max_rows) return Error{Errc::limit, "too many annotations"};
        batch.operations.emplace_back(kv::Put{std::string(names_version_key), new_names_version()});
        const auto outcome = store.commit_and_wait(std::move(batch));
        if (!outcome) return outcome.error();
        if (*outcome == kv::Outcome::committed) return {};
    }
    return Error{Errc::conflict, "the account is changed too often by others"};
}

}  // namespace

Result<TextByName> read_annotations(kv::Store& store, AccountId account, MailboxId mailbox) {
    if (mailbox.value != 0) {
        if (const auto there = mailbox_exists(store, mailbox); !there) return there.error();
    }
    TextByName found;
    for (const AccountId whose : {AccountId{}, account}) {
        const auto read = for_each_row(store, shard_of(account, mailbox), annotation_key(whose, ""),
                                       [&](std::string name, std::string value) {
                                           // An empty value is kept as a single NUL before it.
                                           found[std::move(name)] = value.substr(1);
                                       });
        if (!read) return read.error();
        if (mailbox.value == 0) break;
    }
    return found;
}

void change_annotations(Mailboxes& mailboxes, AccountId account, MailboxId mailbox,
                        const std::vector<AnnotationChange>& changes, Done<void> done) {
    ExtraRows rows{'a', max_annotations_per_mailbox, {}};
    std::size_t bytes = 0;
    for (const AnnotationChange& change : changes) {
        const auto entry = canonical_entry(change.name);
        if (!entry) return done(entry.error());
        auto& value = rows.changes[entry_key(account, mailbox, *entry)];
        value.reset();
        if (!change.value) continue;
        if (change.value->size() > max_annotation_bytes) {
            return done(Error{Errc::too_large, "the annotation is too large"});
        }
        // Values of rows are never empty.
        value = '\0' + *change.value;
        bytes += value->size() + max_annotation_name_bytes;
    }
    if (bytes > max_change_bytes)
        return done(Error{Errc::too_large, "too many annotations at once"});
    if (rows.changes.empty()) return done({});
    if (mailbox.value != 0) {
        return mailboxes.submit(mailbox, extra_rows_operation(std::move(rows), std::move(done)));
    }
    mailboxes.post([&mailboxes, account, rows = std::move(rows), done = std::move(done)] {
        done(change_account_rows(mailboxes.store(), account, rows));
    });
}

Result<TextByName> read_rights(kv::Store& store, MailboxId mailbox) {
    if (const auto there = mailbox_exists(store, mailbox); !there) return there.error();
    TextByName found;
    const auto read = for_each_row(
        store, mailbox_shard(mailbox), "l",
        [&](std::string name, std::string value) { found[std::move(name)] = std::move(value); });
    if (!read) return read.error();
    return found;
}

void change_rights(Mailboxes& mailboxes, MailboxId mailbox, const std::string& identifier,
                   const std::string& letters, Done<void> done) {
    const bool is_text = std::all_of(identifier.begin(), identifier.end(), [](char c) {
        return static_cast<unsigned char>(c) >= ' ' && c != 0x7f;
    });
    if (identifier.empty() || identifier.size() > max_identifier_bytes || !is_text) {
        return done(Error{Errc::invalid, "not an identifier of rights"});
    }
    std::string sorted;
    for (char c : letters) {
        if (all_rights.find(c) == std::string_view::npos) {
            return done(Error{Errc::invalid, std::string("no such right: ") + c});
        }
        if (sorted.find(c) == std::string::npos) sorted += c;
    }
    std::sort(sorted.begin(), sorted.end());
    ExtraRows rows{'l', max_rights_per_mailbox, {}};
    auto& value = rows.changes[rights_key(identifier)];
    if (!sorted.empty()) value = sorted;
    mailboxes.submit(mailbox, extra_rows_operation(std::move(rows), std::move(done)));
}

namespace {

class ChangeExtraRows final : public MailboxOperation {
public:
    ChangeExtraRows(ExtraRows rows, Done<void> done)
        : rows_(std::move(rows)), done_(std::move(done)) {}

    Result<Step> apply(MailboxChange& change) override {
        // Alone in its batch: then what is stored is all that has to be counted.
        if (!change.empty()) return Step::full;
        auto keys = change.extra_keys(std::string(1, rows_.prefix));
        if (!keys) return keys.error();
        for (const auto& [key, value] : rows_.changes) {
            if (value) {
                keys->insert(key);
            } else {
                keys->erase(key);
            }
        }
        if (keys->size() > rows_.max_rows) return Error{Errc::limit, "too many of them already"};
        for (const auto& [key, value] : rows_.changes) change.set_extra(key, value);
        return Step::fits;
    }
    bool confirm() override { return true; }
    void finish(Result<void> outcome) override { done_(outcome); }

private:
    const ExtraRows rows_;
    Done<void> done_;
};

}  // namespace

OperationPtr extra_rows_operation(ExtraRows rows, Done<void> done) {
    return std::make_shared<ChangeExtraRows>(std::move(rows), std::move(done));
}

}  // namespace postern::mail

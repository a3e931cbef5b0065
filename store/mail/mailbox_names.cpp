#include "store/mail/mailbox_names.h"

#include "protocols/mime/net_unicode.h"
#include "store/kv/random_id.h"
#include "store/kv/row_codec.h"
#include "store/mail/mailbox_sets.h"

#include <algorithm>

namespace postern::mail {

namespace {

constexpr int max_name_races = 100;
constexpr std::uint8_t names_row_version = 1;
constexpr std::size_t respelled_together = 100;

bool is_utf8_text(std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
        const auto lead = static_cast<unsigned char>(text[i]);
        const std::size_t length = lead < 0x80             ? 1
                                   : (lead & 0xe0) == 0xc0 ? 2
                                   : (lead & 0xf0) == 0xe0 ? 3
                                   : (lead & 0xf8) == 0xf0 ? 4
                                                           : 0;
        if (length == 0 || i + length > text.size() || lead < 0x20 || lead == 0x7f) return false;
        for (std::size_t k = 1; k < length; ++k) {
            if ((static_cast<unsigned char>(text[i + k]) & 0xc0) != 0x80) return false;
        }
        i += length;
    }
    return true;
}

std::string encode(const NameRow& row) {
    return kv::RowWriter()
        .u8(names_row_version)
        .u64(row.id.value)
        .u8(static_cast<std::uint8_t>(row.special_use))
        .take();
}

std::optional<NameRow> decode_name(std::string_view value) {
    kv::RowReader reader(value);
    if (reader.u8() != names_row_version) return std::nullopt;
    NameRow row;
    row.id.value = reader.u64();
    const std::uint8_t use = reader.u8();
    if (!reader.done() || use > static_cast<std::uint8_t>(SpecialUse::trash)) return std::nullopt;
    row.special_use = static_cast<SpecialUse>(use);
    return row;
}

Result<void> take_row(NameTable& table, const kv::Row& row) {
    if (row.key == names_version_key) {
        table.raw_version = row.value;
    } else if (row.key.front() == 's') {
        table.subscribed.insert(row.key.substr(1));
    } else if (row.key.front() == 'n') {
        const auto name = decode_name(row.value);
        if (!name) return Error{Errc::corrupt, "damaged mailbox name row " + row.key.substr(1)};
        table.names.emplace(row.key.substr(1), *name);
    } else if (row.key.front() == 'o') {
        table.numbered[row.key.substr(1)].value = kv::RowReader(row.value).u64();
    }
    return {};
}

using Spellings = std::map<std::string, std::string>;  // of mailboxes: as stored, as told

// The composed form. What is below a mailbox goes along with it, should that have got a number.
std::string composed_below(const Spellings& told, const std::string& name) {
    for (std::size_t end = name.rfind('/'); end != std::string::npos && end > 0;
         end = name.rfind('/', end - 1)) {
        const auto parent = told.find(name.substr(0, end));
        if (parent != told.end()) return parent->second + mime::compose(name.substr(end));
    }
    return mime::compose(name);
}

// Where another mailbox has that name already, with a number behind it.
std::string free_spelling(const NameTable& table, const std::string& composed) {
    std::string free = composed;
    for (int number = 2; table.names.count(free) != 0; ++number) {
        free = composed + " (" + std::to_string(number) + ")";
    }
    return free;
}

// Names of a store that did not compose them yet.
void compose_names(NameTable& table) {
    std::vector<std::string> names, subscribed;
    for (const auto& [name, row] : table.names) {
        if (!mime::is_composed(name)) names.push_back(name);
    }
    for (const std::string& name : table.subscribed) {
        if (!mime::is_composed(name)) subscribed.push_back(name);
    }
    Spellings told;
    for (const std::string& name : names) {  // in order: parents first
        auto row = table.names.extract(name);
        row.key() = free_spelling(table, composed_below(told, name));
        told.emplace(name, row.key());
        const bool is_numbered = row.mapped().id.value != 0 && row.key() != mime::compose(name);
        if (is_numbered) table.numbered[name] = row.mapped().id;
        table.names.insert(std::move(row));
    }
    for (const std::string& name : subscribed) {
        const auto mailbox = told.find(name);
        const std::string spelling = mailbox == told.end() ? mime::compose(name) : mailbox->second;
        table.subscribed.erase(name);
        table.subscribed.insert(spelling);
        table.respelled.emplace_back("s" + name, "s" + spelling);
    }
    // They are written some at a time, and the rest is worked out anew: what follows from a name
    // as stored is written before that, so subscriptions first and parents after their children.
    for (auto entry = told.rbegin(); entry != told.rend(); ++entry) {
        table.respelled.emplace_back("n" + entry->first, "n" + entry->second);
    }
}

// nullopt: it has none any more.
std::optional<std::string> name_of(const NameTable& table, MailboxId id) {
    for (const auto& [name, row] : table.names) {
        if (row.id == id) return name;
    }
    return std::nullopt;
}

using Rows = std::map<std::string, std::string>;

Rows rows_of(const NameTable& table) {
    Rows rows;
    for (const auto& [name, row] : table.names) rows["n" + name] = encode(row);
    for (const std::string& name : table.subscribed) rows["s" + name] = "1";
    for (const auto& [name, id] : table.numbered) {
        rows["o" + name] = kv::RowWriter().u64(id.value).take();
    }
    return rows;
}

std::vector<kv::Operation> differences(const Rows& before, const Rows& after) {
    std::vector<kv::Operation> operations;
    for (const auto& [key, value] : before) {
        if (after.count(key) == 0) operations.emplace_back(kv::Erase{key});
    }
    for (const auto& [key, value] : after) {
        const auto old = before.find(key);
        if (old == before.end() || old->second != value)
            operations.emplace_back(kv::Put{key, value});
    }
    return operations;
}

}  // namespace

std::string new_names_version() {
    return kv::RowWriter().id(kv::random_id()).take();
}

Result<std::string> canonical_name(std::string_view text) {
    const auto bad = [](const char* why) {
        return Error{Errc::invalid, std::string("mailbox name: ") + why};
    };
    if (text.empty()) return bad("is empty");
    if (!is_utf8_text(text)) return bad("holds control characters or is not UTF-8");
    std::string name = mime::compose(text);
    if (name.size() > max_mailbox_name_bytes) return bad("is too long");
    if (name.front() == '/' || name.back() == '/' || name.find("//") != std::string::npos) {
        return bad("has an empty level");
    }
    if (std::count(name.begin(), name.end(), '/') + 1 > static_cast<long>(max_mailbox_depth)) {
        return bad("has too many levels");
    }
    const std::string first = name.substr(0, name.find('/'));
    if (equals_ignoring_case(first, "INBOX")) name.replace(0, first.size(), "INBOX");
    return name;
}

Result<std::string> canonical_new_name(std::string_view text) {
    if (!mime::is_net_unicode_line(text)) {
        return Error{Errc::invalid, "mailbox name: holds control characters or is not UTF-8"};
    }
    return canonical_name(text);
}

Result<NameTable> read_names(kv::Store& store, AccountId account) {
    NameTable table;
    std::string from;
    for (bool more = true; more;) {
        const auto page = store.scan(account_shard(account), from, "", kv::max_page_rows);
        if (!page) return page.error();
        for (const kv::Row& row : page->rows) {
            const auto taken = take_row(table, row);
            if (!taken) return taken.error();
        }
        more = page->more;
        if (more) from = page->rows.back().key + '\0';
    }
    compose_names(table);
    return table;
}

Result<std::string> name_meant(const NameTable& table, std::string_view text) {
    const auto numbered = table.numbered.find(std::string(text));
    if (numbered != table.numbered.end()) {
        if (auto name = name_of(table, numbered->second)) return *std::move(name);
    }
    return canonical_name(text);
}

std::vector<MailboxInfo> list_of(const NameTable& table) {
    std::vector<MailboxInfo> list;
    list.reserve(table.names.size());
    for (const auto& [name, row] : table.names) {
        list.push_back(
            {row.id, name, row.special_use, table.subscribed.count(name) != 0, row.id.value != 0});
    }
    return list;
}

namespace {

// Unless the account was changed since `before` was read.
Result<kv::Outcome> commit_names(kv::Store& store, AccountId account, const NameTable& before,
                                 std::vector<kv::Operation> operations) {
    kv::Batch batch;
    batch.shard = account_shard(account);
    batch.operation = kv::random_id();
    batch.preconditions.push_back({std::string(names_version_key), before.raw_version});
    batch.operations = std::move(operations);
    batch.operations.emplace_back(kv::Put{std::string(names_version_key), new_names_version()});
    return store.commit_and_wait(std::move(batch));
}

// Some of the names as they are told from now on.
Result<kv::Outcome> write_respelled(kv::Store& store, AccountId account, const NameTable& table) {
    const Rows rows = rows_of(table);
    std::vector<kv::Operation> operations;
    const std::size_t count = std::min(table.respelled.size(), respelled_together);
    for (std::size_t i = 0; i < count; ++i) {
        const auto& [stored, told] = table.respelled[i];
        operations.emplace_back(kv::Erase{stored});
        operations.emplace_back(kv::Put{told, rows.at(told)});
        const auto numbered = rows.find("o" + stored.substr(1));
        if (stored.front() != 'n' || numbered == rows.end()) continue;
        operations.emplace_back(kv::Put{numbered->first, numbered->second});
    }
    return commit_names(store, account, table, std::move(operations));
}

}  // namespace

Result<void> change_names(kv::Store& store, AccountId account,
                          const std::function<Result<void>(NameTable&)>& change) {
    for (int attempt = 0; attempt < max_name_races; ++attempt) {
        const auto before = read_names(store, account);
        if (!before) return before.error();
        if (!before->respelled.empty()) {
            const auto written = write_respelled(store, account, *before);
            if (!written) return written.error();
            continue;
        }
        NameTable after = *before;
        const auto changed = change(after);
        if (!changed) return changed;
        std::erase_if(after.numbered,
                      [&](const auto& each) { return !name_of(after, each.second); });
        auto operations = differences(rows_of(*before), rows_of(after));
        if (operations.empty()) return {};
        if (operations.size() >= kv::max_batch_operations) {
            return Error{Errc::limit, "too many mailboxes are concerned at once"};
        }
        const auto outcome = commit_names(store, account, *before, std::move(operations));
        if (!outcome) return outcome.error();
        if (*outcome == kv::Outcome::committed) return {};
    }
    return Error{Errc::conflict, "the account's mailboxes are changed too often by others"};
}

}  // namespace postern::mail

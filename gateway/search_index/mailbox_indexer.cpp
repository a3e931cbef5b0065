#include "gateway/search_index/mailbox_indexer.h"

#include "gateway/search_index/message_text.h"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <utility>

namespace postern::search_index {

namespace {

constexpr std::size_t page_rows = 256;

// nullopt: expunged meanwhile, or damaged.
std::optional<fulltext::Text> text_of(mail::MailStore& mail, const mail::MessageRow& row) {
    const auto bytes = mail.read(row.blob, 0, std::min(row.size, max_read_bytes));
    if (!bytes) return std::nullopt;
    const auto parsed = mime::parse(*bytes);
    return fulltext::Text{header_text(parsed, *bytes), body_text(parsed, *bytes)};
}

class Update {
public:
    Update(mail::MailStore& mail, MailboxId mailbox, fulltext::IndexWriter& writer,
           const UpdateOptions& options)
        : mail_(mail), mailbox_(mailbox), writer_(writer), options_(options) {}

    Result<Updated> run(const UidSet& existing) {
        const UidSet gone = options_.rebuild ? writer_.covered() : writer_.covered() - existing;
        updated_.removed = gone.size();
        if (auto removed = writer_.remove(gone); !removed) return removed.error();
        if (auto added = add(existing - writer_.covered()); !added) return added.error();
        if (auto done = writer_.commit(); !done) return done.error();
        return updated_;
    }

private:
    Result<void> add(UidSet missing) {
        const std::uint64_t total = missing.size();
        while (!missing.empty()) {
            const auto rows = mail_.rows(mailbox_, missing, page_rows, false);
            if (!rows) return rows.error();
            if (rows->empty()) break;
            for (const auto& row : *rows) {
                if (options_.stopped != nullptr && *options_.stopped) return {};
                const auto text = text_of(mail_, row);
                if (!text) {
                    ++updated_.unreadable;
                    continue;
                }
                if (auto added = writer_.add(row.uid, *text); !added) return added;
                ++updated_.added;
            }
            UidSet done;
            done.add_range(0, rows->back().uid);
            missing -= done;
            if (options_.progress) options_.progress(total - missing.size(), total);
        }
        return {};
    }

    mail::MailStore& mail_;
    const MailboxId mailbox_;
    fulltext::IndexWriter& writer_;
    const UpdateOptions& options_;
    Updated updated_;
};

}  // namespace

std::string mailbox_folder(const std::string& folder, MailboxId mailbox) {
    char name[32];
    std::snprintf(name, sizeof name, "%02x/%016llx", static_cast<unsigned>(mailbox.value & 0xFFU),
                  static_cast<unsigned long long>(mailbox.value));
    return folder + "/" + name;
}

Result<Updated> update_index(mail::MailStore& mail, const std::string& folder, MailboxId mailbox,
                             const UpdateOptions& options) {
    const auto state = mail.state(mailbox);
    const auto own = mailbox_folder(folder, mailbox);
    if (state ? state->uids.empty() : state.error().code == Errc::not_found) {
        if (auto removed = fulltext::remove_index(own); !removed) return removed.error();
        return Updated{};
    }
    if (!state) return state.error();
    auto writer = fulltext::IndexWriter::open(own, state->uid_validity);
    if (!writer) return writer.error();
    return Update(mail, mailbox, **writer, options).run(state->uids);
}

}  // namespace postern::search_index

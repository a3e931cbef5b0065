#include "gateway/imap_service/junk.h"

#include "filters/input.h"
#include "gateway/scan/scanner.h"
#include "protocols/mime/message.h"

#include <algorithm>
#include <utility>

namespace postern::imap_service {

namespace {

constexpr std::size_t jobs_at_once = 64;

bool is_within(std::string_view name, std::string_view folder) {
    return !folder.empty() && name.starts_with(folder) &&
           (name.size() == folder.size() || name[folder.size()] == '/');
}

}  // namespace

std::optional<learning::LearnAction> junk_signal(const mail::MailboxInfo& from,
                                                 const mail::MailboxInfo& to,
                                                 std::string_view trash) {
    const bool was_junk = from.special_use == mail::SpecialUse::junk;
    const bool is_junk = to.special_use == mail::SpecialUse::junk;
    if (was_junk == is_junk) return std::nullopt;
    if (is_junk) return learning::LearnAction::spam;
    if (is_within(to.name, trash)) return std::nullopt;
    return learning::LearnAction::ham;
}

Result<std::size_t> learn_messages(mail::MailStore& mail, learning::Learning& learning,
                                   MailboxId mailbox, const std::vector<Uid>& uids,
                                   learning::LearnAction action, const std::string& who,
                                   Time when) {
    std::size_t count = 0;
    for (std::size_t begin = 0; begin < uids.size(); begin += jobs_at_once) {
        UidSet page;
        for (auto i = begin; i < std::min(uids.size(), begin + jobs_at_once); ++i)
            page.add(uids[i]);
        auto rows = mail.rows(mailbox, page, jobs_at_once, false);
        if (!rows) return rows.error();
        std::vector<learning::LearnJob> jobs;
        for (const auto& row : *rows) {
            const auto bytes = mail.read(row.blob, 0, filters::max_scanned_bytes);
            if (!bytes && bytes.error().code == Errc::not_found) continue;
            if (!bytes) return bytes.error();
            auto features = scan::Scanner::features(*bytes, mime::parse(*bytes));
            jobs.push_back({action, std::move(features), who, when});
        }
        if (auto done = learning.learn(jobs); !done) return done.error();
        count += jobs.size();
    }
    return count;
}

}  // namespace postern::imap_service

#include "gateway/imap_service/sort.h"

#include "protocols/imap/pages.h"
#include "protocols/mime/base_subject.h"
#include "protocols/mime/envelope_reader.h"
#include "protocols/mime/fold_case.h"
#include "protocols/mime/header.h"
#include "protocols/mime/summary_view.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

namespace postern::imap_service {

namespace {

using By = imap::SortKey::By;

constexpr std::size_t sort_page_rows = 500;
// A message without a kept summary: its header lies within.
constexpr std::uint64_t max_sort_read_bytes = 256 * 1024;

Result<std::optional<mime::Summary>> summary_of(mail::MailStore& store,
                                                const mail::MessageRow& row) {
    if (auto kept = mime::decode_summary_for(mime::SummaryUse::sorting, row.summary)) return kept;
    const auto bytes = store.read(row.blob, 0, max_sort_read_bytes);
    if (!bytes && bytes.error().code == Errc::not_found) return std::optional<mime::Summary>();
    if (!bytes) return bytes.error();
    return std::optional(mime::summarize(mime::parse(*bytes), *bytes));
}

std::string local_part(const std::vector<mime::EnvelopeAddress>& addresses) {
    return addresses.empty() ? "" : mime::casemap(addresses.front().mailbox);
}

// RFC 5957: the decoded name where there is one, else the address.
std::string display(const std::vector<mime::EnvelopeAddress>& addresses) {
    if (addresses.empty()) return "";
    const auto& first = addresses.front();
    const std::string name = mime::decode_words(first.name);
    if (!name.empty()) return mime::casemap(name);
    if (first.host.empty()) return mime::casemap(first.mailbox);
    return mime::casemap(first.mailbox + '@' + first.host);
}

SortFacts facts_of(const mail::MessageRow& row) {
    SortFacts out;
    out.uid = row.uid;
    out.arrival = to_unix_ms(row.internal_date);
    out.size = row.size;
    return out;
}

SortFacts facts_of(const mail::MessageRow& row, std::int64_t sent_unix_ms) {
    SortFacts out = facts_of(row);
    out.sent = sent_unix_ms != 0 ? sent_unix_ms : out.arrival;
    return out;
}

SortFacts facts_of(const mail::MessageRow& row, mime::Summary summary, FactsWanted wanted) {
    SortFacts out = facts_of(row, summary.sent_unix_ms);
    if (wanted.subject) {
        auto subject = mime::base_subject(summary.subject);
        out.subject = mime::casemap(subject.text);
        out.is_reply = subject.is_reply;
    }
    out.message_id = std::move(summary.message_id);
    out.references = std::move(summary.references);
    if (!wanted.addresses) return out;
    if (const auto envelope = mime::read_envelope(summary.envelope)) {
        out.from = local_part(envelope->from);
        out.to = local_part(envelope->to);
        out.cc = local_part(envelope->cc);
        out.display_from = display(envelope->from);
        out.display_to = display(envelope->to);
    }
    return out;
}

int compare(std::int64_t a, std::int64_t b) {
    return a < b ? -1 : a > b ? 1 : 0;
}

int compare_by(By by, const SortFacts& a, const SortFacts& b) {
    switch (by) {
        case By::arrival:
            return compare(a.arrival, b.arrival);
        case By::cc:
            return a.cc.compare(b.cc);
        case By::date:
            return compare(a.sent, b.sent);
        case By::from:
            return a.from.compare(b.from);
        case By::size:
            return compare(static_cast<std::int64_t>(a.size), static_cast<std::int64_t>(b.size));
        case By::subject:
            return a.subject.compare(b.subject);
        case By::to:
            return a.to.compare(b.to);
        case By::display_from:
            return a.display_from.compare(b.display_from);
        case By::display_to:
            return a.display_to.compare(b.display_to);
        case By::relevancy:
            return compare(std::int64_t{b.relevancy}, std::int64_t{a.relevancy});
    }
    return 0;
}

// Calls visit with each row of `uids`.
template <class Visit>
Result<void> for_each_row(mail::MailStore& store, mail::Viewed mailbox, UidSet uids,
                          bool with_summary, Visit visit) {
    imap::Pages pages(std::move(uids));
    for (auto page = pages.next(sort_page_rows); !page.empty(); page = pages.next(sort_page_rows)) {
        auto rows = store.rows(mailbox, page, sort_page_rows, with_summary);
        if (!rows) return rows.error();
        for (const auto& row : *rows) {
            if (auto done = visit(row); !done) return done;
        }
    }
    return {};
}

}  // namespace

Result<void> visit_facts(mail::MailStore& store, MailboxId mailbox, const UidSet& uids,
                         FactsWanted wanted, const std::atomic<bool>& stopped,
                         SearchProgress* progress,
                         const std::function<Result<void>(SortFacts&&)>& visit) {
    return for_each_row(
        store, mailbox, uids, wanted.summary(), [&](const auto& row) -> Result<void> {
            if (stopped) return Error{Errc::unavailable, "the search was given up"};
            if (progress != nullptr) ++progress->read;
            if (!wanted.summary()) return visit(facts_of(row));
            if (wanted.date_alone()) {
                if (const auto sent = mime::sent_in_summary(row.summary)) {
                    return visit(facts_of(row, *sent));
                }
            }
            auto summary = summary_of(store, row);
            if (!summary) return summary.error();
            return *summary ? visit(facts_of(row, std::move(**summary), wanted)) : Result<void>();
        });
}

Result<std::vector<SortFacts>> read_facts(mail::MailStore& store, MailboxId mailbox,
                                          const UidSet& uids, const std::atomic<bool>& stopped,
                                          SearchProgress* progress) {
    std::vector<SortFacts> out;
    out.reserve(uids.size());
    const auto read = visit_facts(store, mailbox, uids, {}, stopped, progress,
                                  [&](SortFacts&& facts) -> Result<void> {
                                      out.push_back(std::move(facts));
                                      return {};
                                  });
    if (!read) return read.error();
    return out;
}

Result<std::vector<Uid>> sort_messages(mail::MailStore& store, MailboxId mailbox,
                                       const UidSet& uids, const std::vector<imap::SortKey>& keys,
                                       const std::atomic<bool>& stopped,
                                       const std::map<Uid, std::uint8_t>& relevancy,
                                       SearchProgress* progress) {
    auto facts = read_facts(store, mailbox, uids, stopped, progress);
    if (!facts) return facts.error();
    for (auto& each : *facts) {
        const auto score = relevancy.find(each.uid);
        if (score != relevancy.end()) each.relevancy = score->second;
    }
    std::stable_sort(facts->begin(), facts->end(), [&](const SortFacts& a, const SortFacts& b) {
        for (const auto& key : keys) {
            const int order = compare_by(key.by, a, b);
            if (order != 0) return key.reverse ? order > 0 : order < 0;
        }
        return false;  // they were read in order of UID
    });
    std::vector<Uid> out;
    out.reserve(facts->size());
    for (const auto& each : *facts) out.push_back(each.uid);
    return out;
}

bool sorts_by_relevancy(const std::vector<imap::SortKey>& keys) {
    return std::any_of(keys.begin(), keys.end(),
                       [](const auto& key) { return key.by == By::relevancy; });
}

Result<ModSeq> highest_modseq(mail::MailStore& store, mail::Viewed mailbox, UidSet uids) {
    ModSeq highest = 0;
    const auto read =
        for_each_row(store, mailbox, std::move(uids), false, [&](const auto& row) -> Result<void> {
            highest = std::max(highest, row.modseq);
            return {};
        });
    if (!read) return read.error();
    return highest;
}

}  // namespace postern::imap_service

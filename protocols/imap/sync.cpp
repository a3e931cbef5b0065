#include "protocols/imap/sync.h"

#include "protocols/imap/pages.h"

#include <limits>
#include <memory>

namespace postern::imap {
namespace {

struct ChangesRun : std::enable_shared_from_this<ChangesRun> {
    ChangesRun(Session& its_session, const UidSet& uids, std::function<void()> when_done,
               std::function<void(const Failure&)> when_failed)
        : session(its_session),
          pages(uids),
          done(std::move(when_done)),
          failed(std::move(when_failed)) {}

    void next_page() {
        UidSet page = pages.next(fetch_page_rows);
        if (page.empty()) return done();
        Question question = FetchRows{std::move(page), fetch_page_rows, false};
        session.ask_either<RowPage>(
            std::move(question),
            [self = shared_from_this()](const RowPage& rows) {
                for (const MessageRow& row : rows.rows) {
                    self->session.send(
                        self->session.view()->flags_line({row.uid, row.flags, row.modseq}, true));
                }
                self->session.later([self] { self->next_page(); });
            },
            failed);
    }

    Session& session;
    Pages pages;
    std::function<void()> done;
    std::function<void(const Failure&)> failed;
};

}  // namespace

UidSet named_uids(const SequenceSet& set) {
    constexpr Uid largest = std::numeric_limits<Uid>::max();
    UidSet out;
    for (auto [first, last] : set.ranges) {
        if (first == SequenceSet::star) first = largest;
        if (last == SequenceSet::star) last = largest;
        out.add_range(std::min(first, last), std::max(first, last));
    }
    return out;
}

void send_vanished_earlier(Session& session, const UidSet& uids) {
    if (!uids.empty()) session.send("* VANISHED (EARLIER) " + uids.to_string() + "\r\n");
}

void fetch_changes(Session& session, const UidSet& uids, std::function<void()> done,
                   std::function<void(const Failure&)> failed) {
    std::make_shared<ChangesRun>(session, uids, std::move(done), std::move(failed))->next_page();
}

}  // namespace postern::imap

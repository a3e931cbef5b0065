// NOTIFY (RFC 5465): what it watches.
#include "gateway/imap_service/imap_service.h"

#include <utility>

namespace postern::imap_service {

net::Awaitable<imap::Answer> ImapService::on(imap::Watch question) {
    if (question.groups.empty()) {
        watching_.reset();
        co_return imap::Done{};
    }
    auto watching =
        std::make_shared<Watching>(backends_.mail, backends_.sharing, who(), session_.waker());
    auto job = [watching, groups = std::move(question.groups), status = question.status] {
        return watching->start(groups, status);
    };
    const auto started = co_await backends_.pool.run(std::move(job));
    if (!started) co_return imap::Failure{"LIMIT", "Too much to do at once, try again later"};
    if (!*started) co_return failure(started->error());
    watching_ = std::move(watching);
    co_return imap::Done{};
}

net::Awaitable<imap::Answer> ImapService::on(imap::GetNews) {
    if (!watching_) co_return imap::News{};
    auto news = watching_->news(selected_ ? selected_->place.box.id : MailboxId{});
    if (!news) co_return failure(news.error());
    if (news->overflow) {
        session_.log(logging::Level::info, "notifications ended", {{"user", user_}});
        watching_.reset();
    }
    co_return std::move(*news);
}

void ImapService::leave_selected() {
    if (!selected_) return;
    const Selected left = *std::exchange(selected_, std::nullopt);
    if (!watching_) return;
    const auto status = backends_.mail.status(as_seen(left.place));
    if (!status) return;
    watching_->left(left.place.box.id,
                    {status->uid_validity, left.uid_next, left.modseq, left.uids.size()});
}

}  // namespace postern::imap_service

// Mail to filter.report_spam and filter.report_ham.
#include "gateway/clock/wall_clock.h"
#include "gateway/learning/reported.h"
#include "gateway/smtp_service/replies.h"
#include "gateway/smtp_service/smtp_service.h"
#include "protocols/wire/text.h"

#include <algorithm>

namespace postern::smtp_service {

namespace {

// One spelling of an address: report addresses need no mailbox, so that the local part is ours to
// compare.
std::string folded(std::string_view address) {
    return wire::lower_case(addresses::ascii_address(address));
}

std::optional<learning::LearnAction> reported_as(const std::string& forward_path,
                                                 const config::Filter& filter) {
    if (filter.report_spam.empty() && filter.report_ham.empty()) return std::nullopt;
    const std::string address = folded(forward_path);
    const auto holds = [&](const std::vector<std::string>& addresses) {
        return std::any_of(addresses.begin(), addresses.end(), [&](const std::string& each) {
            // The configuration holds them in lower case.
            return wire::is_ascii(each) ? each == address : folded(each) == address;
        });
    };
    if (holds(filter.report_spam)) return learning::LearnAction::spam;
    if (holds(filter.report_ham)) return learning::LearnAction::ham;
    return std::nullopt;
}

smtp::Reply refusal_of(const Error& error) {
    if (error.code == Errc::not_found) return report_without_message();
    if (error.code == Errc::limit) return report_too_large(learning::max_reported_messages);
    return report_not_learned();
}

}  // namespace

// nullopt: no address for reports. They need no mailbox, so nothing is looked up.
std::optional<smtp::Reply> SmtpService::check_report(const std::string& forward_path) {
    const auto config = backends_.config.get();
    const auto action = reported_as(forward_path, config->filter);
    if (!action) return std::nullopt;
    smtp::Reply reply{250, "2.1.5", "Report address ok"};
    if (!user_) {
        reply = no_stranger_reports();
    } else if (report_ && *report_ != *action) {
        reply = report_of_both_kinds();
    } else if (over_account_rate(1)) {
        reply = too_many_recipients();
    }
    if (reply.code == 250) {
        report_ = action;
    } else {
        session_.log(logging::Level::info, "report refused",
                     {{"rcpt", forward_path}, {"reply", reply.text}});
    }
    return reply;
}

// 250 comes after the lessons are durable.
net::Awaitable<smtp::Reply> SmtpService::learn_report() {
    const auto job = [&learning = backends_.learning, &body = body_, action = *report_,
                      who = user_->address]() -> Result<std::size_t> {
        const auto jobs = learning::jobs_of_report(body, action, who, wall_clock());
        if (!jobs) return jobs.error();
        if (auto learned = learning.learn(*jobs); !learned) return learned.error();
        return jobs->size();
    };
    const auto learned = co_await backends_.pool.run(job);
    const std::string_view as = *report_ == learning::LearnAction::spam ? "spam" : "ham";
    if (learned && *learned) {
        session_.log(logging::Level::info, "report learned",
                     {{"user", user_->address}, {"as", as}, {"messages", **learned}});
        co_return smtp::Reply{
            250, "2.0.0",
            std::to_string(**learned) + " reported as " + std::string(as) + ", learned"};
    }
    std::string reason = "too much other work waits";
    if (learned) reason = learned->error().text;
    session_.log(logging::Level::warning, "report not learned",
                 {{"user", user_->address}, {"as", as}, {"reason", reason}});
    if (!learned) co_return report_not_learned();
    co_return refusal_of(learned->error());
}

}  // namespace postern::smtp_service

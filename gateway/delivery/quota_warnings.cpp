#include "gateway/clock/wall_clock.h"
#include "gateway/delivery/delivery.h"
#include "gateway/log/log.h"
#include "protocols/mime/date.h"
#include "protocols/mime/summary.h"

#include <chrono>

namespace postern::delivery {

namespace {

std::string megabytes(std::uint64_t bytes) {
    return std::to_string(bytes / (1024 * 1024)) + " MiB";
}

// What of the limits there are, each in a line of its own.
std::string usage_of(const mail::QuotaRoot& root) {
    std::string out;
    if (root.soft_bytes != 0) {
        out += megabytes(root.used_bytes) + " of " + megabytes(root.soft_bytes) + " are used.\r\n";
    }
    if (root.max_messages != 0) {
        out += std::to_string(root.used_messages) + " of " + std::to_string(root.max_messages) +
               " messages are there.\r\n";
    }
    return out;
}

std::string text_of(const mail::QuotaWarning& warning, const std::string& hostname, Time now) {
    const auto& root = warning.root;
    const std::string whose =
        root.name.empty() ? "Your mailbox" : "The storage \"" + root.name + "\" that you share";
    const std::string percent = std::to_string(warning.percent);
    return "From: Mail system <postmaster@" + hostname +
           ">\r\n"
           "To: Mailbox owner:;\r\n"
           "Subject: " +
           (root.name.empty() ? "Your mailbox" : "Your mail storage") + " is " + percent +
           " % full\r\n"
           "Date: " +
           mime::format_rfc5322({to_unix_ms(now) / 1000, 0}) +
           "\r\n"
           "Message-ID: <" +
           to_hex(warning.operation) + "@" + hostname +
           ">\r\n"
           "Auto-Submitted: auto-generated\r\n"
           "MIME-Version: 1.0\r\n"
           "Content-Type: text/plain; charset=utf-8\r\n"
           "\r\n" +
           whose + " has reached " + percent + " % of its limit:\r\n" + usage_of(root) +
           "\r\n"
           "When it is full, new mail is held back by those who send it, and is lost to you\r\n"
           "when they give up. Please delete mail that you do not need, or ask for more space.\r\n";
}

}  // namespace

net::Awaitable<void> Delivery::send_quota_warnings() {
    auto warnings = backends_.mail.quota_warnings();
    if (!warnings) {
        logging::error("quota warnings not sent", {{"reason", warnings.error().text}});
        co_return;
    }
    for (const auto& warning : *warnings) {
        auto inbox = co_await target_made_if_missing(warning.account, filters::Verdict::ham);
        if (!inbox) continue;
        const auto now = wall_clock();
        mail::NewMessage message;
        message.bytes = std::make_shared<const std::string>(
            text_of(warning, backends_.config.get()->hostname, now));
        message.summary =
            mime::encode_summary(mime::summarize(mime::parse(*message.bytes), *message.bytes));
        message.internal_date = now;
        message.quota = mail::QuotaRule::none;
        auto sent = co_await net::from_store<mail::Appended>([&](mail::Done<mail::Appended> done) {
            backends_.mail.append(inbox->id, std::move(message), warning.operation,
                                  std::move(done));
        });
        Result<void> told = sent ? Result<void>() : Result<void>(sent.error());
        if (sent) {
            told = co_await net::from_store<void>(
                [&](mail::Done<void> done) { backends_.mail.warned(warning, std::move(done)); });
        }
        if (told) {
            logging::info("quota warning sent", {{"pool", warning.root.name},
                                                 {"percent", warning.percent},
                                                 {"used_bytes", warning.root.used_bytes},
                                                 {"used_messages", warning.root.used_messages}});
        } else {
            logging::error("quota warning not sent",
                           {{"pool", warning.root.name}, {"reason", told.error().text}});
        }
    }
}

}  // namespace postern::delivery
